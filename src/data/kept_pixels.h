/* Pictures of whole values, decoded and fitted, kept as bytes so that later epochs need not decode them again. */
#ifndef ESPL_KEPT_PIXELS_H
#define ESPL_KEPT_PIXELS_H

#include "base/base.h"

#include <stdatomic.h>

typedef struct espl__kept_pixels {
    uint8_t *pixels;       /* count x size */
    atomic_uchar *written; /* of each picture: nobody has, somebody is writing, it is there */
    int64_t count, size;   /* the first `count` pictures of `size` values; 0: none is kept */
} espl__kept_pixels;

/* Room for as many of `count` pictures of `size` values as `bytes` hold. None are kept where there is no memory. */
void espl__kept_pixels_make(espl_context *ctx, int64_t count, int64_t size, int64_t bytes, espl__kept_pixels *kept);
void espl__kept_pixels_free(espl_context *ctx, espl__kept_pixels *kept);
/* The values of a picture, if it was put; by several threads at once. */
bool espl__kept_pixels_get(const espl__kept_pixels *kept, int64_t index, float *values);
/* Keeps values that are whole and within 0..255. */
void espl__kept_pixels_put(const espl__kept_pixels *kept, int64_t index, const float *values);

#endif
