/* IDX files, the format of MNIST: a header (two zero bytes, a type, the number of dimensions, each
 * dimension as four bytes, most significant first), then the values. Pictures and labels are two
 * files; either may be wrapped in gzip. */
#include "data/packed.h"
#include "data/samples.h"

#include <stdio.h>
#include <string.h>

#define TYPE_BYTE 0x08
#define MOST_DIMS 4
#define LARGEST_DIM ((int64_t)1 << 31)

static const char *const endings[] = { "-images-idx3-ubyte", "-images-idx3-ubyte.gz",
                                       "-images.idx3-ubyte", "-images.idx3-ubyte.gz",
                                       "-images-idx4-ubyte", "-images-idx4-ubyte.gz",
                                       "-images-idx2-ubyte", "-images-idx2-ubyte.gz" };

/* Finds "<prefix>-images-..." in a folder; the result holds 64 bytes. */
static bool find_images(const char *folder, const char *prefix, char name[64])
{
    for (int i = 0; i < ESPL__COUNT(endings); i++) {
        snprintf(name, 64, "%s%s", prefix, endings[i]);
        if (espl__path_has(folder, name))
            return true;
    }
    return false;
}

/* The file of labels that belongs to one of pictures: "labels" for "images", "idx1" for "idx3". The
 * compression may differ. false: there is none. */
static espl_status find_labels(espl_context *ctx, const char *images, char **labels)
{
    const char *file = espl__path_file(images), *word = strstr(file, "images"),
               *kind = strstr(file, "idx");
    espl__text path = { 0 };
    espl_status status;

    if (!word || !kind || kind < word || !kind[3])
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: the file of labels is found by the name, such as "
                          "train-images-idx3-ubyte and train-labels-idx1-ubyte; rename both files",
                          images);
    status = espl__text_add(ctx, &path, "%.*slabels%.*sidx1%s", (int)(word - images), images,
                            (int)(kind - word - 6), word + 6, kind + 4);
    if (!status && espl__path_kind(path.data) != ESPL__PATH_FILE) {
        if (espl__path_ends(path.data, ".gz"))
            path.data[path.length - 3] = '\0';
        else
            status = espl__text_add(ctx, &path, ".gz");
    }
    if (!status && espl__path_kind(path.data) != ESPL__PATH_FILE)
        status = espl__fail(ctx, ESPL_NO_FILE,
                            "%s: its labels are missing; %s was expected beside it", images,
                            path.data);
    if (!status)
        status = espl__copy_text(ctx, path.data, labels);
    espl__text_free(ctx, &path);
    return status;
}

static espl_status read_header(espl_context *ctx, espl__packed *file, const char *path,
                               int64_t dims[MOST_DIMS], int *rank)
{
    uint8_t header[4 + 4 * MOST_DIMS];
    size_t got = 0;
    espl_status status = espl__packed_read(file, header, 4, &got);

    if (!status && (got < 4 || header[0] || header[1]))
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: is not an IDX file; it would begin with two zero bytes and a type",
                          path);
    if (!status && header[2] != TYPE_BYTE)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: its values have the type 0x%02x; unsigned bytes (0x08) are "
                          "expected, other numbers can be given as .npy",
                          path, header[2]);
    *rank = status ? 0 : header[3];
    if (!status && (*rank < 1 || *rank > MOST_DIMS))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: has %d dimensions; 1 to %d are expected", path,
                          *rank, MOST_DIMS);
    if (!status)
        status = espl__packed_read(file, header + 4, (size_t)*rank * 4, &got);
    if (!status && got < (size_t)*rank * 4)
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: ends within its header", path);
    for (int d = 0; d < *rank && !status; d++) {
        const uint8_t *b = header + 4 + 4 * d;
        dims[d] = (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | b[3];
        if (dims[d] < 1)
            return espl__fail(ctx, ESPL_BAD_FILE, "%s: dimension %d is 0, so there are no samples",
                              path, d + 1);
    }
    return status;
}

/* Header and values of one file. */
static espl_status read_array(espl_context *ctx, const char *path, int64_t dims[MOST_DIMS],
                              int *rank, uint8_t **values)
{
    espl__packed *file = NULL;
    size_t bytes = 1;
    char what[96] = "";
    espl_status status = espl__packed_open(ctx, path, &file);

    *values = NULL;
    if (!status)
        status = read_header(ctx, file, path, dims, rank);
    for (int d = 0; d < *rank && !status; d++) {
        snprintf(what + strlen(what), sizeof what - strlen(what), d ? "x%lld" : "%lld",
                 (long long)dims[d]);
        if (!espl__multiply(bytes, (size_t)dims[d], &bytes))
            status = espl__fail(ctx, ESPL_BAD_FILE,
                                "%s: its header promises more values than memory can address",
                                path);
    }
    if (!status)
        status = espl__packed_take(file, bytes, what, values);
    if (!status)
        status = espl__packed_expect_end(file);
    espl__packed_free(file);
    if (status) {
        espl__release(ctx, *values);
        *values = NULL;
    }
    return status;
}

