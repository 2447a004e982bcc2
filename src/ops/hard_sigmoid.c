/* hard_sigmoid: y = slope * x + offset, kept within 0..1. The default is relu6(x + 3) / 6; older
 * nets have slope 0.2. */
#include "ops/activations.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__hard_sigmoid, slope, "0.16666666666666666", 1e-6, 1e6, "of the middle part"),
    ESPL_REAL(espl__hard_sigmoid, offset, "0.5", -1e6, 1e6, "value at zero"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__hard_sigmoid *a = call->attributes;
    espl_status s;

    if ((s = espl__op_check_real(call, "slope", a->slope, 1e-6, 1e6)) ||
        (s = espl__op_check_real(call, "offset", a->offset, -1e6, 1e6)))
        return s;
    return espl__op_same_shape(call);
}

const espl__op espl__op_hard_sigmoid = {
    .name = "hard_sigmoid",
    .summary = "slope * x + offset within 0..1",
    .size = sizeof(espl__hard_sigmoid),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_OUTPUT,
    .flags = ESPL__IS_ACTIVATION,
    .shape = shape,
};
