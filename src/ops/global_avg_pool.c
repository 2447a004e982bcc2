/* global_avg_pool: y[c] = mean of plane c, as a vector. dx = dy / (height * width). */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl_status s = espl__op_needs_planes(call, 0);

    return s ? s : espl__op_finish(call, espl__shape_vector(call->input[0].dim[0]), 0);
}

const espl__op espl__op_global_avg_pool = {
    .name = "global_avg_pool",
    .summary = "mean of each plane, as a vector",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
