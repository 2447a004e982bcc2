/* global_avg_pool and global_max_pool: one number for each plane. */
#include "kernels/reference/reference.h"

#include <string.h>

static void forward_avg(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++) {
            double sum = 0;
            for (int64_t p = 0; p < x.pixels; p++)
                sum += call->inputs[0][espl__at(&x, n, c, p)];
            call->output[n * x.channels + c] = (float)(sum / (double)x.pixels);
        }
}

static void backward_avg(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            for (int64_t p = 0; p < x.pixels; p++)
                call->grad_inputs[0][espl__at(&x, n, c, p)] =
                    call->grad_output[n * x.channels + c] / (float)x.pixels;
}

static int64_t place_of_largest(const espl__call *call, const espl__layout *x, int64_t n, int64_t c)
{
    int64_t best = espl__at(x, n, c, 0);

    for (int64_t p = 1; p < x->pixels; p++) {
        const int64_t i = espl__at(x, n, c, p);
        if (call->inputs[0][i] > call->inputs[0][best])
            best = i;
    }
    return best;
}

static void forward_max(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            call->output[n * x.channels + c] = call->inputs[0][place_of_largest(call, &x, n, c)];
}

static void backward_max(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0);

    memset(call->grad_inputs[0], 0, (size_t)(call->samples * x.size) * sizeof(float));
    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            call->grad_inputs[0][place_of_largest(call, &x, n, c)] =
                call->grad_output[n * x.channels + c];
}

const espl__kernel espl__kernel_reference_global_avg_pool_forward = {
    .name = "reference_global_avg_pool_forward",
    .op = "global_avg_pool",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward_avg,
};

const espl__kernel espl__kernel_reference_global_avg_pool_backward = {
    .name = "reference_global_avg_pool_backward",
    .op = "global_avg_pool",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward_avg,
};

const espl__kernel espl__kernel_reference_global_max_pool_forward = {
    .name = "reference_global_max_pool_forward",
    .op = "global_max_pool",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward_max,
};

const espl__kernel espl__kernel_reference_global_max_pool_backward = {
    .name = "reference_global_max_pool_backward",
    .op = "global_max_pool",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward_max,
};
