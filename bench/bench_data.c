/* How fast samples come: batches through the loader on a number of threads, with crop, flip and
 * normalization for small pictures. One JSON line for each way; "microseconds" is time on the clock
 * for a sample, so with one thread it is what a sample costs a core.
 *
 *     bench_data                         CIFAR's size, made up; batches of 128
 *     bench_data PATH [side [threads]]   your data, brought to side x side; batches of 32 */
#include "data/data.h"
#include "base/tree.h"
#include "train/techniques.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCHES_MAX 400
#define SECONDS_MAX 3.0

typedef struct way {
    const char *name;
    const char *techniques[3];
} way;

static const way ways[] = { { "plain", { NULL } },
                            { "crop+flip", { "augment-crop", "augment-flip", NULL } } };

/* A file of CIFAR records full of noise. */
static void make_cifar(char path[64])
{
    static unsigned char record[3073];

    strcpy(path, "/tmp/espalier_bench_XXXXXX");
    if (!mkdtemp(path))
        exit(1);
    strcat(path, "/data_batch_1.bin");
    FILE *file = fopen(path, "wb");
    for (int i = 0; file && i < 10000; i++) {
        record[0] = (unsigned char)(i % 10);
        for (int p = 1; p < 3073; p++)
            record[p] = (unsigned char)((i * 31 + p * 17) >> 2);
        fwrite(record, 1, sizeof record, file);
    }
    if (!file || fclose(file))
        exit(1);
}

/* States of techniques with all options at their defaults. */
static int open_augmentations(espl_context *ctx, const way *w, espl__augmentation *augmentations,
                              void **states)
{
    int count = 0;

    for (; w->techniques[count]; count++) {
        const espl_technique *technique = espl__technique_find(w->techniques[count]);
        if (espl__allocate(ctx, 1, technique->size, &states[count]) ||
            espl__options_begin(ctx, technique->options, states[count]))
            exit(1);
        augmentations[count] = (espl__augmentation){ technique, states[count] };
    }
    return count;
}

static void measure(espl_context *ctx, espl_data *data, const way *w, int64_t batch_size, int threads)
{
    espl__augmentation augmentations[3];
    void *states[3] = { NULL };
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    const int count = open_augmentations(ctx, w, augmentations, states);
    const espl__loader_settings settings = { .batch = batch_size,
                                             .shuffle = true,
                                             .epochs = 1000,
                                             .scale = 1 / 255.0,
                                             .mean = { 0.5, 0.5, 0.5 },
                                             .deviation = { 0.25, 0.25, 0.25 },
                                             .augmentations = augmentations,
                                             .augmentation_count = count,
                                             .threads = threads };
    int64_t samples = 0;

    if (espl__loader_open(data, &settings, &loader) || espl__loader_next(loader, &batch)) {
        fprintf(stderr, "%s\n", espl_message(ctx));
        exit(1);
    }
    const double began = espl__now();
    for (int i = 0;
         i < BATCHES_MAX && espl__now() - began < SECONDS_MAX && !espl__loader_next(loader, &batch);
         i++)
        samples += batch->count;
    const double seconds = espl__now() - began;
    printf("{\"bench\":\"data\",\"source\":\"%s\",\"way\":\"%s\",\"threads\":%d,\"samples\":%lld,"
           "\"microseconds\":%.2f}\n",
           espl__data_source_name(data), w->name, threads, (long long)samples,
           seconds / (double)samples * 1e6);
    espl__loader_free(loader);
    for (int i = 0; i < count; i++)
        espl__release(ctx, states[i]);
}

int main(int count, char **arguments)
{
    const int64_t side = count > 2 ? atoll(arguments[2]) : 0;
    const int most = count > 3 ? atoi(arguments[3]) : 1;
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    char made[64] = "";

    if (espl_context_open(NULL, &ctx))
        return 1;
    if (count < 2)
        make_cifar(made);
    const char *path = count < 2 ? made : arguments[1];
    if (espl_data_open(ctx, path, &(espl_data_settings){ .height = side, .width = side }, &data)) {
        fprintf(stderr, "%s\n", espl_message(ctx));
        return 1;
    }
    for (int threads = 1; threads <= most; threads++)
        for (int w = 0; w < (int)(sizeof ways / sizeof ways[0]); w++)
            measure(ctx, data, &ways[w], side ? 32 : 128, threads);
    espl_data_free(data);
    espl_context_free(ctx);
    if (*made) {
        unlink(made);
        *strrchr(made, '/') = '\0';
        rmdir(made);
    }
    return 0;
}
