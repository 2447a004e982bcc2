/* dropout of single values that lie in logical order (vectors, and pictures in planes): sixteen draws side by side, each
 * of which decides about four values. */
#include "kernels/vector/vector.h"

#include "base/philox.h"
#include "ops/dropout.h"

#define DRAWS 16
#define VALUES (4 * DRAWS)

typedef struct place {
    espl__stream stream;
    uint32_t epoch;
    uint64_t sample;
} place;

/* The words of the draws first, first + 1, ... */
static void draw(const place *at, uint32_t first, uint32_t words[VALUES])
{
    uint32_t k0 = (uint32_t)at->stream.key, k1 = (uint32_t)(at->stream.key >> 32);
    uint32_t x0[DRAWS], x1[DRAWS], x2[DRAWS], x3[DRAWS];

    for (uint32_t i = 0; i < DRAWS; i++) {
        x0[i] = first + i;
        x1[i] = at->epoch;
        x2[i] = (uint32_t)at->sample;
        x3[i] = (uint32_t)(at->sample >> 32);
    }
    for (int round = 0; round < ESPL__PHILOX_ROUNDS; round++) {
        for (int i = 0; i < DRAWS; i++)
            espl__philox_round(&x0[i], &x1[i], &x2[i], &x3[i], k0, k1);
        espl__philox_next(&k0, &k1);
    }
    for (int i = 0; i < DRAWS; i++) {
        words[4 * i] = x0[i];
        words[4 * i + 1] = x1[i];
        words[4 * i + 2] = x2[i];
        words[4 * i + 3] = x3[i];
    }
}

static ESPL__APART void drop(const place *at, const espl__dropout *a, const float *from, int64_t count, float *to)
{
    const uint32_t bound = espl__dropout_bound(a);
    const float scale = (float)(1 / (1 - a->rate));
    uint32_t words[VALUES];

    for (int64_t first = 0; first < count; first += VALUES) {
        const int64_t here = count - first < VALUES ? count - first : VALUES;
        draw(at, (uint32_t)(first / 4), words);
        for (int64_t i = 0; i < here; i++)
            to[first + i] = (words[i] >> 8 >= bound ? scale : 0) * from[first + i];
    }
}

static void apply(const espl__call *call, const float *from, float *to)
{
    const espl__dropout *a = call->node->attributes;
    const int64_t size = espl__shape_size(call->at->output);
    const int64_t valid = call->at->training && a->rate > 0 ? call->valid : 0;

    for (int64_t n = 0; n < valid; n++) {
        const place at = { call->stream, (uint32_t)call->targets->epoch, (uint64_t)call->targets->index[n] };
        drop(&at, a, from + n * size, size, to + n * size);
    }
    memmove(to + valid * size, from + valid * size, (size_t)((call->samples - valid) * size) * sizeof *to);
}

static void forward(const espl__call *call)
{
    apply(call, call->inputs[0], call->output);
}

static void backward(const espl__call *call)
{
    apply(call, call->grad_output, call->grad_inputs[0]);
}

static bool lies_in_order(const espl__case *at)
{
    const espl__dropout *a = at->node->attributes;

    return !a->whole_channels &&
           ((at->input_block[0] == 1 && at->output_block == 1) || espl__shape_pixels(at->output) == 1);
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && lies_in_order(at);
}

const espl__kernel ESPL__KERNEL(vector_dropout_forward) = {
    .name = ESPL__KERNEL_NAME("vector_dropout_forward"),
    .op = "dropout",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel ESPL__KERNEL(vector_dropout_backward) = {
    .name = ESPL__KERNEL_NAME("vector_dropout_backward"),
    .op = "dropout",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = backward,
};
