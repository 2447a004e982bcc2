/* Y = X W^T + b, see vector_dense.h: LANES numbers of Y at a time, each a vector of partial sums along the
 * features until the end. */
#include "kernels/vector/vector_dense.h"

/* A block is UNITS units of SAMPLES samples. */
#define UNITS 4
#define SAMPLES (LANES / UNITS)

typedef struct block {
    const float *x[SAMPLES], *w[UNITS];
} block;

/* One vector of features; `some` of them where it is the last and not full. */
ESPL__INLINE void add_features(const block *b, int64_t at, int64_t some, vec sum[LANES])
{
    vec line[SAMPLES];

#pragma GCC unroll 4
    for (int n = 0; n < SAMPLES; n++)
        line[n] = some < LANES ? v_load_some(b->x[n] + at, some) : v_load(b->x[n] + at);
#pragma GCC unroll 4
    for (int u = 0; u < UNITS; u++) {
        const vec w = some < LANES ? v_load_some(b->w[u] + at, some) : v_load(b->w[u] + at);
#pragma GCC unroll 4
        for (int n = 0; n < SAMPLES; n++)
            sum[n * UNITS + u] = v_fma(line[n], w, sum[n * UNITS + u]);
    }
}

ESPL__INLINE vec multiply(const block *b, int64_t features)
{
    vec sum[LANES];
    int64_t i = 0;

#pragma GCC unroll 16
    for (int l = 0; l < LANES; l++)
        sum[l] = (vec){ 0 };
    for (; i + LANES <= features; i += LANES)
        add_features(b, i, LANES, sum);
    if (i < features)
        add_features(b, i, features - i, sum);
    return v_sums(sum);
}

/* A copy whose length the compiler knows is no call. */
ESPL__INLINE void put_units(float *to, const float *from, int64_t count)
{
    memcpy(to, from, count == UNITS ? UNITS * sizeof *to : (size_t)count * sizeof *to);
}

/* UNITS units from `unit` on of every sample. */
static void run_units(const espl__call *call, int64_t unit)
{
    const espl__dense *a = call->node->attributes;
    const int64_t features = call->at->input[0].dim[0], left = a->units - unit, some = left < UNITS ? left : UNITS;
    float lanes[LANES] = { 0 };
    block b;

    for (int64_t u = 0; u < UNITS; u++) { /* a unit behind the end is the last one again, and not stored */
        const int64_t from = unit + (u < some ? u : some - 1);
        b.w[u] = call->parameters[0] + from * features;
        for (int n = 0; a->bias && n < SAMPLES; n++)
            lanes[n * UNITS + u] = call->parameters[1][from];
    }
    const vec bias = v_load(lanes);
    for (int64_t first = 0; first < call->samples; first += SAMPLES) {
        for (int64_t n = 0; n < SAMPLES; n++) {
            const int64_t sample = first + n < call->samples ? first + n : call->samples - 1;
            b.x[n] = call->inputs[0] + sample * features;
        }
        v_store(lanes, v_activate(a->activation, multiply(&b, features) + bias));
        for (int64_t n = 0; n < SAMPLES && first + n < call->samples; n++)
            put_units(call->output + (first + n) * a->units + unit, lanes + n * UNITS, some);
    }
}

static void forward(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;

    for (int64_t unit = 0; unit < a->units; unit += UNITS)
        run_units(call, unit);
}

static ESPL__APART bool suits(const espl__case *at)
{
    return dense_suits(at);
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits(at);
}

const espl__kernel ESPL__KERNEL(vector_dense_forward) = {
    .name = ESPL__KERNEL_NAME("vector_dense_forward"),
    .op = "dense",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};
