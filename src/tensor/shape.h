/* Shapes of one sample (the batch is never part of them) and how a shape lies in memory.
 *
 * Logical order is (channels, height, width) for pictures and (features) for vectors. Physically
 * channels are grouped in blocks of `block`: value (n, c, h, w) is found at
 *     ((n * channels/block + c/block) * height*width + h*width + w) * block + c%block
 * so block = 1 is NCHW, block = channels is NHWC, and 8 or 16 are the blocked layouts of the vector
 * units. `block` always divides the channels. */
#ifndef ESPL_SHAPE_H
#define ESPL_SHAPE_H

#include "base/base.h"

#define ESPL__RANK_MAX 4

typedef struct espl__shape {
    int rank; /* 1: (features); 3: (channels, height, width); 2 and 4 appear between reshapes */
    int64_t dim[ESPL__RANK_MAX];
} espl__shape;

espl__shape espl__shape_vector(int64_t features);
espl__shape espl__shape_planes(int64_t channels, int64_t height, int64_t width);
int64_t espl__shape_size(espl__shape shape);
bool espl__shape_equal(espl__shape a, espl__shape b);
/* dim[0], and the product of the others (1 for vectors) */
int64_t espl__shape_channels(espl__shape shape);
int64_t espl__shape_pixels(espl__shape shape);
/* "3x32x32"; `text` holds 96 bytes */
const char *espl__shape_text(espl__shape shape, char text[96]);
/* All dims >= 1 and the product below 2^40. */
bool espl__shape_valid(espl__shape shape);

/* Index of (channel, pixel) within one sample. */
static inline int64_t espl__place(int64_t channel, int64_t pixel, int64_t pixels, int64_t block)
{
    return ((channel / block) * pixels + pixel) * block + channel % block;
}

#endif
