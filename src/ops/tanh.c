/* tanh: y = tanh(x), dy/dx = 1 - y^2. */
#include "ops/ops.h"

const espl__op espl__op_tanh = {
    .name = "tanh",
    .summary = "hyperbolic tangent",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
