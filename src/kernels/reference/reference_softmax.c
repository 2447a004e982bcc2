/* softmax over the channels at each pixel; the largest logit is taken off first, so that none is
 * too large. */
#include "kernels/reference/reference.h"

#include <math.h>

static void forward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t p = 0; p < x.pixels; p++) {
            double largest = -INFINITY, sum = 0;
            for (int64_t c = 0; c < x.channels; c++)
                largest = fmax(largest, call->inputs[0][espl__at(&x, n, c, p)]);
            for (int64_t c = 0; c < x.channels; c++)
                sum += exp(call->inputs[0][espl__at(&x, n, c, p)] - largest);
            for (int64_t c = 0; c < x.channels; c++)
                call->output[espl__at(&y, n, c, p)] =
                    (float)(exp(call->inputs[0][espl__at(&x, n, c, p)] - largest) / sum);
        }
}

static void backward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t p = 0; p < x.pixels; p++) {
            double dot = 0;
            for (int64_t c = 0; c < x.channels; c++) {
                const int64_t o = espl__at(&y, n, c, p);
                dot += (double)call->output[o] * call->grad_output[o];
            }
            for (int64_t c = 0; c < x.channels; c++) {
                const int64_t o = espl__at(&y, n, c, p);
                call->grad_inputs[0][espl__at(&x, n, c, p)] =
                    (float)(call->output[o] * (call->grad_output[o] - dot));
            }
        }
}

const espl__kernel espl__kernel_reference_softmax_forward = {
    .name = "reference_softmax_forward",
    .op = "softmax",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_softmax_backward = {
    .name = "reference_softmax_backward",
    .op = "softmax",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
