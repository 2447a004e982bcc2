/* A thread's own message and memory while it reads samples. */
#include "data/reading.h"
#include "data/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_FILE ((size_t)1 << 30) /* a picture of more than a gigabyte is a mistake */

espl_status espl__reading_fail(espl__reading *reading, espl_status status, const char *format, ...)
{
    char message[sizeof reading->message]; /* an argument may be the old message */
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    memcpy(reading->message, message, sizeof message);
    return status;
}

espl_status espl__reading_fail_within(espl__reading *reading, espl_status status, const char *where)
{
    return espl__reading_fail(reading, status, "%.250s: %.250s", where, reading->message);
}

/* More than was asked for, so that samples of different size soon find room without growing it. */
static size_t rounded(espl__reading_use use, size_t bytes)
{
    size_t size = use == ESPL__READING_FILE ? (size_t)1 << 20 : (size_t)1 << 16;

    while (size < bytes && size < SIZE_MAX / 2)
        size *= 2;
    return size;
}

void *espl__reading_room(espl__reading *reading, espl__reading_use use, size_t bytes)
{
    if (bytes <= reading->block[use].bytes && reading->block[use].data)
        return reading->block[use].data;
    if (bytes > espl__memory_limit(reading->ctx)) {
        espl__reading_fail(reading, ESPL_NO_MEMORY,
                           "%zu bytes would be needed, more than the %zu that may be used", bytes,
                           espl__memory_limit(reading->ctx));
        return NULL;
    }
    espl__release(reading->ctx, reading->block[use].data);
    reading->block[use].bytes = 0;
    reading->block[use].data = espl__allocate_quietly(reading->ctx, rounded(use, bytes), 1);
    if (!reading->block[use].data) {
        espl__reading_fail(reading, ESPL_NO_MEMORY, "not enough memory for %zu bytes", bytes);
        return NULL;
    }
    reading->block[use].bytes = rounded(use, bytes);
    return reading->block[use].data;
}

static espl_status fill_from(espl__reading *reading, int file, const char *path, size_t bytes)
{
    char *data = reading->block[ESPL__READING_FILE].data;
    size_t have = 0;

    while (have < bytes) {
        const ssize_t got = read(file, data + have, bytes - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return espl__reading_fail(reading, ESPL_NO_FILE, "%s: cannot be read: %s", path,
                                      strerror(errno));
        if (!got)
            return espl__reading_fail(reading, ESPL_BAD_FILE,
                                      "%s: became shorter while it was read (%zu of %zu bytes)",
                                      path, have, bytes);
        have += (size_t)got;
    }
    return ESPL_OK;
}

espl_status espl__reading_file(espl__reading *reading, const char *path, size_t *bytes)
{
    struct stat about;
    /* not blocking, so that a pipe among the pictures cannot hold a loader thread forever */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    espl_status status = ESPL_OK;

    *bytes = 0;
    if (file < 0)
        return espl__reading_fail(reading, ESPL_NO_FILE, "%s: cannot be opened: %s", path,
                                  strerror(errno));
    if (fstat(file, &about) || !S_ISREG(about.st_mode))
        status = espl__reading_fail(reading, ESPL_BAD_FILE, "%s: is not a regular file", path);
    else if ((uint64_t)about.st_size > LARGEST_FILE)
        status = espl__reading_fail(reading, ESPL_BAD_FILE,
                                    "%s: has %lld bytes; a picture has at most %zu", path,
                                    (long long)about.st_size, LARGEST_FILE);
    else if (!espl__reading_room(reading, ESPL__READING_FILE, (size_t)about.st_size))
        status = espl__reading_fail_within(reading, ESPL_NO_MEMORY, path);
    else
        status = fill_from(reading, file, path, (size_t)about.st_size);
    close(file);
    if (!status)
        *bytes = (size_t)about.st_size;
    return status;
}

void espl__reading_end(espl__reading *reading)
{
    for (int use = 0; use < ESPL__READING_USES; use++) {
        espl__release(reading->ctx, reading->block[use].data);
        reading->block[use].data = NULL;
        reading->block[use].bytes = 0;
    }
    espl__decode_jpeg_end(&reading->jpeg);
}
