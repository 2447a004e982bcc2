/* flatten: the sample as a vector in (channels, height, width) order, whatever the layout was. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    return espl__op_finish(call, espl__shape_vector(espl__shape_size(call->input[0])), 0);
}

const espl__op espl__op_flatten = {
    .name = "flatten",
    .summary = "planes as one vector, in (channels, height, width) order",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
