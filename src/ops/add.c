/* add: y = sum of the inputs. Each gradient is the output's own, so nothing needs computing. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl_status s = espl__op_needs_equal(call);

    return s ? s : espl__op_same_shape(call);
}

const espl__op espl__op_add = {
    .name = "add",
    .summary = "sum of two to eight inputs of one shape",
    .inputs_min = 2,
    .inputs_max = 8,
    .reads = ESPL__READS_NOTHING,
    .passes = 0xff,
    .shape = shape,
};
