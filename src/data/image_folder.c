/* A folder of pictures with one folder for each class, or a .tar of one. Folders within a class are
 * walked. The classes are the folders' names in order. Folders named train and val (or valid,
 * validation, test) are taken as the split; so is a train.tar with a val.tar beside it. A single
 * folder around everything is looked through. */
#include "data/class_folders.h"
#include "data/paths.h"
#include "data/picture.h"
#include "data/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_PATH 8192
#define LARGEST_FILE ((int64_t)1 << 30)
#define PEEKED 32 /* pictures looked at for size and channels, evenly spaced */

static const char *const endings[] = { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp" };

typedef struct pictures {
    espl__listing listing; /* afterwards only the pictures, in order */
    int32_t *class;        /* of each of them */
    char **names;
    int classes;
    espl__class_folders where;
    int file; /* the .tar, else -1 */
    espl__fitting fitting;
} pictures;

/* ---- which files are pictures ---- */

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

/* The content of one file of the archive, into ESPL__READING_FILE. */
static espl_status read_entry(const pictures *p, const espl__listed *item, espl__reading *reading,
                              size_t *bytes)
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

static void name_of(const pictures *p, const espl__listed *item, char name[LONGEST_PATH])
{
    const size_t root = strlen(p->listing.root);

    snprintf(name, LONGEST_PATH, "%s%s%s", p->listing.root,
             root && p->listing.root[root - 1] == '/' ? "" : "/", item->path);
}

static size_t read_beginning(const pictures *p, const espl__listed *item,
                             uint8_t begin[ESPL__MAGIC_BYTES])
{
    char name[LONGEST_PATH];
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
static bool is_picture(const pictures *p, const espl__listed *item)
{
    uint8_t begin[ESPL__MAGIC_BYTES];

    for (int i = 0; i < ESPL__COUNT(endings); i++)
        if (espl__path_ends(item->path, endings[i]))
            return true;
    return espl__picture_magic(begin, read_beginning(p, item, begin));
}

/* ---- classes ---- */

static espl_status add_class(pictures *p, const char *name, size_t length)
{
    espl_context *ctx = p->listing.ctx;
    espl_status status = ESPL_OK;

    if ((p->classes & (p->classes - 1)) == 0) /* full at each power of two */
        status = espl__resize(ctx, (size_t)p->classes, (size_t)(p->classes ? 2 * p->classes : 1),
                              sizeof *p->names, &p->names);
    if (!status)
        status = espl__allocate(ctx, length + 1, 1, &p->names[p->classes]);
    if (!status)
        memcpy(p->names[p->classes++], name, length);
    return status;
}

static espl_status empty_class(const pictures *p)
{
    return espl__fail(
        p->listing.ctx, ESPL_BAD_FILE,
        "%s/%.*s%s: this class has no picture (JPEG, PNG or WebP); add some or remove the folder",
        p->listing.root, (int)p->where.prefix, p->listing.count ? p->listing.item[0].path : "",
        p->names[p->classes - 1]);
}

/* Walks over the sorted list, notes each class when its folder begins, and keeps the pictures. */
static espl_status sort_out(pictures *p, int64_t *others, const char **first_other)
{
    espl__listing *l = &p->listing;
    int64_t kept = 0, of_class = 1;
    espl_status status = espl__allocate(l->ctx, (size_t)l->count + 1, sizeof *p->class, &p->class);

    for (int64_t i = 0; i < l->count && !status; i++) {
        const char *path = l->item[i].path + p->where.prefix;
        const size_t part = espl__class_folders_part(path);
        if (path[part] || l->item[i].folder) {
            const bool same = p->classes &&
                              espl__class_folders_part_is(path, p->names[p->classes - 1]);
            if (!same && !of_class)
                return empty_class(p);
            if (!same) {
                status = add_class(p, path, part);
                of_class = 0;
            }
        }
        if (status || l->item[i].folder)
            continue;
        if (path[part] && is_picture(p, &l->item[i])) {
            p->class[kept] = p->classes - 1;
            l->item[kept++] = l->item[i];
            of_class++;
        } else {
            *first_other = *others ? *first_other : l->item[i].path;
            ++*others;
        }
    }
    if (!status && !of_class)
        return empty_class(p);
    l->count = kept;
    return status;
}

static espl_status check_classes(const pictures *p, bool test)
{
    espl_context *ctx = p->listing.ctx;

    if (!p->classes)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: has no folder with pictures; put the pictures of each class into a "
                          "folder named after it",
                          p->listing.root);
    if (p->classes == 1 && !test)
        return espl__fail(
            ctx, ESPL_BAD_FILE,
            "%s: has only one class, \"%s\"; at least two are needed, a folder for each",
            p->listing.root, p->names[0]);
    return ESPL_OK;
}

/* ---- size ---- */

static espl_status measure(const pictures *p, int64_t index, int64_t shape[3],
                           espl__reading *reading)
{
    const espl__listed *item = &p->listing.item[index];
    char name[LONGEST_PATH];
    size_t bytes = 0;
    espl_status status;

    name_of(p, item, name);
    status = p->listing.tar ? read_entry(p, item, reading, &bytes)
                            : espl__reading_file(reading, name, &bytes);
    return status ? status
                  : espl__picture_measure(name, reading->block[ESPL__READING_FILE].data, bytes,
                                          shape, reading);
}

/* Size and channels of some pictures: any colour makes all of them colour, and without a size asked
 * for they must agree. */
static espl_status peek(const pictures *p, bool size_matters, int64_t shape[3],
                        espl__reading *reading)
{
    const int64_t count = p->listing.count, peeked = count < PEEKED ? count : PEEKED;

    for (int64_t i = 0; i < peeked; i++) {
        int64_t other[3];
        const espl_status status = measure(p, i * count / peeked, other, reading);
        if (status)
            return status;
        if (i == 0)
            memcpy(shape, other, 3 * sizeof *shape);
        if (other[0] > shape[0])
            shape[0] = other[0];
        if (size_matters && (other[1] != shape[1] || other[2] != shape[2]))
            return espl__reading_fail(
                reading, ESPL_BAD_SHAPE,
                "%.200s: the pictures differ in size (%.100s has %lldx%lld pixels, %.100s "
                "%lldx%lld); say to which height and width they shall be brought",
                p->listing.root, p->listing.item[0].path, (long long)shape[2], (long long)shape[1],
                p->listing.item[i * count / peeked].path, (long long)other[2], (long long)other[1]);
    }
    return ESPL_OK;
}

static espl_status decide_shape(pictures *p, const espl_data_settings *settings,
                                espl__reading *reading)
{
    espl_context *ctx = p->listing.ctx;
    int64_t shape[3] = { 3, 1, 1 };
    espl_status status = espl__fitting_make(ctx, settings, shape, &p->fitting);

    if (status)
        return status;
    if (!settings->height || !settings->channels) {
        status = peek(p, !settings->height, shape, reading);
        if (status)
            return espl__fail(ctx, status, "%s", reading->message);
    }
    return espl__fitting_make(ctx, settings, shape, &p->fitting);
}

/* ---- the source ---- */

static void release(espl_context *ctx, void *state)
{
    pictures *p = state;

    if (!p)
        return;
    if (p->file >= 0)
        close(p->file);
    for (int c = 0; c < p->classes; c++)
        espl__release(ctx, p->names[c]);
    espl__release(ctx, p->names);
    espl__release(ctx, p->class);
    espl__listing_end(&p->listing);
    espl__release(ctx, p);
}

static espl_status fill(pictures *p, const char *path, const espl_data_settings *settings,
                        bool test, espl__reading *reading)
{
    espl_context *ctx = reading->ctx;
    const char *first_other = NULL;
    int64_t others = 0;
    espl_status status = espl__listing_make(ctx, path, &p->listing);

    if (!status && p->listing.tar && (p->file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        status = espl__fail(ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    if (status)
        return status;
    p->where = espl__class_folders_find(&p->listing, test);
    status = sort_out(p, &others, &first_other);
    if (!status && others)
        espl__log(ctx, ESPL_NOTE,
                  "%s: %lld files that are no pictures in a class are left out, the first is %s",
                  path, (long long)others, first_other);
    if (!status)
        status = check_classes(p, test);
    if (!status)
        status = decide_shape(p, settings, reading);
    return status;
}

static espl_status open_pictures(espl_context *ctx, const char *path,
                                 const espl_data_settings *settings, bool test, void **state)
{
    espl__reading reading = { .ctx = ctx };
    char archive[4096];
    pictures *p = NULL;
    espl_status status = espl__allocate(ctx, 1, sizeof *p, &p);

    if (status)
        return status;
    p->file = -1;
    p->listing.ctx = ctx;
    status = fill(p, espl__class_folders_archive(path, test, archive) ? archive : path, settings,
                  test, &reading);
    espl__reading_end(&reading);
    if (status)
        release(ctx, p);
    else
        *state = p;
    return status;
}

static bool has_test(const char *path, const void *state)
{
    char other[4096];

    return ((const pictures *)state)->where.split || espl__class_folders_archive(path, true, other);
}

static bool fits(const char *path)
{
    uint8_t block[512];
    char other[4096];
    bool found = false;

    if (espl__path_kind(path) == ESPL__PATH_FOLDER)
        return espl__path_holds_folders(path) || espl__class_folders_archive(path, false, other);
    FILE *file = espl__path_kind(path) == ESPL__PATH_FILE ? fopen(path, "rb") : NULL;
    if (file) {
        found = espl__path_ends(path, ".tar") ||
                espl__tar_magic(block, fread(block, 1, sizeof block, file));
        fclose(file);
    }
    return found;
}

static int64_t count(const void *state)
{
    return ((const pictures *)state)->listing.count;
}

static int classes(const void *state)
{
    return ((const pictures *)state)->classes;
}

static const char *class_name(const void *state, int index)
{
    return ((const pictures *)state)->names[index];
}

static void sample_name(const void *state, int64_t index, char name[256])
{
    snprintf(name, 256, "%s", ((const pictures *)state)->listing.item[index].path);
}

static int32_t label(const void *state, int64_t index)
{
    return ((const pictures *)state)->class[index];
}

static void shape_of(const void *state, int64_t shape[3])
{
    const pictures *p = state;

    shape[0] = p->fitting.channels;
    shape[1] = p->fitting.height;
    shape[2] = p->fitting.width;
}

static bool are_pictures(const void *state)
{
    (void)state;
    return true;
}

static espl_status read_picture(const void *state, int64_t index, espl_sample *sample,
                                espl__reading *reading)
{
    const pictures *p = state;
    const espl__listed *item = &p->listing.item[index];
    char name[LONGEST_PATH];
    size_t bytes = 0;
    espl_status status;

    name_of(p, item, name);
    sample->channels = p->fitting.channels;
    sample->height = p->fitting.height;
    sample->width = p->fitting.width;
    status = p->listing.tar ? read_entry(p, item, reading, &bytes)
                            : espl__reading_file(reading, name, &bytes);
    if (status)
        return status;
    return espl__picture_decode(name, reading->block[ESPL__READING_FILE].data, bytes, &p->fitting,
                                sample->values, reading);
}

const espl__source espl__source_image_folder = {
    .name = "image-folder",
    .summary = "a folder (or .tar) with a folder of JPEG, PNG or WebP pictures for each class",
    .fits = fits,
    .has_test = has_test,
    .validates = true,
    .open = open_pictures,
    .release = release,
    .count = count,
    .classes = classes,
    .class_name = class_name,
    .sample_name = sample_name,
    .label = label,
    .shape = shape_of,
    .pictures = are_pictures,
    .read = read_picture,
};
