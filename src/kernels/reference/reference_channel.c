/* bias and prelu: one parameter for each channel. */
#include "kernels/reference/reference.h"

static void forward_bias(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            for (int64_t p = 0; p < x.pixels; p++)
                call->output[espl__at(&y, n, c, p)] =
                    call->inputs[0][espl__at(&x, n, c, p)] + call->parameters[0][c];
}

static void backward_bias(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t c = 0; c < x.channels; c++) {
        double sum = 0;
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const float dy = call->grad_output[espl__at(&y, n, c, p)];
                sum += n < call->valid ? dy : 0;
                if (call->grad_inputs[0])
                    call->grad_inputs[0][espl__at(&x, n, c, p)] = dy;
            }
        if (call->grad_parameters[0])
            espl__gather(&call->grad_parameters[0][c], call->add, sum);
    }
}

static void forward_prelu(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const float value = call->inputs[0][espl__at(&x, n, c, p)];
                call->output[espl__at(&y, n, c, p)] =
                    value < 0 ? call->parameters[0][c] * value : value;
            }
}

static void backward_prelu(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t c = 0; c < x.channels; c++) {
        double sum = 0;
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const int64_t i = espl__at(&x, n, c, p);
                const float value = call->inputs[0][i],
                            dy = call->grad_output[espl__at(&y, n, c, p)];
                if (n < call->valid && value < 0)
                    sum += (double)dy * value;
                if (call->grad_inputs[0])
                    call->grad_inputs[0][i] = value > 0 ? dy : call->parameters[0][c] * dy;
            }
        if (call->grad_parameters[0])
            espl__gather(&call->grad_parameters[0][c], call->add, sum);
    }
}

const espl__kernel espl__kernel_reference_bias_forward = {
    .name = "reference_bias_forward",
    .op = "bias",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward_bias,
};

const espl__kernel espl__kernel_reference_bias_backward = {
    .name = "reference_bias_backward",
    .op = "bias",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward_bias,
};

const espl__kernel espl__kernel_reference_prelu_forward = {
    .name = "reference_prelu_forward",
    .op = "prelu",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward_prelu,
};

const espl__kernel espl__kernel_reference_prelu_backward = {
    .name = "reference_prelu_backward",
    .op = "prelu",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward_prelu,
};
