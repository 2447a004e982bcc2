/* layer_norm: each sample brought to mean 0 and variance 1 (Ba et al. 2016, arXiv:1607.06450), over
 * all its values with a scale and a shift for each, or over the channels at each pixel with a scale
 * and a shift for each channel. The same in training and inference. with g = dy * scale: dx = (g -
 * mean(g) - xh * mean(g * xh)) / sqrt(variance + epsilon) */
#include "ops/ops.h"
#include "ops/sample_norm.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__layer_norm, epsilon, "1e-5", 1e-12, 1, "added to the variance"),
    ESPL_CHOICE(espl__layer_norm, over, "sample", "sample|channels",
                "all values of the sample, or the channels at each pixel"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__layer_norm *a = call->attributes;
    const espl__shape input = call->input[0];
    const bool by_pixel = a->over == ESPL__OVER_CHANNELS;
    const espl__shape each = by_pixel ? espl__shape_vector(espl__shape_channels(input)) : input;
    espl_status s;

    if ((s = espl__op_check_real(call, "epsilon", a->epsilon, 1e-12, 1)) ||
        (s = espl__op_check_count(call, "over", a->over, ESPL__OVER_SAMPLE, ESPL__OVER_CHANNELS)))
        return s;
    if (espl__shape_size(each) < 2)
        return espl__fail(
            call->ctx, ESPL_BAD_SHAPE,
            "there is one value to normalize over, but at least two are expected, or the output "
            "would be the shift alone");
    espl__op_parameter(call, "scale", ESPL_NORM_SCALE, each, ESPL__FILL_ONE);
    espl__op_parameter(call, "shift", ESPL_NORM_SHIFT, each, ESPL__FILL_ZERO);
    return espl__op_finish(call, input, 0);
}

const espl__op espl__op_layer_norm = {
    .name = "layer_norm",
    .summary = "each sample normalized over its own values",
    .size = sizeof(espl__layer_norm),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
