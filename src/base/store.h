/* A large array that is computed once and read often: in memory or, where that is too much, in a file that
 * the system brings in page by page. A file holds the key of what was computed and can be found again. */
#ifndef ESPL_STORE_H
#define ESPL_STORE_H

#include "base/base.h"

typedef struct espl__store {
    void *values; /* `bytes` of them */
    size_t bytes;
    bool whole; /* they were computed before */
    char *path; /* NULL: in memory */
    void *mapped;
} espl__store;

/* In the file `path`, or in memory if it is NULL. With `find`, a file of the same key and size that was finished is
 * taken as it is; another one is replaced. Fails with ESPL_NO_MEMORY or ESPL_WRITE_FAILED. */
espl_status espl__store_open(espl_context *ctx, const char *path, bool find, uint64_t key, size_t bytes,
                             espl__store *result);
/* A finished file of that key and size, mapped so that what is written to it stays in this process; false: there is none. */
bool espl__store_find(const char *path, uint64_t key, size_t bytes, espl__store *result);
/* Writes such a file whole, in place of one that is there. */
espl_status espl__store_write(espl_context *ctx, const char *path, uint64_t key, const void *values, size_t bytes);
/* All values are there: from now on the file can be found. */
espl_status espl__store_finish(espl_context *ctx, espl__store *store);
/* `keep`: the file stays. */
void espl__store_free(espl_context *ctx, espl__store *store, bool keep);

#endif
