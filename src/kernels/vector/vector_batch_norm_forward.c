/* Batch norm, forward, fused with the residual and the activation behind it:
 *     y = activation(x * k + b + residual)
 * In training k and b come from the batch: `sums` gives (count, mean, sum of squared deviations) of a
 * shard, `merge` joins the shards pairwise in a tree that depends on their number alone. */
#include "kernels/vector/vector_batch_norm.h"

/* Sums of (x - x0) and (x - x0)^2 over the pixels of one sample. With x0 near the mean nothing is lost by
 * taking the variance from them; the shard's first pixel is near enough. */
ESPL__INLINE void sum_shifted(const stored *x, int64_t stride, int64_t pixels, vec x0, vec accumulator[8])
{
    int64_t i = 0;

    for (; i + 4 <= pixels; i += 4) {
        for (int j = 0; j < 4; j++) {
            const vec d = v_get(x + (i + j) * stride) - x0;
            accumulator[j] += d;
            accumulator[4 + j] = v_fma(d, d, accumulator[4 + j]);
        }
    }
    for (; i < pixels; i++) {
        const vec d = v_get(x + i * stride) - x0;
        accumulator[0] += d;
        accumulator[4] = v_fma(d, d, accumulator[4]);
    }
}

static void sum_strip(const stored *x, const grid *g, const strip *s, const stored *first_pixel, int samples,
                      two_sums *sums)
{
    const vec x0 = v_get(first_pixel + s->place);
    vec accumulator[8] = { 0 };

    for (int n = 0; n < samples; n++) {
        const stored *from = x + n * g->x_size + s->place;
        if (g->x_step == LANES)
            sum_shifted(from, LANES, g->pixels, x0, accumulator);
        else
            sum_shifted(from, g->x_step, g->pixels, x0, accumulator);
    }
    two_sums_add(sums, g, s, accumulator);
}

/* Sums of (x - x0) and (x - x0)^2 become mean and sum of squared deviations from it. */
static void settle(two_sums *sums, const grid *g, const stored *first_pixel)
{
    double *mean = sums->values, *deviation = sums->values + g->channels;

    for (int64_t c = 0; c < g->channels; c++) {
        const double square = deviation[c] - mean[c] * mean[c] / sums->count;
        deviation[c] = square < 0 ? 0 : square;
        mean[c] = get_one(first_pixel + espl__place(c, 0, g->pixels, g->block)) + mean[c] / sums->count;
    }
}

static void sums(const espl__call *call)
{
    const grid g = grid_of(call->at);
    const stored *x = stored_in(call->inputs[0]);
    const int group = two_sums_group(&g);

    two_sums_begin(call->sums, &g, call->valid);
    if (!call->valid)
        return;
    for (int n = 0; n < call->valid; n += group) {
        const int samples = call->valid - n < group ? call->valid - n : group;
        for (int64_t i = 0; i < g.strips; i++) {
            const strip s = strip_at(&g, i);
            sum_strip(x + n * g.x_size, &g, &s, x, samples, call->sums);
        }
    }
    settle(call->sums, &g, x);
}

/* Chan, Golub, LeVeque: statistics of two sets become those of both. */
static void join(two_sums *a, const two_sums *b, int64_t channels)
{
    const double count = a->count + b->count;

    if (b->count == 0)
        return;
    for (int64_t c = 0; c < channels; c++) {
        const double delta = b->values[c] - a->values[c];
        a->values[c] += delta * (b->count / count);
        a->values[channels + c] += b->values[channels + c] + delta * delta * (a->count * b->count / count);
    }
    a->count = count;
}

static void merge(const espl__merge_call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const grid g = grid_of(call->at);
    const coefficients to = coefficients_in(&g, call->shared);
    float *const *p = call->parameters;

    for (int step = 1; step < call->shards; step *= 2)
        for (int i = 0; i + step < call->shards; i += 2 * step)
            join(call->sums[i], call->sums[i + step], g.channels);
    const two_sums *all = call->sums[0];
    const double others = all->count > 1 ? all->count - 1 : 1;
    for (int64_t c = 0; c < g.channels; c++) {
        const double mean = all->values[c], deviation = all->values[g.channels + c];
        coefficients_set(&to, c, mean, deviation / all->count, a->epsilon, p);
        p[MEAN][c] = (float)((1 - a->momentum) * p[MEAN][c] + a->momentum * mean);
        p[VARIANCE][c] = (float)((1 - a->momentum) * p[VARIANCE][c] + a->momentum * (deviation / others));
    }
}

