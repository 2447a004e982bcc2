/* Opening safetensors files and reading tensors from them. */
#include "formats/safetensors_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian and are read and written without turning bytes around"
#endif

/* More than a hundred thousand tensors. Parsed JSON takes a multiple of its text in memory. */
#define LARGEST_HEADER ((uint64_t)16 << 20)
/* Values are converted a piece at a time. */
#define PIECE 4096

/* ---- bytes ---- */

static espl_status read_bytes(espl__safetensors *file, uint64_t place, void *bytes, uint64_t count)
{
    char *to = bytes;

    while (count) {
        const ssize_t got = pread(file->descriptor, to, count > SSIZE_MAX / 2 ? SSIZE_MAX / 2 : (size_t)count,
                                  (off_t)place);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: cannot be read at byte %" PRIu64 ": %s", file->path,
                              place, strerror(errno));
        if (got == 0)
            return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: ended at byte %" PRIu64 " while it was read",
                              file->path, place);
        to += got;
        place += (uint64_t)got;
        count -= (uint64_t)got;
    }
    return ESPL_OK;
}

/* ---- opening ---- */

static espl_status examine(espl__safetensors *file)
{
    struct stat about;

    if (file->descriptor < 0 || fstat(file->descriptor, &about))
        return espl__fail(file->ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", file->path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: is %s; a safetensors file was expected", file->path,
                          S_ISDIR(about.st_mode) ? "a folder" : "no ordinary file");
    file->bytes = (uint64_t)about.st_size;
    return ESPL_OK;
}

static espl_status read_prefix(espl__safetensors *file)
{
    unsigned char bytes[ESPL__SAFETENSORS_PREFIX];

    if (file->bytes < sizeof bytes)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: has %" PRIu64 " bytes, too few for a safetensors file", file->path, file->bytes);
    const espl_status s = read_bytes(file, 0, bytes, sizeof bytes);
    if (s)
        return s;
    for (int i = 0; i < ESPL__SAFETENSORS_PREFIX; i++)
        file->header |= (uint64_t)bytes[i] << (8 * i);
    if (file->header > file->bytes - sizeof bytes)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: byte 0: the header claims %" PRIu64 " bytes, but the file has %" PRIu64
                          "; it is cut off or no safetensors file",
                          file->path, file->header, file->bytes);
    if (file->header > LARGEST_HEADER)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: byte 0: the header claims %" PRIu64 " bytes; at most %" PRIu64 " are read",
                          file->path, file->header, LARGEST_HEADER);
    return ESPL_OK;
}

static espl_status read_header(espl__safetensors *file)
{
    char *header = NULL;
    espl_status s;

    if ((s = examine(file)) || (s = read_prefix(file)) ||
        (s = espl__allocate(file->ctx, (size_t)file->header + 1, 1, &header)))
        return s;
    if (!(s = read_bytes(file, ESPL__SAFETENSORS_PREFIX, header, file->header)))
        s = espl__safetensors_parse(file, header);
    espl__release(file->ctx, header);
    return s;
}

espl_status espl__safetensors_open_at(espl_context *ctx, int descriptor, const char *path, espl__safetensors **result)
{
    espl__safetensors *file = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *file, &file);

    *result = NULL;
    if (s) {
        if (descriptor >= 0)
            close(descriptor);
        return s;
    }
    file->ctx = ctx;
    file->descriptor = descriptor;
    if ((s = espl__copy_text(ctx, path, &file->path)) || (s = read_header(file))) {
        espl__safetensors_free(file);
        return s;
    }
    *result = file;
    return ESPL_OK;
}

espl_status espl__safetensors_open(espl_context *ctx, const char *path, espl__safetensors **result)
{
    /* a pipe without a writer would block for ever; it is refused when it is examined */
    return espl__safetensors_open_at(ctx, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, result);
}

void espl__safetensors_free(espl__safetensors *file)
{
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    json_decref(file->root);
    espl__release(file->ctx, file->tensors);
    espl__release(file->ctx, file->by_name);
    espl__release(file->ctx, file->path);
    espl__release(file->ctx, file);
}

/* ---- asking ---- */

int espl__safetensors_count(const espl__safetensors *file)
{
    return file->count;
}

const espl__stored *espl__safetensors_at(const espl__safetensors *file, int index)
{
    return index >= 0 && index < file->count ? &file->tensors[index] : NULL;
}

const espl__stored *espl__safetensors_find(const espl__safetensors *file, const char *name)
{
    int low = 0, high = file->count;

    while (low < high) {
        const int middle = low + (high - low) / 2;
        const espl__stored *tensor = &file->tensors[file->by_name[middle]];
        const int order = strcmp(name, tensor->name);
        if (order == 0)
            return tensor;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *espl__safetensors_note(const espl__safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->notes, key));
}

const char *espl__safetensors_path(const espl__safetensors *file)
{
    return file->path;
}

/* ---- values ---- */

espl_status espl__safetensors_read(espl__safetensors *file, const espl__stored *tensor, float *values)
{
    const size_t size = espl__dtype_size(tensor->dtype);
    char piece[PIECE * sizeof(double)];

    if (tensor->dtype == ESPL__F32)
        return read_bytes(file, tensor->begin, values, tensor->bytes);
    for (int64_t done = 0; done < tensor->count; done += PIECE) {
        const int64_t count = tensor->count - done < PIECE ? tensor->count - done : PIECE;
        const espl_status s = read_bytes(file, tensor->begin + (uint64_t)done * size, piece,
                                         (uint64_t)count * size);
        if (s)
            return s;
        espl__dtype_convert(tensor->dtype, piece, count, values + done);
    }
    return ESPL_OK;
}

espl_status espl__safetensors_read_raw(espl__safetensors *file, const espl__stored *tensor, void *bytes)
{
    return read_bytes(file, tensor->begin, bytes, tensor->bytes);
}
