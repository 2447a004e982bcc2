/* A tar archive is a row of 512-byte headers, each followed by the content it announces, padded to
 * 512. Numbers are octal text; very large ones binary with the top bit set (GNU). A name of more
 * than 100 bytes is cut in two (ustar), or comes before as the content of an entry of its own (GNU
 * 'L', pax 'x').
 *
 * Nothing is believed: sums are checked, contents must lie within the file, names have a limit. */
#include "data/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512
#define LONGEST_NAME 4096
#define LARGEST_PAX ((int64_t)1 << 20)

/* Places in a header. */
enum { NAME = 0,
       SIZE = 124,
       SUM = 148,
       TYPE = 156,
       MAGIC = 257,
       PREFIX = 345 };

typedef struct archive {
    espl_context *ctx;
    const char *path;
    int file;
    int64_t bytes, at;
    char long_name[LONGEST_NAME]; /* for the next entry; "" for none */
    int64_t long_size;            /* from pax; -1 for none */
    char name[LONGEST_NAME];
} archive;

static espl_status bad(archive *a, const char *what)
{
    return espl__fail(a->ctx, ESPL_BAD_FILE, "%s: at byte %lld: %s", a->path, (long long)a->at,
                      what);
}

static espl_status read_at(archive *a, int64_t offset, void *data, size_t bytes)
{
    for (size_t have = 0; have < bytes;) {
        const ssize_t got = pread(a->file, (char *)data + have, bytes - have,
                                  (off_t)(offset + (int64_t)have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return espl__fail(a->ctx, ESPL_NO_FILE, "%s: cannot be read: %s", a->path,
                              strerror(errno));
        if (!got)
            return bad(a, "the archive is cut off here");
        have += (size_t)got;
    }
    return ESPL_OK;
}

/* -1 for what is no number or too large. */
static int64_t number_of(const uint8_t *field, int width)
{
    int64_t value = 0;
    int i = 0;

    if (field[0] == 0x80) { /* binary, most significant byte first */
        for (i = 1; i < width; i++) {
            if (value >> 54)
                return -1;
            value = value << 8 | field[i];
        }
        return value;
    }
    while (i < width && field[i] == ' ')
        i++;
    if (i == width || field[i] < '0' || field[i] > '7')
        return i < width && !field[i] ? 0 : -1;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (field[i] - '0'); /* at most 12 digits */
    return value;
}

/* The sum of all bytes, those of the sum itself counted as blanks. */
static bool sum_is_right(const uint8_t *block)
{
    int64_t sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM && i < SUM + 8 ? ' ' : block[i];
    return number_of(block + SUM, 8) == sum;
}

bool espl__tar_magic(const uint8_t *block, size_t bytes)
{
    return bytes >= BLOCK && block[0] && sum_is_right(block);
}

static bool is_zero(const uint8_t *block)
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

static size_t add_part(char *name, size_t length, const uint8_t *part, size_t most)
{
    const size_t bytes = strnlen((const char *)part, most);

    memcpy(name + length, part, bytes);
    return length + bytes;
}

static void take_name(archive *a, const uint8_t *block)
{
    size_t length = 0;

    if (*a->long_name) {
        memcpy(a->name, a->long_name, sizeof a->name);
        return;
    }
    if (!memcmp(block + MAGIC, "ustar\0", 6) && block[PREFIX]) {
        length = add_part(a->name, 0, block + PREFIX, 155);
        a->name[length++] = '/';
    }
    length = add_part(a->name, length, block + NAME, 100);
    a->name[length] = '\0';
}

/* The content of a GNU 'L' entry is the next one's name. */
static espl_status take_long_name(archive *a, int64_t bytes)
{
    if (bytes < 1 || bytes >= LONGEST_NAME)
        return bad(a, "the name of the next file is longer than 4095 bytes");
    const espl_status status = read_at(a, a->at + BLOCK, a->long_name, (size_t)bytes);
    a->long_name[bytes] = '\0';
    return status;
}

/* One "key=value" of a pax header. */
static espl_status take_pax_record(archive *a, const char *key, const char *end)
{
    const char *equals = memchr(key, '=', (size_t)(end - key));

    if (!equals)
        return bad(a, "a pax record has no '='");
    const size_t length = (size_t)(end - equals - 1);
    if (equals - key == 4 && !memcmp(key, "path", 4)) {
        if (length >= LONGEST_NAME)
            return bad(a, "the name of the next file is longer than 4095 bytes");
        memcpy(a->long_name, equals + 1, length);
        a->long_name[length] = '\0';
    }
    if (equals - key == 4 && !memcmp(key, "size", 4)) {
        a->long_size = 0;
        for (size_t i = 0; i < length; i++) {
            if (equals[1 + i] < '0' || equals[1 + i] > '9' || a->long_size >> 58)
                return bad(a, "a pax size is no number");
            a->long_size = a->long_size * 10 + (equals[1 + i] - '0');
        }
    }
    return ESPL_OK;
}

/* Records of a pax header: "length key=value\n", where the length counts the whole record. */
static espl_status take_pax(archive *a, int64_t bytes)
{
    char *data = NULL;
    espl_status status;

    if (bytes > LARGEST_PAX)
        return bad(a, "a pax header is larger than a megabyte");
    status = espl__allocate(a->ctx, (size_t)bytes + 1, 1, &data);
    if (!status)
        status = read_at(a, a->at + BLOCK, data, (size_t)bytes);
    for (int64_t at = 0; at < bytes && !status;) {
        int64_t length = 0, digits = at;
        while (digits < bytes && data[digits] >= '0' && data[digits] <= '9' && length <= bytes)
            length = length * 10 + (data[digits++] - '0');
        if (digits == at || digits >= bytes || data[digits] != ' ' || length > bytes - at ||
            at + length < digits + 2 || data[at + length - 1] != '\n')
            status = bad(a, "a pax record has a wrong length");
        else
            status = take_pax_record(a, data + digits + 1, data + at + length - 1);
        at += length;
    }
    espl__release(a->ctx, data);
    return status;
}

static espl_status tell(archive *a, const uint8_t *block, int64_t bytes,
                        espl_status (*each)(void *user, const espl__tar_entry *entry), void *user)
{
    const char type = (char)block[TYPE];
    espl__tar_entry entry = {
        .path = a->name, .offset = a->at + BLOCK, .bytes = bytes, .folder = type == '5'
    };
    espl_status status = ESPL_OK;

    take_name(a, block);
    const size_t length = strlen(a->name);
    if (length && a->name[length - 1] == '/')
        entry.folder = true; /* before ustar there was no type for folders */
    if (type == '0' || type == '\0' || type == '5' || type == '7')
        status = each(user, &entry);
    *a->long_name = '\0';
    a->long_size = -1;
    return status;
}

/* One header and what it announces; moves on behind it. */
static espl_status take_entry(archive *a, const uint8_t *block,
                              espl_status (*each)(void *user, const espl__tar_entry *entry),
                              void *user)
{
    const char type = (char)block[TYPE];
    const bool about_next = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    int64_t bytes = number_of(block + SIZE, 12);
    espl_status status = ESPL_OK;

    if (!sum_is_right(block))
        return bad(a, a->at
                          ? "the sum over this header is wrong; the archive is damaged"
                          : "this is not a tar archive (a compressed one must be unpacked first)");
    if (!about_next && a->long_size >= 0)
        bytes = a->long_size;
    if (bytes < 0 || bytes > a->bytes - a->at - BLOCK)
        return bad(
            a,
            "a file is announced that does not end within the archive; it is cut off or damaged");
    if (type == 'L')
        status = take_long_name(a, bytes);
    else if (type == 'x')
        status = take_pax(a, bytes);
    else if (!about_next)
        status = tell(a, block, bytes, each, user);
    a->at += BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK;
    return status;
}

static espl_status walk(archive *a, espl_status (*each)(void *user, const espl__tar_entry *entry),
                        void *user)
{
    uint8_t block[BLOCK];

    while (a->at < a->bytes) {
        espl_status status = read_at(a, a->at, block, sizeof block);
        if (status || is_zero(block)) /* what follows the first empty block does not count */
            return status;
        status = take_entry(a, block, each, user);
        if (status)
            return status;
    }
    return ESPL_OK;
}

espl_status espl__tar_walk(espl_context *ctx, const char *path,
                           espl_status (*each)(void *user, const espl__tar_entry *entry),
                           void *user)
{
    archive a = { .ctx = ctx, .path = path, .long_size = -1 };
    struct stat about;
    espl_status status = ESPL_OK;

    a.file = open(path, O_RDONLY | O_CLOEXEC);
    if (a.file < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(a.file, &about) || !S_ISREG(about.st_mode))
        status = espl__fail(ctx, ESPL_BAD_FILE, "%s: is not a regular file", path);
    a.bytes = status ? 0 : about.st_size;
    if (!status && a.bytes < BLOCK)
        status = espl__fail(ctx, ESPL_BAD_FILE, "%s: is too short for a tar archive", path);
    if (!status)
        status = walk(&a, each, user);
    close(a.file);
    return status;
}
