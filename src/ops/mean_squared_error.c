/* mean_squared_error: the mean over outputs k of (z[k] - t[k])^2. Targets are soft ones, or the
 * label as one-hot; of a single output the label itself. dz = 2 * (z - t) / outputs. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl_status s = espl__op_needs_vector(call, 0);

    return s ? s : espl__op_finish(call, espl__shape_vector(1), 0);
}

const espl__op espl__op_mean_squared_error = {
    .name = "mean_squared_error",
    .summary = "mean squared difference between outputs and targets",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_LOSS,
    .shape = shape,
};
