/* Batch norm, backward. With dz the gradient in front of the activation, xh = (x - mean) * inverse and m
 * values a channel:
 *     dshift = sum dz,  dscale = sum dz * xh,
 *     dx = scale * inverse * (dz - dshift / m - xh * dscale / m) = k1 * dz + k2 * x + k3.
 * dz is written over the gradient of the output, where it also is the gradient of the residual. With
 * fixed statistics mean and inverse do not depend on x, and dx = k * dz. */
#include "kernels/vector/vector_batch_norm.h"

/* One strip of one sample: dz in place, and sums of dz and dz * (x - mean). `output` is read only where
 * there is an activation. */
ESPL__INLINE void sum_pixel(const stored *x, const stored *output, stored *gradient, vec mean, int activation,
                            vec *first, vec *second)
{
    vec dz = v_get(gradient);

    if (activation != ESPL__NO_ACTIVATION) {
        dz = v_activate_backward(activation, dz, v_get(output));
        v_put(gradient, dz);
    }
    *first += dz;
    *second = v_fma(dz, v_get(x) - mean, *second);
}

ESPL__INLINE void sum_pixels(const stored *x, int64_t x_step, const stored *output, stored *gradient, int64_t stride,
                             int64_t pixels, vec mean, int activation, vec accumulator[8])
{
    int64_t i = 0;

    for (; i + 4 <= pixels; i += 4) {
        for (int j = 0; j < 4; j++) {
            const int64_t at = (i + j) * stride;
            sum_pixel(x + (i + j) * x_step, output + at, gradient + at, mean, activation, &accumulator[j], &accumulator[4 + j]);
        }
    }
    for (; i < pixels; i++) {
        const int64_t at = i * stride;
        sum_pixel(x + i * x_step, output + at, gradient + at, mean, activation, &accumulator[0], &accumulator[4]);
    }
}

/* What `sums` reads of a shard or of a group of its samples. */
typedef struct view {
    const stored *x, *output;
    stored *gradient;
    int samples;
} view;

ESPL__INLINE void sum_strip(const view *v, const grid *g, const strip *s, const float *mean, int activation,
                            two_sums *sums)
{
    const vec center = v_load(mean + s->channel);
    vec accumulator[8] = { 0 };

    for (int n = 0; n < v->samples; n++) {
        const int64_t at = n * g->size + s->place;
        const stored *x = v->x + n * g->x_size + s->place;
        if (g->block == LANES)
            sum_pixels(x, g->x_step, v->output + at, v->gradient + at, LANES, g->pixels, center, activation,
                       accumulator);
        else
            sum_pixels(x, g->x_step, v->output + at, v->gradient + at, g->block, g->pixels, center, activation,
                       accumulator);
    }
    two_sums_add(sums, g, s, accumulator);
}

static void sum_group(const view *v, const grid *g, const float *mean, int activation, two_sums *sums)
{
    for (int64_t i = 0; i < g->strips; i++) {
        const strip s = strip_at(g, i);
        if (activation == ESPL__RELU)
            sum_strip(v, g, &s, mean, ESPL__RELU, sums);
        else if (activation == ESPL__RELU6)
            sum_strip(v, g, &s, mean, ESPL__RELU6, sums);
        else
            sum_strip(v, g, &s, mean, ESPL__NO_ACTIVATION, sums);
    }
}

/* The sums of a shard. The gradient of filler samples becomes zero, here and for the residual. */
static void sum_shard(const espl__call *call, const float *mean, two_sums *sums)
{
    const espl__batch_norm *a = call->node->attributes;
    const grid g = grid_of(call->at);
    const int group = two_sums_group(&g);

    two_sums_begin(sums, &g, call->valid);
    for (int n = 0; n < call->valid; n += group) {
        const int64_t at = n * g.size;
        const view v = { stored_in(call->inputs[0]) + n * g.x_size,
                         stored_in(call->output ? call->output : call->inputs[0]) + at,
                         stored_at(call->grad_output) + at, call->valid - n < group ? call->valid - n : group };
        sum_group(&v, &g, mean, a->activation, sums);
    }
    memset(stored_at(call->grad_output) + call->valid * g.size, 0,
           (size_t)((call->samples - call->valid) * g.size) * sizeof(stored));
}

static void sums(const espl__call *call)
{
    const grid g = grid_of(call->at);

    sum_shard(call, coefficients_in(&g, call->forward_shared).mean, call->sums);
}

static void join(two_sums *a, const two_sums *b, int64_t channels)
{
    for (int64_t c = 0; c < 2 * channels; c++)
        a->values[c] += b->values[c];
    a->count += b->count;
}

/* k1, k2 and k3 of every channel, one array after the other. */
static size_t factors_bytes(const grid *g)
{
    return 3 * (size_t)g->channels * sizeof(float);
}

static void merge(const espl__merge_call *call)
{
    const grid g = grid_of(call->at);
    const coefficients by = coefficients_in(&g, call->forward_shared);
    float *k1 = call->shared, *k2 = k1 + g.channels, *k3 = k2 + g.channels;

    for (int step = 1; step < call->shards; step *= 2)
        for (int i = 0; i + step < call->shards; i += 2 * step)
            join(call->sums[i], call->sums[i + step], g.channels);
    const two_sums *all = call->sums[0];
    for (int64_t c = 0; c < g.channels; c++) {
        const double dshift = all->values[c], dscale = all->values[g.channels + c] * by.inverse[c];
        const double second = -by.k[c] * dscale / all->count * by.inverse[c];
        k1[c] = by.k[c];
        k2[c] = (float)second;
        k3[c] = (float)(-by.k[c] * dshift / all->count - second * by.mean[c]);
        if (call->grad_parameters[SCALE])
            call->grad_parameters[SCALE][c] = (float)dscale;
        if (call->grad_parameters[SHIFT])
            call->grad_parameters[SHIFT][c] = (float)dshift;
    }
}

