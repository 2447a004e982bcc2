/* A file that may be wrapped in gzip, read from the start without trusting what it says about itself. */
#ifndef ESPL_PACKED_H
#define ESPL_PACKED_H

#include "base/base.h"

typedef struct espl__packed espl__packed;

espl_status espl__packed_open(espl_context *ctx, const char *path, espl__packed **result);
/* Up to `bytes` more; fewer only at the end of the file. Damaged gzip data fails. */
espl_status espl__packed_read(espl__packed *file, void *data, size_t bytes, size_t *got);
/* Exactly `bytes` more, into memory that grows with what really comes: a header that promises more than
 * the file can hold is refused before anything is allocated. `what` names the promise in messages. */
espl_status espl__packed_take(espl__packed *file, size_t bytes, const char *what, uint8_t **data);
/* Fails if there is anything left. */
espl_status espl__packed_expect_end(espl__packed *file);
void espl__packed_free(espl__packed *file);

#endif
