/* flatten and reshape: the same values in the same logical order, whatever the layouts are. */
#include "kernels/reference/reference.h"

static void forward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0), out = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t i = 0; i < out.size; i++)
            call->output[espl__at_flat(&out, n, i)] = call->inputs[0][espl__at_flat(&in, n, i)];
}

static void backward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0), out = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t i = 0; i < out.size; i++)
            call->grad_inputs[0][espl__at_flat(&in, n, i)] = call->grad_output[espl__at_flat(&out, n, i)];
}

const espl__kernel espl__kernel_reference_flatten_forward = {
    .name = "reference_flatten_forward",
    .op = "flatten",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_flatten_backward = {
    .name = "reference_flatten_backward",
    .op = "flatten",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
