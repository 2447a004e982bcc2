/* relu, element by element: the layout does not matter as long as input and output agree. */
#include "kernels/reference/reference.h"

static bool fits(const espl__case *at)
{
    return at->input_block[0] == at->output_block;
}

static void forward(const espl__call *call)
{
    const int64_t count = call->samples * espl__shape_size(call->at->output);

    for (int64_t i = 0; i < count; i++)
        call->output[i] = call->inputs[0][i] > 0 ? call->inputs[0][i] : 0;
}

static void backward(const espl__call *call)
{
    const int64_t count = call->samples * espl__shape_size(call->at->output);

    for (int64_t i = 0; i < count; i++)
        call->grad_inputs[0][i] = call->output[i] > 0 ? call->grad_output[i] : 0;
}

const espl__kernel espl__kernel_reference_relu_forward = {
    .name = "reference_relu_forward",
    .op = "relu",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel espl__kernel_reference_relu_backward = {
    .name = "reference_relu_backward",
    .op = "relu",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = backward,
};
