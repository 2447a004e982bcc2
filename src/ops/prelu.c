/* prelu: y = x where x > 0, slope[c] * x elsewhere, the slope of each channel learned (He et al.
 * 2015, arXiv:1502.01852; no weight decay on it, hence a scalar and not a weight). */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl__shape each = espl__shape_vector(espl__shape_channels(call->input[0]));

    espl__op_parameter(call, "slope", ESPL_SCALAR, each, ESPL__FILL_CONSTANT)->constant = 0.25;
    return espl__op_same_shape(call);
}

const espl__op espl__op_prelu = {
    .name = "prelu",
    .summary = "x where positive, a learned slope times x elsewhere",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_ACTIVATION,
    .shape = shape,
};
