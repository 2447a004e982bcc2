/* bias: y = x + b[c]. The gradient of x is that of y; db sums it over samples and pixels. */
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    const espl__shape each = espl__shape_vector(espl__shape_channels(call->input[0]));

    espl__op_parameter(call, "bias", ESPL_BIAS, each, ESPL__FILL_ZERO);
    return espl__op_same_shape(call);
}

const espl__op espl__op_bias = {
    .name = "bias",
    .summary = "a learned number added to each channel",
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .passes = 1,
    .shape = shape,
};
