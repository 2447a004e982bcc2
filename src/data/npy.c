/* NumPy's arrays: X.npy beside y.npy, or a .npz with both. Samples lie along the first dimension:
 * (n, features), (n, height, width), (n, height, width, channels) if the last dimension is 1, 3 or
 * 4, else (n, channels, height, width). Unsigned bytes in pictures' shapes are pictures; anything
 * else is numbers as they are. */
#include "data/npy_header.h"
#include "data/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_CLASSES 100000
#define PIECE 8192 /* numbers converted at once */

typedef struct pair {
    const char *x, *y;
} pair;

static const pair train_pairs[] = { { "X", "y" },
                                    { "x", "y" },
                                    { "x_train", "y_train" },
                                    { "X_train", "y_train" },
                                    { "train_x", "train_y" },
                                    { "train_images", "train_labels" } };
static const pair test_pairs[] = { { "x_test", "y_test" },
                                   { "X_test", "y_test" },
                                   { "test_x", "test_y" },
                                   { "x_val", "y_val" },
                                   { "X_val", "y_val" },
                                   { "test_images", "test_labels" } };

typedef struct arrays {
    espl__samples samples; /* first, so that the state is one of those */
    bool has_test;
} arrays;

/* ---- finding ---- */

static bool is_archive(const char *path)
{
    return espl__path_kind(path) == ESPL__PATH_FILE && espl__path_ends(path, ".npz");
}

static bool has_array(const char *path, const char *name)
{
    char file[64];

    snprintf(file, sizeof file, "%s.npy", name);
    return is_archive(path) ? espl__packed_has_member(path, file) : espl__path_has(path, file);
}

static const pair *find_pair(const char *path, bool test)
{
    const pair *pairs = test ? test_pairs : train_pairs;
    const int count = test ? ESPL__COUNT(test_pairs) : ESPL__COUNT(train_pairs);

    for (int i = 0; i < count; i++)
        if (has_array(path, pairs[i].x) && has_array(path, pairs[i].y))
            return &pairs[i];
    return NULL;
}

static espl_status open_array(espl_context *ctx, const char *path, const char *name,
                              espl__packed **file)
{
    char member[64], *whole = NULL;
    espl_status status;

    snprintf(member, sizeof member, "%s.npy", name);
    if (is_archive(path))
        return espl__packed_open_member(ctx, path, member, file);
    status = espl__path_join(ctx, path, member, &whole);
    if (!status)
        status = espl__packed_open(ctx, whole, file);
    espl__release(ctx, whole);
    return status;
}

/* "X_train.npy" has its labels in "y_train.npy". */
static espl_status open_labels_beside(espl_context *ctx, const char *path, espl__packed **file)
{
    char *labels = NULL;
    espl_status status = espl__copy_text(ctx, path, &labels);

    if (status)
        return status;
    char *name = labels + (espl__path_file(path) - path);
    const size_t length = strlen(name);
    char *x = name[0] == 'x' || name[0] == 'X' ? name : NULL;
    if (!x && length > 5 && (name[length - 5] == 'x' || name[length - 5] == 'X'))
        x = name + length - 5; /* "train_x.npy" */
    if (!x)
        status = espl__fail(
            ctx, ESPL_BAD_FILE,
            "%s: the labels are found by the name, such as X.npy and y.npy; rename both files",
            path);
    else
        *x = 'y';
    if (!status && espl__path_kind(labels) != ESPL__PATH_FILE)
        status = espl__fail(ctx, ESPL_NO_FILE,
                            "%s: its labels are missing; %s was expected beside it", path, labels);
    if (!status)
        status = espl__packed_open(ctx, labels, file);
    espl__release(ctx, labels);
    return status;
}

