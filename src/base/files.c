/* Whole files: read into memory, and replaced so that a crash or a full disk leaves the old one. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_PIECE ((size_t)64 << 10)

/* ---- reading ---- */

static espl_status refuse_size(espl_context *ctx, const char *path, size_t limit)
{
    return espl__fail(ctx, ESPL_BAD_FILE, "%s: is larger than the %zu bytes that are accepted here", path, limit);
}

static espl_status open_to_read(espl_context *ctx, const char *path, int *file, struct stat *about)
{
    *file = open(path, O_RDONLY | O_CLOEXEC);
    if (*file < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(*file, about))
        return espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be examined: %s", path, strerror(errno));
    if (S_ISDIR(about->st_mode))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: is a folder; a file was expected", path);
    return ESPL_OK;
}

/* Reads up to the end. The size the system tells is only a first guess: pipes have none, and a file
 * may grow or shrink meanwhile. */
static espl_status read_all(espl_context *ctx, const char *path, int file, size_t guess, size_t limit,
                            char **data, size_t *bytes)
{
    size_t capacity = guess + 1, used = 0;
    espl_status status = espl__allocate(ctx, capacity, 1, data);

    while (!status) {
        const ssize_t got = read(file, *data + used, capacity - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return espl__fail(ctx, ESPL_BAD_FILE, "%s: cannot be read at byte %zu: %s", path, used,
                              strerror(errno));
        if (got == 0)
            break;
        used += (size_t)got;
        if (used > limit)
            return refuse_size(ctx, path, limit);
        if (used == capacity) {
            const size_t larger = capacity < limit / 2 ? capacity * 2 : limit + 1;
            status = espl__resize(ctx, used, larger, 1, data);
            capacity = larger;
        }
    }
    *bytes = used;
    return status;
}

espl_status espl__file_read(espl_context *ctx, const char *path, size_t limit, char **data, size_t *bytes)
{
    struct stat about;
    int file = -1;

    *data = NULL;
    *bytes = 0;
    if (limit > espl__memory_limit(ctx))
        limit = espl__memory_limit(ctx);
    if (limit > SIZE_MAX / 4)
        limit = SIZE_MAX / 4;
    espl_status status = open_to_read(ctx, path, &file, &about);
    if (!status) {
        const bool sized = S_ISREG(about.st_mode) && about.st_size > 0;
        if (sized && (uintmax_t)about.st_size > limit)
            status = refuse_size(ctx, path, limit);
        else /* one byte more than the size, so that the end shows without a larger buffer */
            status = read_all(ctx, path, file, sized ? (size_t)about.st_size + 1 : FIRST_PIECE, limit, data,
                              bytes);
    }
    if (file >= 0)
        close(file);
    if (!status) {
        (*data)[*bytes] = 0;
        return ESPL_OK;
    }
    espl__release(ctx, *data);
    *data = NULL;
    *bytes = 0;
    return status;
}

/* ---- replacing ---- */

static espl_status refuse_write(espl_context *ctx, const char *path, const char *what)
{
    return espl__fail(ctx, ESPL_WRITE_FAILED, "%s: cannot be written: %s: %s", path, what, strerror(errno));
}

static bool write_all(int file, const char *data, size_t bytes)
{
    while (bytes) {
        const ssize_t put = write(file, data, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        data += put;
        bytes -= (size_t)put;
    }
    return true;
}

static bool write_pieces(int file, const espl__piece *pieces, int count)
{
    for (int i = 0; i < count; i++)
        if (!write_all(file, pieces[i].data, pieces[i].bytes))
            return false;
    return true;
}

/* Devices and pipes ("/dev/stdout") are written to; renaming a file over them would destroy them. */
static espl_status write_through(espl_context *ctx, const char *path, const espl__piece *pieces, int count)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC);

    if (file < 0)
        return refuse_write(ctx, path, "opening");
    const bool good = write_pieces(file, pieces, count);
    const int reason = errno;
    if (close(file) == 0 && good)
        return ESPL_OK;
    errno = good ? errno : reason;
    return refuse_write(ctx, path, "writing");
}

/* Opens the temporary file, which always has the same name so that killed processes leave one at
 * most, and locks it so that two writers cannot mix. The one we open may be renamed away by its
 * writer before we hold the lock: then it is somebody's finished file, and we open again. */
static int open_temporary(const char *path)
{
    for (;;) {
        struct stat opened, named;
        const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file < 0)
            return -1;
        if (flock(file, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
            close(file);
            errno = EBUSY;
            return -1;
        }
        if (fstat(file, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev)
            return file;
        close(file);
    }
}

/* Puts the rename itself on the disk. Some file systems cannot; there is nothing to do about it. */
static void sync_folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    const char *folder = slash == path ? "/" : slash ? path
                                                     : ".";

    if (slash)
        *slash = 0;
    const int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        (void)!fsync(file);
        close(file);
    }
}

/* `mode` is that of the old file, or 0. */
static const char *fill_and_rename(int file, const char *temporary, const char *path,
                                   const espl__piece *pieces, int count, mode_t mode)
{
    if (ftruncate(file, 0))
        return "emptying the temporary file";
    if (!write_pieces(file, pieces, count))
        return "writing";
    if (mode)
        (void)!fchmod(file, mode & 07777);
    if (fsync(file))
        return "bringing it to the disk";
    if (rename(temporary, path))
        return "renaming";
    return NULL;
}

static espl_status replace(espl_context *ctx, const char *path, const espl__piece *pieces, int count, mode_t mode)
{
    espl__text temporary = { 0 };
    espl_status status = espl__text_add(ctx, &temporary, "%s.part", path);

    if (status)
        return status;
    const int file = open_temporary(temporary.data);
    if (file < 0) {
        status = errno == EBUSY
                     ? espl__fail(ctx, ESPL_WRITE_FAILED, "%s: another process is writing it just now", path)
                     : refuse_write(ctx, path, "opening a temporary file beside it");
    } else {
        const char *failed = fill_and_rename(file, temporary.data, path, pieces, count, mode);
        if (failed) {
            status = refuse_write(ctx, path, failed);
            unlink(temporary.data);
        } else {
            sync_folder_of(temporary.data);
        }
        close(file);
    }
    espl__text_free(ctx, &temporary);
    return status;
}

espl_status espl__file_replace_pieces(espl_context *ctx, const char *path, const espl__piece *pieces, int count)
{
    struct stat about;
    char *target = NULL;

    if (stat(path, &about)) {
        if (errno != ENOENT)
            return refuse_write(ctx, path, "looking for the old one");
        return replace(ctx, path, pieces, count, 0);
    }
    if (S_ISDIR(about.st_mode))
        return espl__fail(ctx, ESPL_WRITE_FAILED, "%s: is a folder; a file name was expected", path);
    if (!S_ISREG(about.st_mode))
        return write_through(ctx, path, pieces, count);
    target = realpath(path, NULL); /* a link stays a link: the file it points to is replaced */
    if (!target)
        return refuse_write(ctx, path, "following links");
    const espl_status status = replace(ctx, target, pieces, count, about.st_mode);
    free(target);
    return status;
}

espl_status espl__file_replace(espl_context *ctx, const char *path, const void *data, size_t bytes)
{
    return espl__file_replace_pieces(ctx, path, &(espl__piece){ data, bytes }, 1);
}
