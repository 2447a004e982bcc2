/* Reading files that may be wrapped in gzip, by zlib, which reads plain ones as well. */
#include "data/packed.h"
#include "data/paths.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#define FIRST_PIECE ((size_t)1 << 20)
#define LARGEST_READ ((size_t)1 << 30) /* gzread counts in unsigned */

struct espl__packed {
    espl_context *ctx;
    char *name;
    const espl__packing *packing;
    void *inner;
    size_t on_disk, most, taken;
};

/* ---- gzip and plain ---- */

static int64_t read_gzip(void *inner, void *data, size_t bytes, const char **reason)
{
    const gzFile file = inner;
    const int count = gzread(file, data, (unsigned)(bytes < LARGEST_READ ? bytes : LARGEST_READ));
    int code = 0;

    *reason = gzerror(file, &code);
    if (code == Z_ERRNO)
        *reason = strerror(errno);
    return count < 0 || code == Z_BUF_ERROR
               ? -1
               : count; /* the latter: the end came within the packed data */
}

static void close_gzip(void *inner)
{
    gzclose(inner);
}

static const espl__packing gzip = { read_gzip, close_gzip };

espl_status espl__packed_open(espl_context *ctx, const char *path, espl__packed **result)
{
    const int64_t bytes = espl__path_bytes(path);

    *result = NULL;
    if (bytes < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: there is no such file", path);
    const gzFile file = gzopen(path, "rb");
    if (!file)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    gzbuffer(file, 1 << 17);
    const size_t on_disk = (size_t)bytes;
    size_t most = on_disk;
    if (!gzdirect(file) && !espl__multiply(on_disk, ESPL__MOST_EXPANSION, &most))
        most = SIZE_MAX;
    return espl__packed_wrap(ctx, path, on_disk, most, &gzip, file, result);
}

/* ---- any packing ---- */

espl_status espl__packed_wrap(espl_context *ctx, const char *name, size_t on_disk, size_t most,
                              const espl__packing *packing, void *inner, espl__packed **result)
{
    espl__packed *packed = NULL;
    espl_status status = espl__allocate(ctx, 1, sizeof *packed, &packed);

    *result = NULL;
    if (status) {
        packing->close(inner);
        return status;
    }
    *packed = (espl__packed){
        .ctx = ctx, .packing = packing, .inner = inner, .on_disk = on_disk, .most = most
    };
    status = espl__copy_text(ctx, name, &packed->name);
    if (status)
        espl__packed_free(packed);
    else
        *result = packed;
    return status;
}

const char *espl__packed_name(const espl__packed *packed)
{
    return packed->name;
}

espl_status espl__packed_read(espl__packed *packed, void *data, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        const char *reason = "";
        const int64_t count = packed->packing->read(packed->inner, (char *)data + *got,
                                                    bytes - *got, &reason);
        if (count < 0)
            return espl__fail(packed->ctx, ESPL_BAD_FILE,
                              "%s: the compressed data is damaged or cut off after %zu bytes (%s)",
                              packed->name, packed->taken, reason);
        if (!count)
            break;
        *got += (size_t)count;
        packed->taken += (size_t)count;
    }
    return ESPL_OK;
}

espl_status espl__packed_expect(espl__packed *packed, size_t bytes, const char *what)
{
    if (packed->taken <= packed->most && bytes <= packed->most - packed->taken) {
        if (bytes <= espl__memory_limit(packed->ctx))
            return ESPL_OK;
        return espl__fail(packed->ctx, ESPL_NO_MEMORY,
                          "%s: %s: needs %zu bytes, more than the %zu that may be used",
                          packed->name, what, bytes, espl__memory_limit(packed->ctx));
    }
    return espl__fail(packed->ctx, ESPL_BAD_FILE,
                      "%s: %s: the header promises %zu bytes, more than a file of %zu bytes can "
                      "hold; it was cut off or is not what it says",
                      packed->name, what, bytes, packed->on_disk);
}

/* Where nothing is packed, the size of the file is the truth; otherwise only what comes is. */
espl_status espl__packed_take(espl__packed *packed, size_t bytes, const char *what, uint8_t **data)
{
    size_t have = 0,
           capacity = packed->most == packed->on_disk || bytes < FIRST_PIECE ? bytes : FIRST_PIECE;
    espl_status status = espl__packed_expect(packed, bytes, what);

    *data = NULL;
    if (!status)
        status = espl__allocate(packed->ctx, capacity, 1, data);
    while (!status && have < bytes) {
        size_t got = 0;
        if (have == capacity) {
            const size_t larger = capacity < bytes / 2 ? capacity * 2 : bytes;
            status = espl__resize(packed->ctx, have, larger, 1, data);
            capacity = status ? capacity : larger;
        }
        if (!status)
            status = espl__packed_read(packed, *data + have, capacity - have, &got);
        have += got;
        if (!status && have < capacity)
            status = espl__fail(packed->ctx, ESPL_BAD_FILE,
                                "%s: %s: the header promises %zu bytes, the file has only %zu; it "
                                "was cut off or is not what it says",
                                packed->name, what, bytes, have);
    }
    if (status) {
        espl__release(packed->ctx, *data);
        *data = NULL;
    }
    return status;
}

espl_status espl__packed_take_all(espl__packed *packed, size_t limit, char **data, size_t *bytes)
{
    size_t capacity = (packed->on_disk < limit ? packed->on_disk : limit) + 2, got = 0;
    espl_status status = espl__allocate(packed->ctx, capacity, 1, data);

    *bytes = 0;
    while (!status) {
        status = espl__packed_read(packed, *data + *bytes, capacity - 1 - *bytes, &got);
        *bytes += got;
        if (status || *bytes < capacity - 1)
            break;
        if (*bytes > limit)
            status = espl__fail(packed->ctx, ESPL_BAD_FILE,
                                "%s: holds more than the %zu bytes that are accepted here",
                                packed->name, limit);
        else
            status = espl__resize(packed->ctx, *bytes, capacity * 2, 1, data);
        capacity *= 2;
    }
    if (status) {
        espl__release(packed->ctx, *data);
        *data = NULL;
    }
    return status;
}

espl_status espl__packed_expect_end(espl__packed *packed)
{
    char more = 0;
    size_t got = 0;
    const espl_status status = espl__packed_read(packed, &more, 1, &got);

    if (!status && got)
        return espl__fail(packed->ctx, ESPL_BAD_FILE,
                          "%s: goes on after the %zu bytes that its header promises", packed->name,
                          packed->taken - 1);
    return status;
}

void espl__packed_free(espl__packed *packed)
{
    if (!packed)
        return;
    packed->packing->close(packed->inner);
    espl__release(packed->ctx, packed->name);
    espl__release(packed->ctx, packed);
}