static espl_status open_both(espl_context *ctx, const char *path, bool test, espl__packed **x,
                             espl__packed **y)
{
    espl_status status;

    if (espl__path_kind(path) == ESPL__PATH_FILE && !is_archive(path)) {
        status = espl__packed_open(ctx, path, x);
        return status ? status : open_labels_beside(ctx, path, y);
    }
    const pair *found = find_pair(path, test);
    if (!found)
        found = find_pair(path,
                          !test); /* a place of its own for test data may call it training data */
    if (!found)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: has no pair of arrays such as X and y, or x_train and y_train",
                          path);
    status = open_array(ctx, path, found->x, x);
    return status ? status : open_array(ctx, path, found->y, y);
}

/* ---- values ---- */

/* All numbers as floats, converted piece by piece as they come. */
static espl_status take_numbers(espl_context *ctx, espl__packed *file, const espl__npy_header *h,
                                float **result)
{
    uint8_t data[8 * PIECE];
    double numbers[PIECE];
    int64_t have = 0, capacity = 0;
    espl_status status = espl__packed_expect(file, (size_t)h->count * (size_t)h->bytes, "array");

    while (have < h->count && !status) {
        const int64_t piece = h->count - have < PIECE ? h->count - have : PIECE;
        size_t got = 0;
        if (have + piece > capacity) {
            const int64_t larger = capacity < h->count / 2 ? (capacity ? capacity * 2 : 16 * PIECE)
                                                           : h->count;
            capacity = larger < h->count ? larger : h->count;
            status = espl__resize(ctx, (size_t)have, (size_t)capacity, sizeof **result, result);
        }
        if (!status)
            status = espl__packed_read(file, data, (size_t)(piece * h->bytes), &got);
        if (!status && got < (size_t)(piece * h->bytes))
            status = espl__fail(ctx, ESPL_BAD_FILE,
                                "%s: ends after %lld of the %lld numbers that its header promises",
                                espl__packed_name(file),
                                (long long)(have + (int64_t)got / h->bytes), (long long)h->count);
        if (status)
            break;
        espl__npy_convert(h, data, piece, numbers);
        for (int64_t i = 0; i < piece; i++, have++) {
            (*result)[have] = (float)numbers[i];
            if (!isfinite((*result)[have]))
                return espl__fail(ctx, ESPL_BAD_FILE,
                                  "%s: number %lld is %g; fill what is missing before training",
                                  espl__packed_name(file), (long long)have, numbers[i]);
        }
    }
    return status;
}

static espl_status take_samples(espl__samples *s, espl__packed *file)
{
    espl__npy_header h = { 0 };
    espl_status status = espl__npy_header_read(s->ctx, file, &h);

    if (status)
        return status;
    if (!h.count || h.rank > 4 || !espl__samples_shape(s, h.dim, h.rank))
        return espl__fail(s->ctx, ESPL_BAD_SHAPE,
                          "%s: has %d dimensions and %lld numbers; samples have 1 to 4: (n, "
                          "features), (n, height, width), (n, channels, height, width)",
                          espl__packed_name(file), h.rank, (long long)h.count);
    s->pictures = h.rank > 2 && h.kind == 'u' && h.bytes == 1;
    if (s->pictures)
        status = espl__packed_take(file, (size_t)h.count, "array", &s->bytes);
    else
        status = take_numbers(s->ctx, file, &h, &s->numbers);
    return status ? status : espl__packed_expect_end(file);
}

static espl_status use_labels(espl__samples *s, const float *numbers, const char *name)
{
    espl_status status = espl__allocate(s->ctx, (size_t)s->count, sizeof *s->labels, &s->labels);

    for (int64_t i = 0; i < s->count && !status; i++) {
        if (!(numbers[i] >= 0 && numbers[i] < MOST_CLASSES) || numbers[i] != floorf(numbers[i]))
            status = espl__fail(
                s->ctx, ESPL_BAD_FILE,
                "%s: label %lld is %g; labels are whole numbers that count the classes from 0",
                name, (long long)i, (double)numbers[i]);
        else
            s->labels[i] = (int32_t)numbers[i];
        if (!status && s->labels[i] >= s->classes)
            s->classes = s->labels[i] + 1;
    }
    return status;
}

