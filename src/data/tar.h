/* Reading tar archives: ustar, with GNU and pax long names. Only finds out what is in them and
 * where; the contents are then read from the place. */
#ifndef ESPL_TAR_H
#define ESPL_TAR_H

#include "base/base.h"

typedef struct espl__tar_entry {
    const char *path;      /* as the archive has it, valid during the call */
    int64_t offset, bytes; /* of the content within the archive */
    bool folder;           /* otherwise a regular file */
} espl__tar_entry;

/* Calls `each` for every folder and regular file in order; links and devices are passed over. Stops
 * at the first failure. */
espl_status espl__tar_walk(espl_context *ctx, const char *path,
                           espl_status (*each)(void *user, const espl__tar_entry *entry),
                           void *user);

/* Do the first 512 bytes look like a tar header? */
bool espl__tar_magic(const uint8_t *block, size_t bytes);

#endif
