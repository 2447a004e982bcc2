/* A file that may be wrapped in gzip, or a member of a zip archive, read from the start without
 * trusting what it says about itself. */
#ifndef ESPL_PACKED_H
#define ESPL_PACKED_H

#include "base/base.h"

typedef struct espl__packed espl__packed;

/* A plain or a gzip file. */
espl_status espl__packed_open(espl_context *ctx, const char *path, espl__packed **result);
/* A member of a zip archive. */
espl_status espl__packed_open_member(espl_context *ctx, const char *archive, const char *name,
                                     espl__packed **result);
/* Is there a member of that name? false also for what is no archive. */
bool espl__packed_has_member(const char *archive, const char *name);

/* The shortest name of a member that is `ending` or ends with "/" and it ("archive/data.pkl"); false if
 * there is none, or none that fits into `name`. */
bool espl__packed_find_member(const char *archive, const char *ending, char *name, size_t bytes);

/* What messages call it: the path, or "archive.npz: member". */
const char *espl__packed_name(const espl__packed *packed);
/* Up to `bytes` more; fewer only at the end. Damaged data fails. */
espl_status espl__packed_read(espl__packed *packed, void *data, size_t bytes, size_t *got);
/* Fails if `bytes` more are more than the file can hold, however well it is packed. To be asked
 * before memory is allocated for a promise of the header's; `what` names the promise in messages.
 */
espl_status espl__packed_expect(espl__packed *packed, size_t bytes, const char *what);
/* Exactly `bytes` more, into memory that grows with what really comes. */
espl_status espl__packed_take(espl__packed *packed, size_t bytes, const char *what, uint8_t **data);
/* Everything up to the end with a zero byte behind it; fails above `limit` bytes. */
espl_status espl__packed_take_all(espl__packed *packed, size_t limit, char **data, size_t *bytes);
/* Fails if there is anything left. */
espl_status espl__packed_expect_end(espl__packed *packed);
void espl__packed_free(espl__packed *packed);

/* ---- for packed.c and packed_zip.c ---- */

typedef struct espl__packing {
    /* Bytes read, 0 at the end, or -1 with a reason. */
    int64_t (*read)(void *inner, void *data, size_t bytes, const char **reason);
    void (*close)(void *inner);
} espl__packing;

/* `most`: bytes that can come out of it. Takes `inner` over, also after a failure. */
espl_status espl__packed_wrap(espl_context *ctx, const char *name, size_t on_disk, size_t most,
                              const espl__packing *packing, void *inner, espl__packed **result);

#define ESPL__MOST_EXPANSION 1040 /* deflate makes at most 1032 bytes of one */

#endif
