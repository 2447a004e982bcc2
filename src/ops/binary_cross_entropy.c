/* binary_cross_entropy: the mean over outputs k of -t[k] * log p[k] - (1 - t[k]) * log(1 - p[k])
 * with p = sigmoid(z). Targets are soft ones, or the label as one-hot; of a single output the label
 * is the target, 0 or 1. dz = (p - t) / outputs. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl_status s = espl__op_needs_vector(call, 0);

    return s ? s : espl__op_finish(call, espl__shape_vector(1), 0);
}

const espl__op espl__op_binary_cross_entropy = {
    .name = "binary_cross_entropy",
    .summary = "mean cross entropy of each output as a yes or no of its own",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_LOSS,
    .shape = shape,
};
