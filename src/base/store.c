/* Arrays in memory or in a mapped file; see store.h. */
#include "base/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char magic[16] = "espalier store 1";

/* What the file begins with. A page long, so that the values behind it are aligned. */
typedef struct head {
    char magic[sizeof magic];
    uint64_t key, bytes, finished;
    char fill[4096 - sizeof magic - 3 * sizeof(uint64_t)];
} head;

static espl_status refuse(espl_context *ctx, const char *path, const char *what, int error)
{
    return espl__fail(ctx, ESPL_WRITE_FAILED, "%s: %s: %s", path, what, strerror(error));
}

static bool is_found(int file, uint64_t key, size_t bytes)
{
    head h;
    const off_t end = lseek(file, 0, SEEK_END);

    return end == (off_t)(sizeof h + bytes) && pread(file, &h, sizeof h, 0) == (ssize_t)sizeof h &&
           memcmp(h.magic, magic, sizeof magic) == 0 && h.key == key && h.bytes == bytes && h.finished == 1;
}

/* An empty file of the right size, with room on the disk for all of it. */
static espl_status lay_out(espl_context *ctx, const espl__store *store, int file, uint64_t key)
{
    head h = { .key = key, .bytes = store->bytes };
    int error;

    memcpy(h.magic, magic, sizeof magic);
    if (ftruncate(file, 0) || pwrite(file, &h, sizeof h, 0) != (ssize_t)sizeof h)
        return refuse(ctx, store->path, "cannot be written", errno);
    if ((error = posix_fallocate(file, 0, (off_t)(sizeof h + store->bytes))))
        return refuse(ctx, store->path, "has no room", error);
    return ESPL_OK;
}

static espl_status open_file(espl_context *ctx, bool find, uint64_t key, espl__store *store)
{
    const int file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    espl_status s = ESPL_OK;

    if (file < 0)
        return refuse(ctx, store->path, "cannot be made", errno);
    store->whole = find && is_found(file, key, store->bytes);
    if (!store->whole)
        s = lay_out(ctx, store, file, key);
    if (!s) {
        void *all = mmap(NULL, sizeof(head) + store->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (all == MAP_FAILED)
            s = refuse(ctx, store->path, "cannot be mapped", errno);
        else
            store->mapped = all;
    }
    close(file);
    if (store->mapped)
        store->values = (char *)store->mapped + sizeof(head);
    return s;
}

espl_status espl__store_open(espl_context *ctx, const char *path, bool find, uint64_t key, size_t bytes,
                             espl__store *store)
{
    espl_status s;

    *store = (espl__store){ .bytes = bytes };
    if (!path)
        return espl__allocate(ctx, bytes, 1, &store->values);
    if (bytes > SIZE_MAX / 2)
        return espl__fail(ctx, ESPL_NO_MEMORY, "%s: no file holds %zu bytes", path, bytes);
    if (!(s = espl__copy_text(ctx, path, &store->path)))
        s = open_file(ctx, find, key, store);
    if (s)
        espl__store_free(ctx, store, false);
    return s;
}

bool espl__store_find(const char *path, uint64_t key, size_t bytes, espl__store *store)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    void *all = MAP_FAILED;

    *store = (espl__store){ .bytes = bytes };
    if (file < 0)
        return false;
    if (is_found(file, key, bytes))
        all = mmap(NULL, sizeof(head) + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    close(file);
    if (all == MAP_FAILED)
        return false;
    store->mapped = all;
    store->values = (char *)all + sizeof(head);
    store->whole = true;
    return true;
}

espl_status espl__store_write(espl_context *ctx, const char *path, uint64_t key, const void *values, size_t bytes)
{
    head h = { .key = key, .bytes = bytes, .finished = 1 };
    const espl__piece pieces[] = { { &h, sizeof h }, { values, bytes } };

    memcpy(h.magic, magic, sizeof magic);
    return espl__file_replace_pieces(ctx, path, pieces, ESPL__COUNT(pieces));
}

espl_status espl__store_finish(espl_context *ctx, espl__store *store)
{
    head *h = store->mapped;

    store->whole = true;
    if (!h)
        return ESPL_OK;
    if (msync(h, sizeof *h + store->bytes, MS_SYNC))
        return refuse(ctx, store->path, "cannot be written", errno);
    h->finished = 1;
    return ESPL_OK;
}

void espl__store_free(espl_context *ctx, espl__store *store, bool keep)
{
    if (store->mapped)
        munmap(store->mapped, sizeof(head) + store->bytes);
    else
        espl__release(ctx, store->values);
    if (store->path && !keep)
        unlink(store->path);
    espl__release(ctx, store->path);
    *store = (espl__store){ 0 };
}
