/* CIFAR binaries: records of one label byte (CIFAR-100: coarse, then fine) and 3 x 32 x 32 pixels,
 * red plane first. Training data is data_batch_1..5.bin (train.bin), test data test_batch.bin
 * (test.bin). */
#include "data/packed.h"
#include "data/samples.h"

#include <stdio.h>
#include <string.h>

#define PIXELS 3072
#define MOST_BATCHES 99

typedef struct kind {
    int label_bytes, classes;
    const char *name;
    const char *name_files[4];
} kind;

static const kind cifar10 = { 1, 10, "CIFAR-10", { "batches.meta.txt", "classes.txt" } };
static const kind cifar100 = { 2, 100, "CIFAR-100", { "fine_label_names.txt", "classes.txt" } };

static const kind *kind_of(const char *path)
{
    const char *file = espl__path_file(path);

    if (espl__path_kind(path) == ESPL__PATH_FOLDER)
        return espl__path_has(path, "train.bin") && !espl__path_has(path, "data_batch_1.bin")
                   ? &cifar100
                   : &cifar10;
    return espl__text_equal(file, "train.bin") || espl__text_equal(file, "test.bin") ? &cifar100
                                                                                     : &cifar10;
}

/* How many records a file holds, if its length is right. */
static espl_status count_records(espl_context *ctx, const kind *k, const char *path, int64_t *count)
{
    const int64_t bytes = espl__path_bytes(path), record = PIXELS + k->label_bytes;

    *count = 0;
    if (bytes < 0)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: there is no such file", path);
    if (!bytes || bytes % record)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: has %lld bytes; %s files have a multiple of %lld (a record each)",
                          path, (long long)bytes, k->name, (long long)record);
    *count = bytes / record;
    return ESPL_OK;
}

static espl_status split_records(espl__samples *s, const kind *k, const char *path,
                                 const uint8_t *data, int64_t count)
{
    const int64_t record = PIXELS + k->label_bytes;

    for (int64_t i = 0; i < count; i++) {
        const uint8_t *from = data + i * record;
        const int label = from[k->label_bytes - 1];
        if (label >= k->classes)
            return espl__fail(s->ctx, ESPL_BAD_FILE,
                              "%s: record %lld (byte %lld): label %d is not within 0..%d", path,
                              (long long)i, (long long)(i * record), label, k->classes - 1);
        s->labels[s->count + i] = label;
        memcpy(s->bytes + (s->count + i) * PIXELS, from + k->label_bytes, PIXELS);
    }
    s->count += count;
    return ESPL_OK;
}

/* Appends the records of one file. */
static espl_status add_file(espl__samples *s, const kind *k, const char *path)
{
    espl__packed *file = NULL;
    uint8_t *data = NULL;
    int64_t count = 0;
    espl_status status = count_records(s->ctx, k, path, &count);
    const size_t total = (size_t)(s->count + count);

    if (!status)
        status = espl__resize(s->ctx, (size_t)s->count, total, PIXELS, &s->bytes);
    if (!status)
        status = espl__resize(s->ctx, (size_t)s->count, total, sizeof *s->labels, &s->labels);
    if (!status)
        status = espl__packed_open(s->ctx, path, &file);
    if (!status)
        status = espl__packed_take(file, (size_t)(count * (PIXELS + k->label_bytes)), "records",
                                   &data);
    if (!status)
        status = split_records(s, k, path, data, count);
    espl__packed_free(file);
    espl__release(s->ctx, data);
    return status;
}

/* Every file of a folder that belongs to the part. */
static espl_status add_folder(espl__samples *s, const kind *k, const char *folder, bool test)
{
    espl_status status = ESPL_OK;

    for (int batch = 1; batch <= MOST_BATCHES && !status; batch++) {
        char name[32], *path = NULL;
        if (test)
            snprintf(name, sizeof name, k == &cifar100 ? "test.bin" : "test_batch.bin");
        else if (k == &cifar100)
            snprintf(name, sizeof name, "train.bin");
        else
            snprintf(name, sizeof name, "data_batch_%d.bin", batch);
        if (batch > 1 && (test || k == &cifar100 || !espl__path_has(folder, name)))
            break;
        status = espl__path_join(s->ctx, folder, name, &path);
        if (!status)
            status = add_file(s, k, path);
        espl__release(s->ctx, path);
    }
    return status;
}

static espl_status fill(espl__samples *s, const kind *k, const char *path, bool test)
{
    char *folder = NULL;
    espl_status status;

    if (espl__path_kind(path) == ESPL__PATH_FOLDER) {
        const char *own = k == &cifar100 ? "test.bin" : "test_batch.bin";
        status = add_folder(s, k, path, test && espl__path_has(path, own));
        if (!status)
            status = espl__copy_text(s->ctx, path, &folder);
    } else {
        status = add_file(s, k, path);
        if (!status)
            status = espl__path_folder(s->ctx, path, &folder);
    }
    if (!status)
        status = espl__samples_name_classes(s, folder, k->name_files);
    espl__release(s->ctx, folder);
    return status;
}

static espl_status open_cifar(espl_context *ctx, const char *path,
                              const espl_data_settings *settings, bool test, void **state)
{
    const kind *k = kind_of(path);
    espl__samples *s = NULL;
    espl_status status = espl__samples_make(ctx, &s);

    if (status)
        return status;
    s->stored[0] = 3;
    s->stored[1] = s->stored[2] = 32;
    s->classes = k->classes;
    s->pictures = true;
    status = espl__copy_text(ctx, espl__path_file(path), &s->origin);
    if (!status)
        status = fill(s, k, path, test);
    if (!status)
        status = espl__fitting_make(ctx, settings, s->stored, &s->fitting);
    if (status)
        espl__samples_free(ctx, s);
    else
        *state = s;
    return status;
}

static bool fits(const char *path)
{
    const char *file = espl__path_file(path);

    if (espl__path_kind(path) == ESPL__PATH_FOLDER)
        return espl__path_has(path, "data_batch_1.bin") || espl__path_has(path, "test_batch.bin") ||
               (espl__path_has(path, "train.bin") && espl__path_has(path, "test.bin"));
    return espl__path_kind(path) == ESPL__PATH_FILE &&
           (espl__text_match("data_batch_*.bin", file) ||
            espl__text_equal(file, "test_batch.bin") || espl__text_equal(file, "train.bin") ||
            espl__text_equal(file, "test.bin"));
}

static bool has_test(const char *path, const void *state)
{
    (void)state;
    return espl__path_kind(path) == ESPL__PATH_FOLDER &&
           (espl__path_has(path, "test_batch.bin") || espl__path_has(path, "test.bin"));
}

const espl__source espl__source_cifar = {
    .name = "cifar",
    .summary = "CIFAR-10 and CIFAR-100 binaries: data_batch_1..5.bin, or train.bin",
    .fits = fits,
    .has_test = has_test,
    .open = open_cifar,
    ESPL__SAMPLES_FUNCTIONS,
};
