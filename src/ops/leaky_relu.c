/* leaky_relu: y = x where x > 0, slope * x elsewhere. With a slope of at least zero the sign of y
 * tells where the gradient passes whole. */
#include "ops/activations.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__leaky_relu, slope, "0.01", 0, 1, "of the negative side"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__leaky_relu *a = call->attributes;
    const espl_status s = espl__op_check_real(call, "slope", a->slope, 0, 1);

    return s ? s : espl__op_same_shape(call);
}

const espl__op espl__op_leaky_relu = {
    .name = "leaky_relu",
    .summary = "x where positive, slope * x elsewhere",
    .size = sizeof(espl__leaky_relu),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = shape,
};
