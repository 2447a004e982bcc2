/* A run small enough for tests: three kinds of 8x8 pictures that a net of one convolution learns, a recipe
 * in a folder of its own, and runs of it that are interrupted, resumed and compared. Include after
 * cmocka.h. */
#ifndef ESPL_TINY_RUN_H
#define ESPL_TINY_RUN_H

#include "train/train.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TINY_TRAIN 50
#define TINY_TEST 15
#define TINY_SIDE 8
#define TINY_CLASSES 3

typedef struct tiny {
    char folder[64];
    char recipe[128];   /* path of the recipe */
    char message[1024]; /* of the last run that failed */
} tiny;

/* A bright bar whose place tells the class, on noise that depends on the sample. */
static inline uint8_t tiny_pixel(int64_t sample, int64_t row, int64_t column)
{
    const uint32_t noise = (uint32_t)(sample * 7919 + row * 104729 + column * 1299709) * 2654435761u >> 26;
    const int64_t kind = sample % TINY_CLASSES;
    const bool bar = kind == 0 ? row == 2 + sample % 4 : kind == 1 ? column == 2 + sample % 4
                                                                   : row == column;

    return (uint8_t)(noise + (bar ? 150 : 0));
}

static inline void tiny_put(FILE *file, uint32_t value)
{
    const uint8_t bytes[] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };

    fwrite(bytes, 1, 4, file);
}

static inline FILE *tiny_create(const tiny *t, const char *name)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    return file;
}

static inline void tiny_write_part(const tiny *t, const char *name, int64_t first, int64_t count)
{
    char file_name[64];

    snprintf(file_name, sizeof file_name, "%s-images-idx3-ubyte", name);
    FILE *images = tiny_create(t, file_name);
    snprintf(file_name, sizeof file_name, "%s-labels-idx1-ubyte", name);
    FILE *labels = tiny_create(t, file_name);
    tiny_put(images, 0x803);
    tiny_put(images, (uint32_t)count);
    tiny_put(images, TINY_SIDE);
    tiny_put(images, TINY_SIDE);
    tiny_put(labels, 0x801);
    tiny_put(labels, (uint32_t)count);
    for (int64_t i = first; i < first + count; i++) {
        for (int64_t p = 0; p < TINY_SIDE * TINY_SIDE; p++)
            fputc(tiny_pixel(i, p / TINY_SIDE, p % TINY_SIDE), images);
        fputc((int)(i % TINY_CLASSES), labels);
    }
    fclose(images);
    fclose(labels);
}

static inline void tiny_write(const tiny *t, const char *name, const char *text)
{
    FILE *file = tiny_create(t, name);

    fputs(text, file);
    fclose(file);
}

#define TINY_NET                                     \
    "name: tiny\n"                                   \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 6, kernel: 3, pad: 1}\n" \
    "  - batch_norm\n"                               \
    "  - relu\n"                                     \
    "  - max_pool: 2\n"                              \
    "  - flatten\n"                                  \
    "  - dropout: 0.2\n"                             \
    "  - dense: classes\n"

/* The same without layers that look at the whole batch or draw. */
#define TINY_PLAIN_NET                               \
    "name: plain\n"                                  \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 6, kernel: 3, pad: 1}\n" \
    "  - relu\n"                                     \
    "  - max_pool: 2\n"                              \
    "  - flatten\n"                                  \
    "  - dense: classes\n"

/* 50 samples in batches of 8: 7 steps an epoch, the last of 2 samples. */
#define TINY_RECIPE(net, more) \
    "net: " net "\ndata: data\nepochs: 3\nbatch: 8\noptimizer: {sgd: {rate: 0.05, decay: 1e-3}}\n" more

