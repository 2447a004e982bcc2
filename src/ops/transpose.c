/* transpose: the dimensions of the sample in another order. */
#include "ops/arrange.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_COUNTS(espl__transpose, order, NULL, 0, ESPL__RANK_MAX - 1,
                "input dimension that each output dimension is, from 0"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__transpose *a = call->attributes;
    espl__shape output = call->input[0];
    const espl_status s =
        espl__op_check_counts(call, "order", &a->order, 1u << output.rank, 0, output.rank - 1);
    unsigned seen = 0;

    if (s)
        return s;
    for (int d = 0; d < output.rank; d++) {
        seen |= 1u << a->order.item[d];
        output.dim[d] = call->input[0].dim[a->order.item[d]];
    }
    if (seen != (1u << output.rank) - 1)
        return espl__fail(call->ctx, ESPL_BAD_OPTION,
                          "order names a dimension twice, but each of 0..%d is expected once",
                          output.rank - 1);
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_transpose = {
    .name = "transpose",
    .summary = "the dimensions of the sample in another order",
    .size = sizeof(espl__transpose),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
