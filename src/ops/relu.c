/* relu: y = max(0, x). The gradient passes where y > 0. */
#include "ops/ops.h"

const espl__op espl__op_relu = {
    .name = "relu",
    .summary = "max(0, x)",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
