/* What augmentations share: what to put where a picture has nothing, and exchanging the two
 * buffers. */
#ifndef ESPL_AUGMENT_H
#define ESPL_AUGMENT_H

#include <espalier/technique.h>

#define AUGMENT_FILLS "zero|mean"

/* `fill` is the index within AUGMENT_FILLS: 0 (black), or what normalization makes 0. */
static inline float augment_fill(const espl_sample *sample, int fill, int64_t channel)
{
    return fill && sample->neutral ? sample->neutral[channel] : 0;
}

/* What was written to `spare` becomes the sample. */
static inline void augment_swap(espl_sample *sample)
{
    float *const values = sample->values;

    sample->values = sample->spare;
    sample->spare = values;
}

/* Fails if the samples are rows of a table. For ESPL_NET_READY. */
static inline espl_status augment_needs_pictures(espl_run *run)
{
    int64_t shape[3];

    espl_run_sample_shape(run, shape);
    if (shape[1] * shape[2] > 1)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "acts on pictures, but the data has samples of %lld numbers",
                         (long long)shape[0]);
}

#endif
