/* add: the inputs summed in order. There is nothing to do backward: the gradient of each input is
 * the output's own, which the plan hands on (see `passes` of the op). */
#include "kernels/reference/reference.h"

static void forward(const espl__call *call)
{
    const espl__layout out = espl__layout_of_output(call->at);

    for (int i = 0; i < call->at->input_count; i++) {
        const espl__layout in = espl__layout_of_input(call->at, i);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t c = 0; c < out.channels; c++)
                for (int64_t p = 0; p < out.pixels; p++) {
                    const float x = call->inputs[i][espl__at(&in, n, c, p)];
                    float *y = &call->output[espl__at(&out, n, c, p)];
                    *y = i ? *y + x : x;
                }
    }
}

const espl__kernel espl__kernel_reference_add_forward = {
    .name = "reference_add_forward",
    .op = "add",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};
