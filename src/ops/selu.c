/* selu: elu with the alpha and the scale that keep mean 0 and variance 1 from layer to layer
 * (Klambauer et al. 2017, arXiv:1706.02515). */
#include "ops/ops.h"

const espl__op espl__op_selu = {
    .name = "selu",
    .summary = "the self-normalizing elu",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = espl__op_same_shape,
};
