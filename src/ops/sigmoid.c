/* sigmoid: y = 1 / (1 + exp(-x)), dy/dx = y * (1 - y). */
#include "ops/ops.h"

const espl__op espl__op_sigmoid = {
    .name = "sigmoid",
    .summary = "1 / (1 + exp(-x))",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
