/* slice: every step-th value from begin to end, along each dimension. Where nothing was taken the
 * gradient is zero. */
#include "ops/box.h"
#include "ops/ops.h"

#include <inttypes.h>

#define MOST ((int64_t)1 << 40)

static const espl_option attributes[] = {
    ESPL_COUNTS(espl__slice, begin, "0", -0x1p40, 0x1p40,
                "first index taken in (channels, height, width); negative: from the end"),
    ESPL_COUNTS(espl__slice, end, "0", -0x1p40, 0x1p40,
                "first index not taken; 0: all, negative: from the end"),
    ESPL_COUNTS(espl__slice, step, "1", 1, 0x1p40, "distance between indices taken"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__slice *a = call->attributes;
    espl__shape output = call->input[0];
    const unsigned counts = (2u << output.rank) - 1;
    espl_status s;

    if ((s = espl__op_check_counts(call, "begin", &a->begin, counts, -MOST, MOST)) ||
        (s = espl__op_check_counts(call, "end", &a->end, counts, -MOST, MOST)) ||
        (s = espl__op_check_counts(call, "step", &a->step, counts, 1, MOST)))
        return s;
    const espl__box box = espl__slice_box(a, output);
    for (int d = 0; d < output.rank; d++) {
        const int64_t last = box.source[d] + (box.count[d] - 1) * box.step[d];
        const int64_t end = d < a->end.count ? a->end.item[d] : 0;
        if (box.count[d] < 1 || box.source[d] < 0 || last >= output.dim[d] || end > output.dim[d])
            return espl__fail(call->ctx, ESPL_BAD_OPTION,
                              "dimension %d has %" PRId64 " values, but begin %" PRId64
                              " and end %" PRId64 " are not a range within it",
                              d + 1, call->input[0].dim[d],
                              d < a->begin.count ? a->begin.item[d] : 0, end);
        output.dim[d] = box.count[d];
    }
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_slice = {
    .name = "slice",
    .summary = "a part of each dimension, with steps",
    .size = sizeof(espl__slice),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
