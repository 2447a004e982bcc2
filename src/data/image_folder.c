/* A folder of pictures with one folder for each class, or a .tar of one. Folders within a class are
 * walked. The classes are the folders' names in order. Folders named train and val (or valid,
 * validation, test) are taken as the split; so is a train.tar with a val.tar beside it. A single
 * folder around everything is looked through. */
#include "data/kept_pixels.h"
#include "data/paths.h"
#include "data/picture.h"
#include "data/picture_files.h"
#include "data/tar.h"

#include <stdio.h>
#include <string.h>

#define PEEKED 32 /* pictures looked at for size and channels, evenly spaced */

typedef struct pictures {
    espl__picture_files files;
    espl__fitting fitting;
    espl__kept_pixels kept;
} pictures;

/* ---- classes ---- */

static espl_status check_classes(const espl__picture_files *f, bool one)
{
    espl_context *ctx = f->listing.ctx;
    const char *root = f->listing.root;

    for (int c = 0; c < f->classes; c++)
        if (!f->counts[c])
            return espl__fail(
                ctx, ESPL_BAD_FILE,
                "%s/%.*s%s: this class has no picture (JPEG, PNG or WebP); add some or remove the folder",
                root, (int)f->where.prefix, f->listing.count ? f->listing.item[0].path : "", f->names[c]);
    if (!f->classes)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: has no folder with pictures; put the pictures of each class into a "
                          "folder named after it",
                          root);
    if (f->classes == 1 && !one)
        return espl__fail(
            ctx, ESPL_BAD_FILE,
            "%s: has only one class, \"%s\"; at least two are needed, a folder for each", root, f->names[0]);
    return ESPL_OK;
}

/* ---- size ---- */

static espl_status measure(const espl__picture_files *f, int64_t index, int64_t shape[3],
                           espl__reading *reading)
{
    char name[ESPL__LONGEST_PATH];
    size_t bytes = 0;
    const espl_status status = espl__picture_files_read(f, index, reading, &bytes);

    if (status)
        return status;
    espl__picture_files_name(f, index, name);
    return espl__picture_measure(name, reading->block[ESPL__READING_FILE].data, bytes, shape, reading);
}

/* Size and channels of some pictures: any colour makes all of them colour, and without a size asked
 * for they must agree. */
static espl_status peek(const espl__picture_files *f, bool size_matters, int64_t shape[3],
                        espl__reading *reading)
{
    const int64_t count = f->listing.count, peeked = count < PEEKED ? count : PEEKED;
    const espl__listed *item = f->listing.item;

    for (int64_t i = 0; i < peeked; i++) {
        int64_t other[3];
        const espl_status status = measure(f, i * count / peeked, other, reading);
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
                f->listing.root, item[0].path, (long long)shape[2], (long long)shape[1],
                item[i * count / peeked].path, (long long)other[2], (long long)other[1]);
    }
    return ESPL_OK;
}

static espl_status decide_shape(pictures *p, const espl_data_settings *settings,
                                espl__reading *reading)
{
    espl_context *ctx = p->files.listing.ctx;
    int64_t shape[3] = { 3, 1, 1 };
    espl_status status = espl__fitting_make(ctx, settings, shape, &p->fitting);

    if (status)
        return status;
    if (!settings->height || !settings->channels) {
        status = peek(&p->files, !settings->height, shape, reading);
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
    espl__kept_pixels_free(ctx, &p->kept);
    espl__picture_files_close(&p->files);
    espl__release(ctx, p);
}

static espl_status fill(pictures *p, const char *path, const espl_data_settings *settings,
                        bool test, espl__reading *reading)
{
    espl__picture_files *f = &p->files;
    espl_status status = espl__picture_files_open(reading->ctx, path, test, f);

    if (!status && f->others)
        espl__log(reading->ctx, ESPL_NOTE,
                  "%s: %lld files that are no pictures in a class are left out, the first is %s",
                  f->listing.root, (long long)f->others, f->first_other);
    if (!status && settings->leave_out)
        status = espl__picture_files_leave_out(f, settings->leave_out);
    if (!status)
        status = check_classes(f, test || settings->one_class);
    if (!status)
        status = decide_shape(p, settings, reading);
    if (!status && p->fitting.rule != ESPL__FIT_KERAS) /* which gives fractions */
        espl__kept_pixels_make(reading->ctx, f->listing.count,
                               p->fitting.channels * p->fitting.height * p->fitting.width,
                               settings->keep_pixels << 20, &p->kept);
    return status;
}

static espl_status open_pictures(espl_context *ctx, const char *path,
                                 const espl_data_settings *settings, bool test, void **state)
{
    espl__reading reading = { .ctx = ctx };
    pictures *p = NULL;
    espl_status status = espl__allocate(ctx, 1, sizeof *p, &p);

    if (status)
        return status;
    status = fill(p, path, settings, test, &reading);
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

    return ((const pictures *)state)->files.where.split || espl__class_folders_archive(path, true, other);
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
    return ((const pictures *)state)->files.listing.count;
}

static int classes(const void *state)
{
    return ((const pictures *)state)->files.classes;
}

static const char *class_name(const void *state, int index)
{
    return ((const pictures *)state)->files.names[index];
}

static void sample_name(const void *state, int64_t index, char name[256])
{
    snprintf(name, 256, "%s", ((const pictures *)state)->files.listing.item[index].path);
}

static int32_t label(const void *state, int64_t index)
{
    return ((const pictures *)state)->files.class[index];
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
    char name[ESPL__LONGEST_PATH];
    size_t bytes = 0;

    sample->channels = p->fitting.channels;
    sample->height = p->fitting.height;
    sample->width = p->fitting.width;
    if (espl__kept_pixels_get(&p->kept, index, sample->values))
        return ESPL_OK;
    espl_status status = espl__picture_files_read(&p->files, index, reading, &bytes);
    if (status)
        return status;
    espl__picture_files_name(&p->files, index, name);
    status = espl__picture_decode(name, reading->block[ESPL__READING_FILE].data, bytes, &p->fitting,
                                  sample->values, reading);
    if (!status)
        espl__kept_pixels_put(&p->kept, index, sample->values);
    return status;
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
