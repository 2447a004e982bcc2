/* silu (swish): y = x * sigmoid(x); with s = sigmoid(x), dy/dx = s + x * s * (1 - s). */
#include "ops/ops.h"

const espl__op espl__op_silu = {
    .name = "silu",
    .summary = "x * sigmoid(x)",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
