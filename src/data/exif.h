/* How a camera was held: the orientation that EXIF data of a JPEG, PNG or WebP file tells. */
#ifndef ESPL_EXIF_H
#define ESPL_EXIF_H

#include "base/base.h"

/* 1 (upright) .. 8; 1 also when nothing is said or what is said makes no sense. Never reads
 * outside. */
int espl__exif_of_jpeg(const uint8_t *data, size_t bytes);
int espl__exif_of_png(const uint8_t *data, size_t bytes);
int espl__exif_of_webp(const uint8_t *data, size_t bytes);

/* Turns a picture upright: height and width are those of the result for 1..4, exchanged for 5..8.
 */
void espl__exif_turn(int orientation, const uint8_t *pixels, int64_t channels, int64_t height,
                     int64_t width, uint8_t *result);

#endif
