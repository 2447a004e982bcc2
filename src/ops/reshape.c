/* reshape: the same values in the same (channels, height, width) order under another shape. */
#include "ops/arrange.h"
#include "ops/ops.h"

static const espl_option attributes[] = { ESPL_COUNTS(espl__reshape, shape, NULL, -1, 0x1p40,
                                                      "of the sample; -1 once: whatever is left"),
                                          ESPL_OPTIONS_END };

static espl_status shape(espl__shape_call *call)
{
    const espl__reshape *a = call->attributes;
    const int64_t size = espl__shape_size(call->input[0]);
    espl__shape output = { .rank = a->shape.count };
    int64_t known = 1;
    int open = -1;
    char found[96], wanted[96];
    const espl_status s = espl__op_check_counts(call, "shape", &a->shape, 0x1e, -1,
                                                (int64_t)1 << 40); /* one to four */

    if (s)
        return s;
    for (int d = 0; d < output.rank; d++) {
        output.dim[d] = a->shape.item[d];
        if (output.dim[d] == -1 && open < 0)
            open = d;
        else if (output.dim[d] < 1 || output.dim[d] > size / known)
            return espl__fail(call->ctx, ESPL_BAD_OPTION,
                              "shape %s has a value below 1 or holds more than the input; only one "
                              "-1 may stand for what is left",
                              espl__shape_text(output, wanted));
        else
            known *= output.dim[d];
    }
    if (open >= 0)
        output.dim[open] = size % known == 0 ? size / known : 1;
    if (!espl__shape_valid(output) || espl__shape_size(output) != size)
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "the input has the shape %s, whose values do not fill the shape %s",
                          espl__shape_text(call->input[0], found),
                          espl__shape_text(output, wanted));
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_reshape = {
    .name = "reshape",
    .summary = "the same values under another shape",
    .size = sizeof(espl__reshape),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
