/* elu: y = x where x > 0, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2015, arXiv:1511.07289);
 * there dy/dx = y + alpha. */
#include "ops/activations.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__elu, alpha, "1", 0, 1000, "the negative side tends to -alpha"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__elu *a = call->attributes;
    const espl_status s = espl__op_check_real(call, "alpha", a->alpha, 0, 1000);

    return s ? s : espl__op_same_shape(call);
}

const espl__op espl__op_elu = {
    .name = "elu",
    .summary = "x where positive, alpha * (exp(x) - 1) elsewhere",
    .size = sizeof(espl__elu),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = shape,
};