/* One strip of one sample; `residual` may be NULL. Pixels of x lie x_step apart, those of the others `stride`. */
ESPL__INLINE void apply(const stored *x, int64_t x_step, const stored *residual, stored *y, int64_t stride,
                        int64_t pixels, vec k, vec b, int activation)
{
    for (int64_t i = 0; i < pixels; i++) {
        vec value = v_fma(v_get(x + i * x_step), k, b);
        if (residual)
            value += v_get(residual + i * stride);
        v_put(y + i * stride, v_activate(activation, value));
    }
}

ESPL__INLINE void apply_strip(const stored *x, int64_t x_step, const stored *residual, stored *y, int64_t stride,
                              int64_t pixels, vec k, vec b, int activation)
{
    if (activation == ESPL__RELU)
        apply(x, x_step, residual, y, stride, pixels, k, b, ESPL__RELU);
    else if (activation == ESPL__RELU6)
        apply(x, x_step, residual, y, stride, pixels, k, b, ESPL__RELU6);
    else
        apply(x, x_step, residual, y, stride, pixels, k, b, ESPL__NO_ACTIVATION);
}

/* Strips of a wide block take a few pixels at a time, so that a line of memory is used while it is here. */
static void apply_sample(const stored *x, const stored *residual, stored *y, const grid *g,
                         const coefficients *by, int activation)
{
    const int64_t run = g->block == LANES ? g->pixels : 16;

    for (int64_t first = 0; first < g->pixels; first += run) {
        const int64_t pixels = g->pixels - first < run ? g->pixels - first : run;
        for (int64_t i = 0; i < g->strips; i++) {
            const strip s = strip_at(g, i);
            const int64_t at = s.place + first * g->block;
            const stored *from = x + s.place + first * g->x_step;
            const vec k = v_load(by->k + s.channel), b = v_load(by->b + s.channel);
            if (residual)
                apply_strip(from, g->x_step, residual + at, y + at, g->block, pixels, k, b, activation);
            else
                apply_strip(from, g->x_step, NULL, y + at, g->block, pixels, k, b, activation);
        }
    }
}

static void apply_shard(const espl__call *call, void *memory)
{
    const espl__batch_norm *a = call->node->attributes;
    const grid g = grid_of(call->at);
    const coefficients by = coefficients_in(&g, memory);

    for (int n = 0; n < call->samples; n++) {
        const stored *residual = call->at->input_count > 1 ? stored_in(call->inputs[1]) + n * g.size : NULL;
        apply_sample(stored_in(call->inputs[0]) + n * g.x_size, residual, stored_at(call->output) + n * g.size, &g, &by,
                     a->activation);
    }
}

static void run_training(const espl__call *call)
{
    apply_shard(call, call->shared);
}

static void run_inference(const espl__call *call)
{
    apply_shard(call, call->packed);
}

static bool fits_training(const espl__case *at)
{
    return at->training && batch_norm_fits(at);
}

static bool fits_inference(const espl__case *at)
{
    return !at->training && batch_norm_fits(at);
}

static espl_status prepare_training(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const grid g = grid_of(at);

    (void)ctx;
    *state = NULL;
    needs->sums = two_sums_bytes(&g);
    needs->shared = coefficients_bytes(&g);
    return ESPL_OK;
}

static espl_status prepare_inference(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const grid g = grid_of(at);

    (void)ctx;
    *state = NULL;
    needs->packed = coefficients_bytes(&g);
    return ESPL_OK;
}

const espl__kernel ESPL__KERNEL(vector_batch_norm_forward) = {
    .name = ESPL__KERNEL_NAME("vector_batch_norm_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .strided = true,
    .op = "batch_norm",
    .role = ESPL__FORWARD,
    .fits = fits_training,
    .prepare = prepare_training,
    .sums = sums,
    .merge = merge,
    .run = run_training,
};

const espl__kernel ESPL__KERNEL(vector_batch_norm_inference) = {
    .name = ESPL__KERNEL_NAME("vector_batch_norm_inference"),
    .bf16 = ESPL__VARIANT_BF16,
    .strided = true,
    .op = "batch_norm",
    .role = ESPL__FORWARD,
    .fits = fits_inference,
    .prepare = prepare_inference,
    .pack = coefficients_pack,
    .run = run_inference,
};
