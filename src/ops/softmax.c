/* softmax: y[k] = exp(x[k]) / sum of exp(x), over the features, or over the channels at each pixel.
 * dx[k] = y[k] * (dy[k] - sum of y * dy). */
#include "ops/ops.h"

const espl__op espl__op_softmax = {
    .name = "softmax",
    .summary = "probabilities from logits, over features or channels",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .shape = espl__op_same_shape,
};
