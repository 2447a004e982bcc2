/* batch_norm with running statistics (inference, and frozen in training): an affine map of each
 * channel, y = activation((x - mean) * scale / sqrt(variance + epsilon) + shift + residual). */
#include "kernels/reference/reference.h"
#include "ops/batch_norm.h"

#include <math.h>

static bool fits(const espl__case *at)
{
    return !at->training;
}

static double inverse_of(const espl__call *call, int64_t channel)
{
    const espl__batch_norm *a = call->node->attributes;

    return 1 / sqrt(call->parameters[3][channel] + a->epsilon);
}

static void forward(const espl__call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const bool residual = call->at->input_count > 1;
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const espl__layout r = espl__layout_of_input(call->at, residual);
    const float *scale = call->parameters[0], *shift = call->parameters[1],
                *mean = call->parameters[2];

    for (int64_t c = 0; c < x.channels; c++) {
        const double inverse = inverse_of(call, c);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const double xh =
                    ((double)call->inputs[0][espl__at(&x, n, c, p)] - mean[c]) * inverse;
                const double added = residual ? call->inputs[1][espl__at(&r, n, c, p)] : 0;
                call->output[espl__at(&y, n, c, p)] =
                    espl__activate(a->activation, (float)(xh * scale[c] + shift[c] + added));
            }
    }
}

/* The gradient behind the activation, stored where the residual's is looked for. */
static void pass_activation(const espl__call *call, const espl__layout *y)
{
    const espl__batch_norm *a = call->node->attributes;

    for (int64_t o = 0; o < call->samples * y->size; o++)
        call->grad_output[o] =
            espl__activate_back(a->activation, call->output[o], call->grad_output[o]);
}

static void backward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const float *scale = call->parameters[0], *mean = call->parameters[2];

    pass_activation(call, &y);
    for (int64_t c = 0; c < x.channels; c++) {
        const double inverse = inverse_of(call, c);
        double sum_dy = 0, sum_dy_xh = 0;
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const int64_t i = espl__at(&x, n, c, p);
                const double dy = call->grad_output[espl__at(&y, n, c, p)];
                if (n < call->valid) {
                    sum_dy += dy;
                    sum_dy_xh += dy * ((double)call->inputs[0][i] - mean[c]) * inverse;
                }
                if (call->grad_inputs[0])
                    call->grad_inputs[0][i] = (float)(dy * scale[c] * inverse);
            }
        if (call->grad_parameters[0])
            espl__gather(&call->grad_parameters[0][c], call->add, sum_dy_xh);
        if (call->grad_parameters[1])
            espl__gather(&call->grad_parameters[1][c], call->add, sum_dy);
    }
}

const espl__kernel espl__kernel_reference_frozen_norm_forward = {
    .name = "reference_frozen_norm_forward",
    .op = "batch_norm",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel espl__kernel_reference_frozen_norm_backward = {
    .name = "reference_frozen_norm_backward",
    .op = "batch_norm",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = backward,
};
