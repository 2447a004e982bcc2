/* hard_swish: y = x * relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244). */
#include "ops/ops.h"

const espl__op espl__op_hard_swish = {
    .name = "hard_swish",
    .summary = "x * relu6(x + 3) / 6",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
