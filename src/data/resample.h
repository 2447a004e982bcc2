/* Resizing as the pre-trained nets saw it: the triangle filter of Pillow's BILINEAR, which widens
 * when a picture shrinks, and the plain two-point rule of tf.image.resize. */
#ifndef ESPL_RESAMPLE_H
#define ESPL_RESAMPLE_H

#include "data/reading.h"

/* A window of a resized picture: what would be at top..top+height, left..left+width if the whole
 * were brought to whole_height x whole_width. */
typedef struct espl__window {
    int64_t whole_height, whole_width;
    int64_t top, left, height, width;
} espl__window;

/* Bytes with interleaved channels to planes of floats with whole values: horizontally, then
 * vertically, each rounded to a byte, with weights of 22 bits - bit for bit what Pillow computes
 * for 8-bit pictures. */
espl_status espl__resize_pixels(const uint8_t *pixels, int64_t channels, int64_t height,
                                int64_t width, espl__window window, float *planes,
                                espl__reading *reading);

/* One plane of floats, whose rows lie `stride` apart. Without antialiasing two points make each
 * value. */
espl_status espl__resize_plane(const float *plane, int64_t stride, int64_t height, int64_t width,
                               espl__window window, bool antialias, float *result,
                               espl__reading *reading);

/* The same with memory of the caller's own: espl__resize_plane_bytes of it. */
size_t espl__resize_plane_bytes(int64_t height, int64_t width, espl__window window, bool antialias);
void espl__resize_plane_in(void *memory, const float *plane, int64_t stride, int64_t height,
                           int64_t width, espl__window window, bool antialias, float *result);

#endif
