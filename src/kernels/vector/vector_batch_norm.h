/* What the kernels of batch norm share: how they walk the channels, and the numbers that go from the
 * forward kernel to the backward one.
 *
 * A *strip* is LANES neighbouring channels of one block, seen through all pixels. Where the block is
 * no multiple of LANES its last strip reaches back over channels of the strip before it: both
 * compute the same for those, and sums take only the `fresh` lanes of it. */
#ifndef ESPL_VECTOR_BATCH_NORM_H
#define ESPL_VECTOR_BATCH_NORM_H

#include "kernels/vector/activation.h"
#include "ops/batch_norm.h"

#include <math.h>

enum { SCALE,
       SHIFT,
       MEAN,
       VARIANCE };

/* Sums are carried in single precision for so many pixels at least, then added up in double. */
#define PIXELS_A_SUM 256

typedef struct grid {
    int64_t channels, pixels, block, size;
    int64_t x_step, x_size; /* of the input: from a pixel of a strip to the next, from a sample to the next */
    int64_t strips;         /* of all channels */
} grid;

typedef struct strip {
    int64_t channel; /* its first one */
    int64_t place;   /* of that channel's first pixel in a sample */
    int fresh;       /* first lane that no strip before it holds */
} strip;

ESPL__INLINE grid grid_of(const espl__case *at)
{
    grid g = { .channels = espl__shape_channels(at->output),
               .pixels = espl__shape_pixels(at->output),
               .block = at->output_block,
               .size = espl__shape_size(at->output) };

    if (g.pixels == 1) /* every layout is the same */
        g.block = g.channels;
    g.x_step = at->input_stride ? at->input_stride : g.block;
    g.x_size = at->input_stride ? at->input_stride * g.pixels : g.size;
    g.strips = g.channels / g.block * ((g.block + LANES - 1) / LANES);
    return g;
}

ESPL__INLINE strip strip_at(const grid *g, int64_t index)
{
    const int64_t each = (g->block + LANES - 1) / LANES;
    const int64_t block = index / each, wanted = index % each * LANES;
    const int64_t within = wanted + LANES > g->block ? g->block - LANES : wanted;

    return (strip){ .channel = block * g->block + within,
                    .place = block * g->block * g->pixels + within,
                    .fresh = (int)(wanted - within) };
}

static ESPL__APART bool batch_norm_suits(const espl__case *at)
{
    const int64_t block = grid_of(at).block;
    bool same = at->input_count <= 2;

    for (int i = 0; i < at->input_count; i++)
        same = same && (at->input_block[i] == at->output_block || espl__shape_pixels(at->output) == 1);
    return same && block >= LANES;
}

static inline bool batch_norm_fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && batch_norm_suits(at);
}

/* Numbers for each channel, written by the forward kernel (into `shared` in training, into `packed`
 * otherwise) and read by the backward one: y = x * k + b, and k = scale * inverse. */
typedef struct coefficients {
    float *k, *b, *mean, *inverse; /* inverse = 1 / sqrt(variance + epsilon) */
} coefficients;

static inline size_t coefficients_bytes(const grid *g)
{
    return 4 * (size_t)g->channels * sizeof(float);
}

ESPL__INLINE coefficients coefficients_in(const grid *g, void *memory)
{
    float *at = memory;

    return (coefficients){ at, at + g->channels, at + 2 * g->channels, at + 3 * g->channels };
}

static inline void coefficients_set(const coefficients *to, int64_t channel, double mean, double variance,
                                    double epsilon, float *const *parameters)
{
    const double inverse = 1 / sqrt(variance + epsilon), k = parameters[SCALE][channel] * inverse;

    to->k[channel] = (float)k;
    to->b[channel] = (float)(parameters[SHIFT][channel] - mean * k);
    to->mean[channel] = (float)mean;
    to->inverse[channel] = (float)inverse;
}

/* From the running statistics, for inference and frozen nodes. */
static inline void coefficients_pack(const espl__call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const grid g = grid_of(call->at);
    const coefficients to = coefficients_in(&g, call->packed);

    for (int64_t c = 0; c < g.channels; c++)
        coefficients_set(&to, c, call->parameters[MEAN][c], call->parameters[VARIANCE][c], a->epsilon,
                         call->parameters);
}

/* Two sums for each channel over the samples of a shard, in double. */
typedef struct two_sums {
    double count;    /* of values that went into each */
    double values[]; /* the first sum of every channel, then the second one */
} two_sums;

static inline size_t two_sums_bytes(const grid *g)
{
    return sizeof(two_sums) + 2 * (size_t)g->channels * sizeof(double);
}

static inline void two_sums_begin(two_sums *sums, const grid *g, int valid)
{
    memset(sums, 0, two_sums_bytes(g));
    sums->count = (double)(valid * g->pixels);
}

/* Adds accumulators 0..3 to the first sum of a strip's channels and 4..7 to the second. */
ESPL__INLINE void two_sums_add(two_sums *sums, const grid *g, const strip *s, const vec accumulator[8])
{
    float first[LANES], second[LANES];
    double *to = sums->values + s->channel;

    v_store(first, (accumulator[0] + accumulator[1]) + (accumulator[2] + accumulator[3]));
    v_store(second, (accumulator[4] + accumulator[5]) + (accumulator[6] + accumulator[7]));
    for (int lane = s->fresh; lane < LANES; lane++) {
        to[lane] += first[lane];
        to[g->channels + lane] += second[lane];
    }
}

/* Samples whose pixels are summed in single precision before they go to double. */
static inline int two_sums_group(const grid *g)
{
    return g->pixels >= PIXELS_A_SUM ? 1 : (int)(PIXELS_A_SUM / g->pixels);
}

#endif
