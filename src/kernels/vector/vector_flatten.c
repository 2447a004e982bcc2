/* flatten: one copy where the layout keeps the order of (channels, height, width), else the channels of a block are
 * taken apart. */
#include "kernels/vector/vector.h"

/* A sample's values in logical order: `apart` takes a block of channels apart, else puts it together. */
static void rearrange(const stored *from, stored *to, int64_t channels, int64_t pixels, int64_t block, bool apart)
{
    for (int64_t first = 0; first < channels; first += block)
        for (int64_t c = 0; c < block; c++)
            for (int64_t p = 0; p < pixels; p++) {
                const int64_t plane = (first + c) * pixels + p, blocked = first * pixels + p * block + c;
                if (apart)
                    to[plane] = from[blocked];
                else
                    to[blocked] = from[plane];
            }
}

static void copy(const espl__call *call, const stored *from, stored *to, bool apart)
{
    const espl__shape shape = call->at->input[0];
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape), block = call->at->input_block[0];

    if (block == 1 || pixels == 1) {
        memcpy(to, from, (size_t)(call->samples * size) * sizeof *to);
        return;
    }
    for (int64_t n = 0; n < call->samples; n++)
        rearrange(from + n * size, to + n * size, size / pixels, pixels, block, apart);
}

static void forward(const espl__call *call)
{
    copy(call, stored_in(call->inputs[0]), stored_at(call->output), true);
}

static void backward(const espl__call *call)
{
    copy(call, stored_in(call->grad_output), stored_at(call->grad_inputs[0]), false);
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA;
}

const espl__kernel ESPL__KERNEL(vector_flatten_forward) = {
    .name = ESPL__KERNEL_NAME("vector_flatten_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "flatten",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel ESPL__KERNEL(vector_flatten_backward) = {
    .name = ESPL__KERNEL_NAME("vector_flatten_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "flatten",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = backward,
};
