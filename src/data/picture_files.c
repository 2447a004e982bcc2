/* Finding and reading the picture files of a folder or a .tar; see picture_files.h. */
#include "data/picture_files.h"
#include "data/paths.h"
#include "data/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_FILE ((int64_t)1 << 30)

static const char *const endings[] = { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp" };

/* ---- reading ---- */

/* As many bytes of the archive as there are; fewer at its end, or after an error. */
static size_t read_archive(int file, int64_t offset, void *data, size_t bytes)
{
    size_t have = 0;

    while (have < bytes) {
        const ssize_t got = pread(file, (char *)data + have, bytes - have,
                                  (off_t)(offset + (int64_t)have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return have;
}

static espl_status read_entry(const espl__picture_files *p, const espl__listed *item,
                              espl__reading *reading, size_t *bytes)
{
    if (item->bytes > LARGEST_FILE)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "%.200s: %.200s has %lld bytes; a picture has at most %lld",
                                  p->listing.root, item->path, (long long)item->bytes,
                                  (long long)LARGEST_FILE);
    *bytes = (size_t)item->bytes;
    char *data = espl__reading_room(reading, ESPL__READING_FILE, *bytes);
    if (!data)
        return ESPL_NO_MEMORY;
    if (read_archive(p->file, item->offset, data, *bytes) < *bytes)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "%.200s: %.200s cannot be read whole; did the archive change?",
                                  p->listing.root, item->path);
    return ESPL_OK;
}

static void name_of(const espl__picture_files *p, const espl__listed *item,
                    char name[ESPL__LONGEST_PATH])
{
    const size_t root = strlen(p->listing.root);

    snprintf(name, ESPL__LONGEST_PATH, "%s%s%s", p->listing.root,
             root && p->listing.root[root - 1] == '/' ? "" : "/", item->path);
}

void espl__picture_files_name(const espl__picture_files *files, int64_t index,
                              char name[ESPL__LONGEST_PATH])
{
    name_of(files, &files->listing.item[index], name);
}

void espl__picture_files_label(const espl__picture_files *files, int64_t index,
                               char label[ESPL__LONGEST_PATH])
{
    snprintf(label, ESPL__LONGEST_PATH, "%s%s%s", files->paired ? espl__path_file(files->listing.root) : "",
             files->paired ? "/" : "", files->listing.item[index].path);
}

espl_status espl__picture_files_read(const espl__picture_files *files, int64_t index,
                                     espl__reading *reading, size_t *bytes)
{
    char name[ESPL__LONGEST_PATH];

    if (files->listing.tar)
        return read_entry(files, &files->listing.item[index], reading, bytes);
    espl__picture_files_name(files, index, name);
    return espl__reading_file(reading, name, bytes);
}

/* ---- which files are pictures ---- */

static size_t read_beginning(const espl__picture_files *p, const espl__listed *item,
                             uint8_t begin[ESPL__MAGIC_BYTES])
{
    char name[ESPL__LONGEST_PATH];
    const size_t most = ESPL__MAGIC_BYTES;

    if (p->listing.tar)
        return read_archive(p->file, item->offset, begin,
                            (size_t)item->bytes < most ? (size_t)item->bytes : most);
    name_of(p, item, name);
    const int file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t got = file < 0 ? 0 : read(file, begin, most);
    if (file >= 0)
        close(file);
    return got > 0 ? (size_t)got : 0;
}

/* A name that promises a picture is believed until it is read; any other file is one if it begins
 * like one. */
static bool is_picture(const espl__picture_files *p, const espl__listed *item)
{
    uint8_t begin[ESPL__MAGIC_BYTES];

    for (int i = 0; i < ESPL__COUNT(endings); i++)
        if (espl__path_ends(item->path, endings[i]))
            return true;
    return espl__picture_magic(begin, read_beginning(p, item, begin));
}

/* ---- classes ---- */

static espl_status add_class(espl__picture_files *p, const char *name, size_t length)
{
    espl_context *ctx = p->listing.ctx;
    const size_t larger = (size_t)(p->classes ? 2 * p->classes : 1);
    espl_status status = ESPL_OK;

    if ((p->classes & (p->classes - 1)) == 0) { /* full at each power of two */
        status = espl__resize(ctx, (size_t)p->classes, larger, sizeof *p->names, &p->names);
        if (!status)
            status = espl__resize(ctx, (size_t)p->classes, larger, sizeof *p->counts, &p->counts);
    }
    if (!status)
        status = espl__allocate(ctx, length + 1, 1, &p->names[p->classes]);
    if (status)
        return status;
    memcpy(p->names[p->classes], name, length);
    p->counts[p->classes++] = 0;
    return ESPL_OK;
}

/* Walks over the sorted list, notes each class when its folder begins, and keeps the pictures. */
static espl_status sort_out(espl__picture_files *p)
{
    espl__listing *l = &p->listing;
    int64_t kept = 0;
    espl_status status = espl__allocate(l->ctx, (size_t)l->count + 1, sizeof *p->class, &p->class);

    for (int64_t i = 0; i < l->count && !status; i++) {
        const char *path = l->item[i].path + p->where.prefix;
        const size_t part = espl__class_folders_part(path);
        if ((path[part] || l->item[i].folder) &&
            !(p->classes && espl__class_folders_part_is(path, p->names[p->classes - 1])))
            status = add_class(p, path, part);
        if (status || l->item[i].folder)
            continue;
        if (path[part] && is_picture(p, &l->item[i])) {
            p->class[kept] = p->classes - 1;
            p->counts[p->classes - 1]++;
            l->item[kept++] = l->item[i];
        } else if (p->others++ == 0) {
            p->first_other = l->item[i].path;
        }
    }
    l->count = kept;
    return status;
}

/* ---- opening ---- */

espl_status espl__picture_files_open(espl_context *ctx, const char *path, bool test,
                                     espl__picture_files *files)
{
    char archive[4096];
    const char *root = espl__class_folders_archive(path, test, archive) ? archive : path;

    *files = (espl__picture_files){ .file = -1, .listing.ctx = ctx, .paired = root == archive };
    espl_status status = espl__listing_make(ctx, root, &files->listing);
    if (!status && files->listing.tar && (files->file = open(root, O_RDONLY | O_CLOEXEC)) < 0)
        status = espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", root, strerror(errno));
    if (status)
        return status;
    files->where = espl__class_folders_find(&files->listing, test);
    return sort_out(files);
}

void espl__picture_files_close(espl__picture_files *files)
{
    espl_context *ctx = files->listing.ctx;

    if (files->file >= 0)
        close(files->file);
    for (int c = 0; c < files->classes; c++)
        espl__release(ctx, files->names[c]);
    espl__release(ctx, files->names);
    espl__release(ctx, files->counts);
    espl__release(ctx, files->class);
    espl__listing_end(&files->listing);
}
