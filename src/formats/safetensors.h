/* Safetensors files: named tensors and a map of texts ("notes") in one file that any safetensors
 * reader can open. Nets and checkpoints are kept in it.
 *
 * The file: 8 bytes with the length of the header (little-endian), the header in JSON, then the
 * values of all tensors without holes. The notes are the header's "__metadata__". */
#ifndef ESPL_SAFETENSORS_H
#define ESPL_SAFETENSORS_H

#include "base/base.h"

typedef enum espl__dtype {
    ESPL__F32, /* zero: what tensors mostly are */
    ESPL__F64,
    ESPL__F16,
    ESPL__BF16,
    ESPL__I64,
    ESPL__I32,
    ESPL__I16,
    ESPL__I8,
    ESPL__U64,
    ESPL__U32,
    ESPL__U16,
    ESPL__U8,
    ESPL__BOOL,
    ESPL__DTYPE_COUNT
} espl__dtype;

const char *espl__dtype_name(espl__dtype dtype); /* "BF16" */
size_t espl__dtype_size(espl__dtype dtype);      /* bytes of one value */

/* `count` values from where they lie, aligned or not. */
void espl__dtype_convert(espl__dtype dtype, const void *values, int64_t count, float *to);

#define ESPL__STORED_RANK_MAX 8

/* One tensor of an open file. */
typedef struct espl__stored {
    const char *name;
    espl__dtype dtype;
    int rank; /* 0: a single value */
    int64_t dim[ESPL__STORED_RANK_MAX];
    int64_t count;  /* of values */
    uint64_t begin; /* in the file */
    uint64_t bytes;
} espl__stored;

typedef struct espl__safetensors espl__safetensors;

/* Opens a file and reads and checks its header; values are read when asked for. ESPL_NO_FILE, or
 * ESPL_BAD_FILE naming the file, the place and the reason. */
espl_status espl__safetensors_open(espl_context *ctx, const char *path, espl__safetensors **result);
/* The same with an open file, which is called `path` in messages; it is taken over, also after a failure. */
espl_status espl__safetensors_open_at(espl_context *ctx, int descriptor, const char *path,
                                      espl__safetensors **result);
void espl__safetensors_free(espl__safetensors *file); /* takes NULL */

/* Borrowed until the file is freed. `at` goes in the order in which the values lie in the file. */
int espl__safetensors_count(const espl__safetensors *file);
const espl__stored *espl__safetensors_at(const espl__safetensors *file, int index);
const espl__stored *espl__safetensors_find(const espl__safetensors *file, const char *name); /* or NULL */
const char *espl__safetensors_note(const espl__safetensors *file, const char *key);          /* or NULL */
const char *espl__safetensors_path(const espl__safetensors *file);

/* Reads `tensor->count` values, converted to float from whatever they are stored as. */
espl_status espl__safetensors_read(espl__safetensors *file, const espl__stored *tensor, float *values);
/* Reads `tensor->bytes` bytes as they are stored (little-endian). */
espl_status espl__safetensors_read_raw(espl__safetensors *file, const espl__stored *tensor, void *bytes);

/* ---- writing ---- */

/* A tensor to be written; everything is borrowed for the call. */
typedef struct espl__to_store {
    const char *name;
    espl__dtype dtype;
    int rank;
    int64_t dim[ESPL__STORED_RANK_MAX];
    const void *values; /* contiguous */
} espl__to_store;

typedef struct espl__note {
    const char *key, *text; /* UTF-8 */
} espl__note;

/* Writes a whole file: under a temporary name, brought to the disk, renamed; after any failure the old
 * file is untouched. The values are written from where they are, without a second copy in memory. */
espl_status espl__safetensors_write(espl_context *ctx, const char *path, const espl__to_store *tensors,
                                    int count, const espl__note *notes, int note_count);

#endif
