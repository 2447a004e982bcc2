/* conv2d: y[o] = sum over i, ky, kx of w[o][i][ky][kx] * x[i][oy*stride + ky*dilation - pad][...] +
 * b[o], within groups. dx is the same sum read backwards, dw sums x * dy over samples and
 * positions. */
#include "ops/conv2d.h"

#include "ops/ops.h"

#include <inttypes.h>

static const espl_option attributes[] = {
    ESPL_COUNT(espl__conv2d, channels, NULL, 1, 1 << 24, "output channels"),
    ESPL_COUNTS(espl__conv2d, kernel, NULL, 1, 1 << 20, "one value or (height, width)"),
    ESPL_COUNTS(espl__conv2d, stride, "1", 1, 1 << 20, "one value or (vertical, horizontal)"),
    ESPL_COUNTS(espl__conv2d, pad, "0", 0, 1 << 20,
                "one value, (vertical, horizontal) or (top, left, bottom, right)"),
    ESPL_COUNTS(espl__conv2d, dilation, "1", 1, 1 << 20, "one value or (vertical, horizontal)"),
    ESPL_COUNT(espl__conv2d, groups, "1", 0, 1 << 24, "groups of channels; 0: depthwise"),
    ESPL_FLAG(espl__conv2d, bias, "yes", "add a number to each output channel"),
    ESPL_OPTIONS_END
};

espl__window espl__conv2d_window(const espl__conv2d *a, int64_t input_channels)
{
    espl__window window = espl__window_of(&a->kernel, &a->stride, &a->pad, &a->dilation);

    window.groups = a->groups ? a->groups : input_channels;
    return window;
}

static espl_status check(const espl__shape_call *call)
{
    const espl__conv2d *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_planes(call, 0)) ||
        (s = espl__op_check_count(call, "channels", a->channels, 1, 1 << 24)) ||
        (s = espl__op_check_window(call, &a->kernel, &a->stride, &a->pad, &a->dilation)) ||
        (s = espl__op_check_count(call, "groups", a->groups, 0, 1 << 24)) ||
        (s = espl__op_check_count(call, "activation", a->activation, ESPL__NO_ACTIVATION,
                                  ESPL__RELU6)))
        return s;
    const int64_t inputs = call->input[0].dim[0], groups = a->groups ? a->groups : inputs;
    if (inputs % groups || a->channels % groups)
        return espl__fail(call->ctx, ESPL_BAD_OPTION,
                          "%" PRId64 " groups do not divide %" PRId64 " input and %" PRId64
                          " output channels; both must be multiples",
                          groups, inputs, a->channels);
    return a->folded ? espl__op_check_real(call, "epsilon", a->epsilon, 0, 1) : ESPL_OK;
}

static void declare_parameters(espl__shape_call *call, const espl__window *w)
{
    const espl__conv2d *a = call->attributes;
    const int64_t inputs = call->input[0].dim[0] / w->groups, taps = w->kernel[0] * w->kernel[1];
    const espl__shape each = espl__shape_vector(a->channels);
    const espl__shape weight = { .rank = 4,
                                 .dim = { a->channels, inputs, w->kernel[0], w->kernel[1] } };
    espl__parameter_spec *spec =
        espl__op_parameter(call, "weight", ESPL_WEIGHT, weight, ESPL__FILL_HE);

    spec->fan_in = inputs * taps;
    spec->fan_out = a->channels / w->groups * taps;
    if (a->bias)
        espl__op_parameter(call, "bias", ESPL_BIAS, each, ESPL__FILL_ZERO);
    if (a->folded) {
        espl__op_parameter(call, "scale", ESPL_NORM_SCALE, each, ESPL__FILL_ONE);
        espl__op_parameter(call, "shift", ESPL_NORM_SHIFT, each, ESPL__FILL_ZERO);
        espl__op_parameter(call, "mean", ESPL_BUFFER, each, ESPL__FILL_ZERO);
        espl__op_parameter(call, "variance", ESPL_BUFFER, each, ESPL__FILL_ONE);
    }
}

static espl_status shape(espl__shape_call *call)
{
    const espl__conv2d *a = call->attributes;
    int64_t size[2];
    espl_status s;

    if ((s = check(call)))
        return s;
    const espl__window w = espl__conv2d_window(a, call->input[0].dim[0]);
    if ((s = espl__op_window_output(call, &w, false, size)))
        return s;
    const espl__shape output = espl__shape_planes(a->channels, size[0], size[1]);
    char found[96], expected[96];
    if (call->input_count == 2 && !espl__shape_equal(call->input[1], output))
        return espl__fail(
            call->ctx, ESPL_BAD_SHAPE,
            "the residual (input 2) has the shape %s, but the output's %s is expected",
            espl__shape_text(call->input[1], found), espl__shape_text(output, expected));
    declare_parameters(call, &w);
    const double each = (double)call->parameter[0].fan_in;
    return espl__op_finish(call, output,
                           each * (double)a->channels * (double)size[0] * (double)size[1]);
}

const espl__op espl__op_conv2d = {
    .name = "conv2d",
    .summary = "convolution of planes, with groups, strides, dilation and padding",
    .size = sizeof(espl__conv2d),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 2,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
