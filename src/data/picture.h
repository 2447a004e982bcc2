/* One picture, whatever its format: by content, not by name. */
#ifndef ESPL_PICTURE_H
#define ESPL_PICTURE_H

#include "data/fitting.h"
#include "data/reading.h"

#define ESPL__MAGIC_BYTES 12

/* Do the first bytes look like a JPEG, PNG or WebP? */
bool espl__picture_magic(const uint8_t *data, size_t bytes);
/* "JPEG", "PNG", "WebP", by the first bytes; NULL: none of them. */
const char *espl__picture_format(const uint8_t *data, size_t bytes);
/* How the camera was held, as the file says: 1 (upright) to 8. */
int espl__picture_orientation(const uint8_t *data, size_t bytes);
/* Channels (1 or 3), height and width of the upright picture. `name` is put in front of messages.
 */
espl_status espl__picture_measure(const char *name, const uint8_t *data, size_t bytes,
                                  int64_t shape[3], espl__reading *reading);
/* Decodes, turns upright and fits; planes of 0..255 into `values`. The data may lie in
 * ESPL__READING_FILE. */
espl_status espl__picture_decode(const char *name, const uint8_t *data, size_t bytes,
                                 const espl__fitting *fitting, float *values,
                                 espl__reading *reading);

#endif
