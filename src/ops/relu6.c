/* relu6: y = min(6, max(0, x)). The gradient passes where 0 < y < 6. */
#include "ops/ops.h"

const espl__op espl__op_relu6 = {
    .name = "relu6",
    .summary = "min(6, max(0, x))",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
