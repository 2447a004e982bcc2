/* batch_norm: each channel brought to mean 0 and variance 1 over the batch (training) or by its
 * running statistics, then scaled and shifted (Ioffe and Szegedy 2015, arXiv:1502.03167).
 *     dx = scale / sqrt(variance + epsilon) * (dy - mean(dy) - xh * mean(dy * xh)),
 *     dscale = sum of dy * xh, dshift = sum of dy
 * where dy is taken behind the activation; with running statistics the two means drop out. */
#include "ops/batch_norm.h"

#include "ops/conv2d.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__batch_norm, epsilon, "1e-5", 1e-12, 1, "added to the variance"),
    ESPL_REAL(espl__batch_norm, momentum, "0.1", 0, 1,
              "weight of the batch in the running statistics"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__batch_norm *a = call->attributes;
    const espl__shape each = espl__shape_vector(espl__shape_channels(call->input[0]));
    espl_status s;

    if ((s = espl__op_needs_equal(call)) ||
        (s = espl__op_check_real(call, "epsilon", a->epsilon, 1e-12, 1)) ||
        (s = espl__op_check_real(call, "momentum", a->momentum, 0, 1)) ||
        (s = espl__op_check_count(call, "activation", a->activation, ESPL__NO_ACTIVATION,
                                  ESPL__RELU6)))
        return s;
    espl__op_parameter(call, "scale", ESPL_NORM_SCALE, each, ESPL__FILL_ONE);
    espl__op_parameter(call, "shift", ESPL_NORM_SHIFT, each, ESPL__FILL_ZERO);
    espl__op_parameter(call, "mean", ESPL_BUFFER, each, ESPL__FILL_ZERO);
    espl__op_parameter(call, "variance", ESPL_BUFFER, each, ESPL__FILL_ONE);
    return espl__op_finish(call, call->input[0], 0);
}

const espl__op espl__op_batch_norm = {
    .name = "batch_norm",
    .summary = "channels normalized over the batch, scaled and shifted",
    .size = sizeof(espl__batch_norm),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 2,
    .flags = ESPL__IS_CHEAP | ESPL__USES_BATCH,
    .reads = ESPL__READS_INPUTS |
             ESPL__READS_OUTPUT, /* the output tells where the activation was flat */
    .passes = 1u << 1,
    .shape = shape,
};