static espl_status take_labels(espl__samples *s, espl__packed *file)
{
    espl__npy_header h = { 0 };
    float *numbers = NULL;
    const char *name = espl__packed_name(file);
    espl_status status = espl__npy_header_read(s->ctx, file, &h);

    if (!status && !(h.rank == 1 || (h.rank == 2 && h.dim[1] == 1)))
        status = espl__fail(s->ctx, ESPL_BAD_SHAPE,
                            "%s: has %d dimensions; labels have one, the number of each sample's "
                            "class (y.argmax(1) makes it of one-hot rows)",
                            name, h.rank);
    if (!status && h.count != s->count)
        status = espl__fail(s->ctx, ESPL_BAD_FILE,
                            "%s: has %lld labels, but there are %lld samples", name,
                            (long long)h.count, (long long)s->count);
    if (!status)
        status = take_numbers(s->ctx, file, &h, &numbers);
    if (!status)
        status = espl__packed_expect_end(file);
    if (!status)
        status = use_labels(s, numbers, name);
    espl__release(s->ctx, numbers);
    return status;
}

/* ---- the source ---- */

static espl_status fill(arrays *a, const char *path, const espl_data_settings *settings, bool test)
{
    static const char *const name_files[] = { "classes.txt", NULL };
    espl_context *ctx = a->samples.ctx;
    espl__packed *x = NULL, *y = NULL;
    char *folder = NULL;
    espl_status status = open_both(ctx, path, test, &x, &y);

    if (!status)
        status = espl__copy_text(ctx, espl__path_file(espl__packed_name(x)), &a->samples.origin);
    if (!status)
        status = take_samples(&a->samples, x);
    if (!status)
        status = take_labels(&a->samples, y);
    if (!status)
        status = espl__path_kind(path) == ESPL__PATH_FOLDER ? espl__copy_text(ctx, path, &folder)
                                                            : espl__path_folder(ctx, path, &folder);
    if (!status)
        status = espl__samples_name_classes(&a->samples, folder, name_files);
    if (!status)
        status = espl__fitting_make(ctx, settings, a->samples.stored, &a->samples.fitting);
    espl__packed_free(x);
    espl__packed_free(y);
    espl__release(ctx, folder);
    return status;
}

static espl_status open_npy(espl_context *ctx, const char *path, const espl_data_settings *settings,
                            bool test, void **state)
{
    arrays *a = NULL;
    espl_status status = espl__allocate(ctx, 1, sizeof *a, &a);

    if (status)
        return status;
    a->samples.ctx = ctx;
    status = fill(a, path, settings, test);
    if (status) {
        espl__samples_free(ctx, &a->samples);
        return status;
    }
    a->has_test = (is_archive(path) || espl__path_kind(path) == ESPL__PATH_FOLDER) &&
                  find_pair(path, true) != NULL && find_pair(path, false) != NULL;
    *state = a;
    return ESPL_OK;
}

static bool fits(const char *path)
{
    if (espl__path_kind(path) == ESPL__PATH_FOLDER)
        return find_pair(path, false) || find_pair(path, true);
    return espl__path_kind(path) == ESPL__PATH_FILE &&
           (espl__path_ends(path, ".npy") || espl__path_ends(path, ".npz"));
}

static bool has_test(const char *path, const void *state)
{
    (void)path;
    return ((const arrays *)state)->has_test;
}

const espl__source espl__source_npy = {
    .name = "npy",
    .summary = "NumPy's arrays: X.npy beside y.npy, or a .npz with X and y (x_train, y_train, "
               "x_test, y_test)",
    .fits = fits,
    .has_test = has_test,
    .open = open_npy,
    ESPL__SAMPLES_FUNCTIONS,
};
