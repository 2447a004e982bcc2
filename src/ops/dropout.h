/* Attributes of dropout and the draw that every kernel of it must make. */
#ifndef ESPL_DROPOUT_H
#define ESPL_DROPOUT_H

#include "graph/op.h"

typedef struct espl__dropout {
    double rate;         /* q, the probability of being dropped */
    bool whole_channels; /* drop planes instead of single values */
} espl__dropout;

/* Words below this are dropped: a 24-bit uniform number below q. */
static inline uint32_t espl__dropout_bound(const espl__dropout *attributes)
{
    return (uint32_t)(attributes->rate * 0x1p24 + 0.5);
}

/* Is value `element` of the sample (in (channels, height, width) order, or the channel if whole
 * channels are dropped) kept? Word element % 4 at index element / 4 decides, so that four come with
 * one draw. */
static inline bool espl__dropout_keeps(espl__stream stream, uint32_t bound, int64_t epoch,
                                       int64_t sample, int64_t element)
{
    uint32_t words[4];

    espl__random_words(stream, (uint32_t)epoch, (uint64_t)sample, (uint32_t)(element / 4), words);
    return words[element % 4] >> 8 >= bound;
}

#endif
