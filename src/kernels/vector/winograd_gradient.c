/* The gradient of the weights of conv2d by tiles (winograd.h): the filter's gradient is itself a
 * convolution, F(3x3, 4x4), F(3x3, 2x2) or F(5x5, 4x4), of the input with the gradient of the output. The tiles of a shard are summed in
 * the domain of frequencies; one transform at its end gives the taps, laid out as
 * [panel][channel in][tap][columns] until `unpack`. */
#include "kernels/vector/winograd.h"
#include "kernels/vector/winograd_transforms.h"

/* Adds the products of `count` tiles to the sums, [frequency][panel][channel in][columns]. */
static void multiply(const winograd *w, const float *v, const float *d, int64_t count, bool add, float *sums)
{
    const int64_t in = w->from.padded, out = w->to.padded;

    for (int f = 0; f < FREQUENCIES; f++) {
        for (int64_t first = 0; first < out / LANES; first += PANEL) {
            const int64_t left = out / LANES - first;
            const product_sum p = { .a = v + f * w->from_plane,
                                    .b = d + f * w->to_plane + first * w->batch * LANES,
                                    .c = sums + f * w->filter_plane + first * LANES * in,
                                    .rows = in,
                                    .steps = count,
                                    .vectors = left < PANEL ? left : PANEL,
                                    .a_group = w->batch * LANES,
                                    .b_vector = w->batch * LANES,
                                    .add = add };
            product_tiles(&p);
        }
    }
}

/* The taps of every pair of channels; the sums lie one vector after the other as the gradient does. */
static void write_taps(const winograd *w, const float *sums, bool add, float *gradient)
{
    const int64_t in = w->from.padded, out = w->to.padded;

    for (int64_t i = 0; i < in * out / LANES; i++, sums += LANES, gradient += TAPS * TAPS * LANES) {
        vec taps[TAPS * TAPS];
        transform_taps(sums, w->filter_plane, taps);
        for (int t = 0; t < TAPS * TAPS; t++)
            v_store(gradient + t * LANES, add ? v_load(gradient + t * LANES) + taps[t] : taps[t]);
    }
}

static void bias_gradient(const espl__call *call, const picture *p)
{
    float *bias = call->grad_parameters[1];

    for (int64_t channel = 0; channel < p->channels; channel += LANES) {
        const int64_t left = p->channels - channel, some = left < LANES ? left : LANES;
        double sum[LANES] = { 0 };
        for (int n = 0; n < call->valid; n++) {
            const stored *from = stored_in(call->grad_output) + n * p->size + channel / LANES * p->group_step;
            for (int64_t row = 0; row < p->height; row++) {
                float lanes[LANES];
                vec line = { 0 };
                for (int64_t i = 0; i < p->width; i++, from += p->block)
                    line += some < LANES ? v_get_some(from, some) : v_get(from);
                v_store(lanes, line);
                for (int l = 0; l < LANES; l++)
                    sum[l] += lanes[l];
            }
        }
        for (int l = 0; l < some; l++)
            bias[channel + l] = (call->add ? bias[channel + l] : 0) + (float)sum[l];
    }
}

static void backward_parameters(const espl__call *call)
{
    const winograd w = winograd_of(call->at);
    const espl__conv2d *a = call->node->attributes;
    float *v = call->workspace, *d = v + FREQUENCIES * w.from_plane, *sums = d + FREQUENCIES * w.to_plane;
    const int64_t all = call->valid * w.in_sample;

    for (int64_t first = 0; call->grad_parameters[0] && first < all; first += w.batch) {
        const int64_t count = all - first < w.batch ? all - first : w.batch;
        winograd_inputs(&w, stored_in(call->inputs[0]), first, count, v);
        winograd_gradients(&w, stored_in(call->grad_output), first, count, d);
        multiply(&w, v, d, count, first > 0, sums);
    }
    if (call->grad_parameters[0])
        write_taps(&w, sums, call->add, call->grad_parameters[0]);
    if (a->bias && call->grad_parameters[1])
        bias_gradient(call, &w.to);
}

/* [panel][channel in][column vector][tap][lane] to (out, in, taps), without what is padding. */
static void unpack(const espl__case *at, void *state, int parameter, const float *packed_gradient, float *gradient)
{
    const winograd w = winograd_of(at);
    const int64_t in = w.from.channels, out = w.to.channels;

    (void)state;
    (void)parameter;
    for (int64_t k = 0; k < out; k++) {
        const int64_t vector = k / LANES, first = vector / PANEL * PANEL, left = w.to.padded / LANES - first;
        const int64_t vectors = left < PANEL ? left : PANEL;
        const float *panel = packed_gradient + first * LANES * w.from.padded * TAPS * TAPS;
        for (int64_t c = 0; c < in; c++)
            for (int64_t tap = 0; tap < TAPS * TAPS; tap++)
                gradient[(k * in + c) * TAPS * TAPS + tap] =
                    panel[((c * vectors + vector - first) * TAPS * TAPS + tap) * LANES + k % LANES];
    }
}

static ESPL__APART bool suits(const espl__case *at)
{
    const espl__conv2d *a = at->node->attributes;

    return winograd_suits(at) && at->input_count == 1 && a->activation == ESPL__NO_ACTIVATION &&
           !a->folded;
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits(at);
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const winograd w = winograd_of(at);

    (void)ctx;
    *state = NULL;
    needs->workspace = (size_t)(FREQUENCIES * (w.from_plane + w.to_plane + w.filter_plane)) * sizeof(float);
    needs->gradient[0] = (size_t)(TAPS * TAPS * w.from.padded * w.to.padded) * sizeof(float);
    return ESPL_OK;
}

const espl__kernel WINOGRAD_KERNEL(conv2d_backward_parameters) = {
    .name = ESPL__KERNEL_NAME(WINOGRAD "_conv2d_backward_parameters"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "conv2d",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits,
    .pays = winograd_pays,
    .prepare = prepare,
    .run = backward_parameters,
    .unpack = unpack,
};