/* Factors of a strip; those of channels that the strip before it holds are 0 where they would be added twice. */
ESPL__INLINE vec factors_at(const float *factors, const strip *s, bool add)
{
    float fresh[LANES] = { 0 };

    if (!add || !s->fresh)
        return v_load(factors + s->channel);
    for (int lane = s->fresh; lane < LANES; lane++)
        fresh[lane] = factors[s->channel + lane];
    return v_load(fresh);
}

/* dx of one sample: k1 * dz + k2 * x + k3, or k1 * dz alone; set, or added to what is there. */
ESPL__INLINE void spread_sample(const stored *x, const stored *dz, stored *dx, const grid *g, const float *k1,
                                bool fixed, bool add)
{
    const int64_t run = g->block == LANES ? g->pixels : 16;
    const float *k2 = k1 + g->channels, *k3 = k2 + g->channels;

    for (int64_t first = 0; first < g->pixels; first += run) {
        const int64_t end = first + run < g->pixels ? first + run : g->pixels;
        for (int64_t i = 0; i < g->strips; i++) {
            const strip s = strip_at(g, i);
            const vec a = factors_at(k1, &s, add);
            const vec b = fixed ? a : factors_at(k2, &s, add), c = fixed ? a : factors_at(k3, &s, add);
            for (int64_t p = first; p < end; p++) {
                const int64_t at = s.place + p * g->block, x_at = s.place + p * g->x_step;
                const vec rest = fixed ? a : v_fma(v_get(x + x_at), b, c);
                const vec value = fixed ? a * v_get(dz + at) : v_fma(v_get(dz + at), a, rest);
                v_put(dx + x_at, add ? v_get(dx + x_at) + value : value);
            }
        }
    }
}

static void run(const espl__call *call)
{
    const grid g = grid_of(call->at);
    stored *dx = stored_at(call->grad_inputs[0]);

    if (!dx)
        return;
    for (int n = 0; n < call->valid; n++) {
        const stored *x = stored_in(call->inputs[0]) + n * g.x_size, *dz = stored_in(call->grad_output) + n * g.size;
        if (call->at->input_stride)
            spread_sample(x, dz, dx + n * g.x_size, &g, call->shared, false, true);
        else
            spread_sample(x, dz, dx + n * g.size, &g, call->shared, false, false);
    }
    if (!call->at->input_stride) /* else it is zero already */
        memset(dx + call->valid * g.size, 0, (size_t)((call->samples - call->valid) * g.size) * sizeof *dx);
}

/* With fixed statistics nothing waits for the batch: the sums go straight to the lane's gradients. */
static void gather(const espl__call *call, const coefficients *by, const two_sums *sums, int64_t channels)
{
    float *dscale = call->grad_parameters[SCALE], *dshift = call->grad_parameters[SHIFT];

    for (int64_t c = 0; c < channels; c++) {
        if (dscale)
            dscale[c] = (call->add ? dscale[c] : 0) + (float)(sums->values[channels + c] * by->inverse[c]);
        if (dshift)
            dshift[c] = (call->add ? dshift[c] : 0) + (float)sums->values[c];
    }
}

static void run_fixed(const espl__call *call)
{
    const grid g = grid_of(call->at);
    const coefficients by = coefficients_in(&g, call->packed);
    stored *dx = stored_at(call->grad_inputs[0]);

    sum_shard(call, by.mean, call->workspace);
    gather(call, &by, call->workspace, g.channels);
    for (int n = 0; dx && n < call->samples; n++)
        spread_sample(NULL, stored_in(call->grad_output) + n * g.size, dx + n * g.x_size, &g, by.k, true,
                      call->at->input_stride != 0);
}

static bool fits(const espl__case *at)
{
    return at->training && batch_norm_fits(at);
}

static bool fits_fixed(const espl__case *at)
{
    return !at->training && batch_norm_fits(at);
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const grid g = grid_of(at);

    (void)ctx;
    *state = NULL;
    needs->sums = two_sums_bytes(&g);
    needs->shared = factors_bytes(&g);
    return ESPL_OK;
}

static espl_status prepare_fixed(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const grid g = grid_of(at);

    (void)ctx;
    *state = NULL;
    needs->packed = coefficients_bytes(&g);
    needs->workspace = two_sums_bytes(&g);
    return ESPL_OK;
}

const espl__kernel ESPL__KERNEL(vector_batch_norm_backward) = {
    .name = ESPL__KERNEL_NAME("vector_batch_norm_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .strided = true,
    .op = "batch_norm",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .prepare = prepare,
    .sums = sums,
    .merge = merge,
    .run = run,
};

const espl__kernel ESPL__KERNEL(vector_batch_norm_backward_fixed) = {
    .name = ESPL__KERNEL_NAME("vector_batch_norm_backward_fixed"),
    .bf16 = ESPL__VARIANT_BF16,
    .strided = true,
    .op = "batch_norm",
    .role = ESPL__BACKWARD,
    .fits = fits_fixed,
    .prepare = prepare_fixed,
    .pack = coefficients_pack,
    .run = run_fixed,
};