static inline int tiny_open(void **state)
{
    tiny *t = calloc(1, sizeof *t);

    /* in memory if there is such a place: checkpoints wait for the disk, and tests write hundreds */
    snprintf(t->folder, sizeof t->folder, "%s/espalier_train_XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(t->folder))
        return -1;
    char data[128];
    snprintf(data, sizeof data, "%s/data", t->folder);
    if (mkdir(data, 0700))
        return -1;
    snprintf(t->recipe, sizeof t->recipe, "%s/recipe.yaml", t->folder);
    tiny_write_part(t, "data/train", 0, TINY_TRAIN);
    tiny_write_part(t, "data/t10k", 1000, TINY_TEST);
    tiny_write(t, "tiny.yaml", TINY_NET);
    tiny_write(t, "plain.yaml", TINY_PLAIN_NET);
    *state = t;
    return 0;
}

static inline int tiny_remove(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int tiny_close(void **state)
{
    tiny *t = *state;

    nftw(t->folder, tiny_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(t);
    return 0;
}

#define TINY_TEST_OF(test) cmocka_unit_test_setup_teardown(test, tiny_open, tiny_close)

/* What one process does with the recipe. */
typedef struct tiny_job {
    const char *out; /* folder within the test's */
    int threads;     /* 0: one */
    bool resume;
    int64_t stop_at; /* interrupt after so many steps of the run; 0: never */
    const char *const *set, *const *with;
    const char *text; /* NULL: the recipe file as it is */
} tiny_job;

typedef struct tiny_outcome {
    espl_status status;
    espl_result result;
} tiny_outcome;

typedef struct tiny_watcher {
    espl_context *ctx;
    int64_t stop_at;
} tiny_watcher;

static inline void tiny_watch(void *user, const espl_news *news)
{
    const tiny_watcher *w = user;

    if (news->kind == ESPL_NEWS_STEP && w->stop_at && news->step >= w->stop_at)
        espl_interrupt(w->ctx);
}

static inline espl_status tiny_fit(tiny *t, const tiny_job *job, espl_context *ctx, espl_result *result)
{
    char folder[160];
    espl_run *run = NULL;
    tiny_watcher watcher = { ctx, job->stop_at };

    snprintf(folder, sizeof folder, "%s/%s", t->folder, job->out ? job->out : "run");
    const espl_run_settings settings = { .folder = folder, .resume = job->resume, .set = job->set, .with = job->with };
    if (job->text)
        tiny_write(t, "recipe.yaml", job->text);
    espl_status s = espl_run_load(ctx, t->recipe, &settings, &run);
    if (!s) {
        espl_run_watch(run, tiny_watch, &watcher);
        s = espl_run_fit(run);
        *result = *espl_run_result(run);
    }
    if (s)
        snprintf(t->message, sizeof t->message, "%s", espl_message(ctx));
    espl_run_free(run);
    return s;
}

static inline tiny_outcome tiny_do(tiny *t, const tiny_job *job)
{
    espl_context *ctx = NULL;
    tiny_outcome outcome = { 0 };

    t->message[0] = 0;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = job->threads ? job->threads : 1,
                                                                 .oversubscribe = true },
                                       &ctx),
                     ESPL_OK);
    outcome.status = tiny_fit(t, job, ctx, &outcome.result);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return outcome;
}

/* Trains to the end and returns the hash of the last state. */
static inline uint64_t tiny_hash(tiny *t, const tiny_job *job)
{
    const tiny_outcome outcome = tiny_do(t, job);

    if (outcome.status)
        fail_msg("%s: %s", espl_status_name(outcome.status), t->message);
    return outcome.result.hash;
}

/* The recipe is refused, or its training ends, with this status and these words. */
static inline void tiny_refuses(tiny *t, const tiny_job *job, espl_status status, const char *words)
{
    const tiny_outcome outcome = tiny_do(t, job);

    if (outcome.status != status || !strstr(t->message, words))
        fail_msg("expected %s with \"%s\", got %s with \"%s\"", espl_status_name(status), words,
                 espl_status_name(outcome.status), t->message);
}

/* A file of the test's folder as text; the caller frees it. NULL if there is none. */
static inline char *tiny_read(const tiny *t, const char *name)
{
    char path[256];
    long length;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)length + 1);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    fclose(file);
    return text;
}

#endif
