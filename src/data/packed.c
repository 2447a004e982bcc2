/* Files that may be wrapped in gzip, by zlib, which reads plain ones as well. */
#include "data/packed.h"
#include "data/paths.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#define MOST_EXPANSION 1040 /* deflate makes at most 1032 bytes of one */
#define FIRST_PIECE ((size_t)1 << 20)
#define LARGEST_READ ((size_t)1 << 30) /* gzread counts in unsigned */

struct espl__packed {
    espl_context *ctx;
    char *path;
    gzFile file;
    size_t on_disk, taken;
};

espl_status espl__packed_open(espl_context *ctx, const char *path, espl__packed **result)
{
    const int64_t bytes = espl__path_bytes(path);
    espl__packed *p = NULL;

    *result = NULL;
    if (bytes < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: there is no such file", path);
    espl_status status = espl__allocate(ctx, 1, sizeof *p, &p);
    if (status)
        return status;
    p->ctx = ctx;
    p->on_disk = (size_t)bytes;
    status = espl__copy_text(ctx, path, &p->path);
    if (!status) {
        p->file = gzopen(path, "rb");
        if (!p->file)
            status = espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path, strerror(errno));
        else
            gzbuffer(p->file, 1 << 17);
    }
    if (status)
        espl__packed_free(p);
    else
        *result = p;
    return status;
}

static espl_status damaged(espl__packed *p)
{
    int code = 0;
    const char *reason = gzerror(p->file, &code);

    if (code == Z_ERRNO)
        reason = strerror(errno);
    return espl__fail(p->ctx, ESPL_BAD_FILE, "%s: the compressed data is damaged or cut off after %zu bytes (%s)",
                      p->path, p->taken, reason);
}

espl_status espl__packed_read(espl__packed *p, void *data, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        const size_t piece = bytes - *got < LARGEST_READ ? bytes - *got : LARGEST_READ;
        const int count = gzread(p->file, (char *)data + *got, (unsigned)piece);
        int code = 0;
        if (count < 0)
            return damaged(p);
        *got += (size_t)count;
        p->taken += (size_t)count;
        gzerror(p->file, &code);
        if (code == Z_BUF_ERROR) /* the end came in the middle of a compressed stream */
            return damaged(p);
        if ((size_t)count < piece)
            break;
    }
    return ESPL_OK;
}

static espl_status too_short(espl__packed *p, size_t wanted, const char *what)
{
    return espl__fail(p->ctx, ESPL_BAD_FILE,
                      "%s: %s: the header promises %zu bytes, the file has only %zu; it was cut off or is not what it says",
                      p->path, what, wanted, p->taken);
}

espl_status espl__packed_take(espl__packed *p, size_t bytes, const char *what, uint8_t **data)
{
    const bool plain = gzdirect(p->file) != 0;
    const size_t most = plain ? p->on_disk : p->on_disk > SIZE_MAX / MOST_EXPANSION ? SIZE_MAX
                                                                                    : p->on_disk * MOST_EXPANSION;
    size_t have = 0, capacity = plain || bytes < FIRST_PIECE ? bytes : FIRST_PIECE;

    *data = NULL;
    if (bytes > most || p->taken > most - bytes)
        return espl__fail(p->ctx, ESPL_BAD_FILE,
                          "%s: %s: the header promises %zu bytes, more than a file of %zu bytes can hold",
                          p->path, what, bytes, p->on_disk);
    espl_status status = espl__allocate(p->ctx, capacity, 1, data);
    while (!status && have < bytes) {
        size_t got = 0;
        if (have == capacity) {
            const size_t larger = capacity < bytes / 2 ? capacity * 2 : bytes;
            status = espl__resize(p->ctx, have, larger, 1, data);
            capacity = status ? capacity : larger;
        }
        if (!status)
            status = espl__packed_read(p, *data + have, capacity - have, &got);
        if (!status && got < capacity - have)
            status = too_short(p, bytes, what);
        have += got;
    }
    if (status) {
        espl__release(p->ctx, *data);
        *data = NULL;
    }
    return status;
}

espl_status espl__packed_expect_end(espl__packed *p)
{
    char more = 0;
    size_t got = 0;
    const espl_status status = espl__packed_read(p, &more, 1, &got);

    if (!status && got)
        return espl__fail(p->ctx, ESPL_BAD_FILE, "%s: goes on after the %zu bytes that its header promises", p->path,
                          p->taken - 1);
    return status;
}

void espl__packed_free(espl__packed *p)
{
    if (!p)
        return;
    if (p->file)
        gzclose(p->file);
    espl__release(p->ctx, p->path);
    espl__release(p->ctx, p);
}
