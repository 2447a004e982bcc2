/* Members of zip archives, by libzip: what .npz files are. */
#include "data/packed.h"
#include "data/paths.h"

#include <stdio.h>
#include <string.h>

#ifdef ESPL__HAVE_LIBZIP
#include <zip.h>

/* An open member with its archive, on the heap of the library's own allocator. */
typedef struct member {
    espl_context *ctx;
    zip_t *archive;
    zip_file_t *file;
} member;

static int64_t read_member(void *inner, void *data, size_t bytes, const char **reason)
{
    const member *m = inner;
    const zip_int64_t count = zip_fread(m->file, data, bytes);

    *reason = zip_file_strerror(m->file);
    return count < 0 ? -1 : (int64_t)count;
}

static void close_member(void *inner)
{
    member *m = inner;

    if (m->file)
        zip_fclose(m->file);
    if (m->archive)
        zip_discard(m->archive);
    espl__release(m->ctx, m);
}

static const espl__packing zip_member = { read_member, close_member };

static espl_status open_member(member *m, const char *path, const char *name)
{
    int code = 0;

    m->archive = zip_open(path, ZIP_RDONLY, &code);
    if (!m->archive) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const espl_status status = espl__fail(m->ctx,
                                              code == ZIP_ER_MEMORY ? ESPL_NO_MEMORY
                                                                    : ESPL_BAD_FILE,
                                              "%s: is not a zip archive that can be read (%s)",
                                              path, zip_error_strerror(&error));
        zip_error_fini(&error);
        return status;
    }
    m->file = zip_fopen(m->archive, name, 0);
    if (!m->file)
        return espl__fail(m->ctx, ESPL_BAD_FILE, "%s: %s cannot be opened (%s)", path, name,
                          zip_strerror(m->archive));
    return ESPL_OK;
}

espl_status espl__packed_open_member(espl_context *ctx, const char *archive, const char *name,
                                     espl__packed **result)
{
    const int64_t bytes = espl__path_bytes(archive);
    char whole[4096];
    member *m = NULL;
    size_t most = SIZE_MAX;

    *result = NULL;
    if (bytes < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: there is no such file", archive);
    espl_status status = espl__allocate(ctx, 1, sizeof *m, &m);
    if (status)
        return status;
    m->ctx = ctx;
    status = open_member(m, archive, name);
    if (status) {
        close_member(m);
        return status;
    }
    snprintf(whole, sizeof whole, "%s: %s", archive, name);
    if (!espl__multiply((size_t)bytes, ESPL__MOST_EXPANSION, &most))
        most = SIZE_MAX;
    return espl__packed_wrap(ctx, whole, (size_t)bytes, most, &zip_member, m, result);
}

bool espl__packed_has_member(const char *archive, const char *name)
{
    zip_t *zip = zip_open(archive, ZIP_RDONLY, NULL);
    const bool found = zip && zip_name_locate(zip, name, 0) >= 0;

    if (zip)
        zip_discard(zip);
    return found;
}

static bool ends_with_part(const char *name, const char *ending)
{
    const size_t length = strlen(name), end = strlen(ending);

    return length >= end && espl__text_equal(name + length - end, ending) &&
           (length == end || name[length - end - 1] == '/');
}

bool espl__packed_find_member(const char *archive, const char *ending, char *name, size_t bytes)
{
    zip_t *zip = zip_open(archive, ZIP_RDONLY, NULL);
    const zip_int64_t count = zip ? zip_get_num_entries(zip, 0) : 0;
    size_t shortest = bytes;

    for (zip_int64_t i = 0; i < count; i++) {
        const char *each = zip_get_name(zip, (zip_uint64_t)i, 0);
        if (each && strlen(each) < shortest && ends_with_part(each, ending)) {
            shortest = strlen(each);
            memcpy(name, each, shortest + 1);
        }
    }
    if (zip)
        zip_discard(zip);
    return shortest < bytes;
}

#else

bool espl__packed_find_member(const char *archive, const char *ending, char *name, size_t bytes)
{
    (void)archive, (void)ending, (void)name, (void)bytes;
    return false;
}

espl_status espl__packed_open_member(espl_context *ctx, const char *archive, const char *name,
                                     espl__packed **result)
{
    (void)name;
    *result = NULL;
    return espl__fail(ctx, ESPL_UNSUPPORTED,
                      "%s: this build cannot read zip archives (libzip was missing)", archive);
}

bool espl__packed_has_member(const char *archive, const char *name)
{
    (void)archive, (void)name;
    return false;
}

#endif
