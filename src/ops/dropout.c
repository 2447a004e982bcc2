/* dropout: in training each value is zero with probability q and 1 / (1 - q) times as large
 * otherwise (inverted dropout; Srivastava et al. 2014), so that inference is the identity. The
 * gradient goes the same way through the same draw. */
#include "ops/dropout.h"

#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__dropout, rate, "0.5", 0, 0.999999, "probability that a value is dropped"),
    ESPL_FLAG(espl__dropout, whole_channels, "no", "drop whole planes instead of single values"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__dropout *a = call->attributes;
    const espl_status s = espl__op_check_real(call, "rate", a->rate, 0, 0.999999);

    return s ? s : espl__op_same_shape(call);
}

const espl__op espl__op_dropout = {
    .name = "dropout",
    .summary = "values dropped at random while training",
    .size = sizeof(espl__dropout),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .flags = ESPL__IS_RANDOM,
    .shape = shape,
};
