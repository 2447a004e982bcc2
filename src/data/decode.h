/* Decoders of pictures, one library each, behind two functions each: what is it, and give me its
 * pixels. */
#ifndef ESPL_DECODE_H
#define ESPL_DECODE_H

#include "data/reading.h"

#define ESPL__LARGEST_PICTURE \
    ((int64_t)1 << 27) /* pixels; more is refused before memory is asked for */

typedef struct espl__decoded {
    uint8_t *pixels; /* height x width x channels, in ESPL__READING_PIXELS */
    int64_t channels, height, width;
} espl__decoded;

/* Channels (1 or 3) and size from the first bytes; pixels stays NULL. Failures name no file yet. */
espl_status espl__measure_jpeg(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading);
espl_status espl__measure_png(const uint8_t *data, size_t bytes, espl__decoded *picture,
                              espl__reading *reading);
espl_status espl__measure_webp(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading);

/* Pixels, for a picture that was measured. `channels` is what is wanted; a decoder may give others
 * if that is easier. `shrink` (1, 2, 4, 8) allows a JPEG to be decoded at that fraction of its
 * size. */
espl_status espl__decode_jpeg(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading);
espl_status espl__decode_png(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                             espl__decoded *picture, espl__reading *reading);
espl_status espl__decode_webp(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading);

/* Ends what decode_jpeg keeps from picture to picture. */
void espl__decode_jpeg_end(void **kept);

#endif
