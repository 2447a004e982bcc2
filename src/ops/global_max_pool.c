/* global_max_pool: y[c] = largest value of plane c, as a vector. The gradient goes to the place of
 * that value, the first one where several are equal. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl_status s = espl__op_needs_planes(call, 0);

    return s ? s : espl__op_finish(call, espl__shape_vector(call->input[0].dim[0]), 0);
}

const espl__op espl__op_global_max_pool = {
    .name = "global_max_pool",
    .summary = "largest value of each plane, as a vector",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