static espl_status read_labels(espl__samples *s, const char *images, const char *path)
{
    int64_t dims[MOST_DIMS] = { 0 };
    int rank = 0;
    uint8_t *labels = NULL;
    espl_status status = read_array(s->ctx, path, dims, &rank, &labels);

    if (!status && rank != 1)
        status = espl__fail(s->ctx, ESPL_BAD_FILE, "%s: has %d dimensions; labels have one", path,
                            rank);
    if (!status && dims[0] != s->count)
        status = espl__fail(s->ctx, ESPL_BAD_FILE, "%s: has %lld labels, but %s has %lld pictures",
                            path, (long long)dims[0], images, (long long)s->count);
    if (!status)
        status = espl__allocate(s->ctx, (size_t)s->count, sizeof *s->labels, &s->labels);
    for (int64_t i = 0; i < s->count && !status; i++) {
        s->labels[i] = labels[i];
        if (labels[i] >= s->classes)
            s->classes = labels[i] + 1;
    }
    espl__release(s->ctx, labels);
    return status;
}

static espl_status read_images(espl__samples *s, const char *path)
{
    int64_t dims[MOST_DIMS] = { 0 };
    int rank = 0;
    espl_status status = read_array(s->ctx, path, dims, &rank, &s->bytes);

    if (!status && (rank < 2 || !espl__samples_shape(s, dims, rank)))
        status = espl__fail(s->ctx, ESPL_BAD_FILE,
                            "%s: has %d dimensions; pictures have three: count, height, width",
                            path, rank);
    s->pictures = rank > 2;
    return status;
}

/* The path of the pictures that `path`, a folder or the file itself, stands for. */
static espl_status images_path(espl_context *ctx, const char *path, bool test, char **result)
{
    char name[64];

    if (espl__path_kind(path) != ESPL__PATH_FOLDER)
        return espl__copy_text(ctx, path, result);
    if ((test && find_images(path, "t10k", name)) || (test && find_images(path, "test", name)) ||
        find_images(path, "train", name) || find_images(path, "t10k", name))
        return espl__path_join(ctx, path, name, result);
    return espl__fail(ctx, ESPL_NO_FILE, "%s: has no train-images-idx3-ubyte (or .gz)", path);
}

static espl_status open_idx(espl_context *ctx, const char *path, const espl_data_settings *settings,
                            bool test, void **state)
{
    static const char *const name_files[] = { "classes.txt", NULL };
    espl__samples *s = NULL;
    char *images = NULL, *labels = NULL, *folder = NULL;
    espl_status status = espl__samples_make(ctx, &s);

    if (!status)
        status = images_path(ctx, path, test, &images);
    if (!status)
        status = find_labels(ctx, images, &labels);
    if (!status)
        status = espl__copy_text(ctx, espl__path_file(images), &s->origin);
    if (!status)
        status = read_images(s, images);
    if (!status)
        status = read_labels(s, images, labels);
    if (!status)
        status = espl__path_folder(ctx, images, &folder);
    if (!status)
        status = espl__samples_name_classes(s, folder, name_files);
    if (!status)
        status = espl__fitting_make(ctx, settings, s->stored, &s->fitting);
    espl__release(ctx, images);
    espl__release(ctx, labels);
    espl__release(ctx, folder);
    if (status)
        espl__samples_free(ctx, s);
    else
        *state = s;
    return status;
}

static bool fits(const char *path)
{
    char name[64];

    if (espl__path_kind(path) == ESPL__PATH_FOLDER)
        return find_images(path, "train", name) || find_images(path, "t10k", name);
    return espl__path_kind(path) == ESPL__PATH_FILE && strstr(espl__path_file(path), "images") &&
           strstr(espl__path_file(path), "idx");
}

static bool has_test(const char *path, const void *state)
{
    char name[64];

    (void)state;
    return espl__path_kind(path) == ESPL__PATH_FOLDER && find_images(path, "train", name) &&
           (find_images(path, "t10k", name) || find_images(path, "test", name));
}

const espl__source espl__source_idx = {
    .name = "idx",
    .summary = "MNIST's files: train-images-idx3-ubyte and train-labels-idx1-ubyte, also .gz",
    .fits = fits,
    .has_test = has_test,
    .open = open_idx,
    ESPL__SAMPLES_FUNCTIONS,
};
