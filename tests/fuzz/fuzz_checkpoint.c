/* Checkpoints and the log beside them. A checkpoint belongs to one build and one run, so the input is
 * what is damaged in a whole one: records of a place (two bytes), a count and so many bytes, written over
 * the checkpoint with its log behind it; a count of zero cuts the checkpoint off at the place. The run
 * must refuse what is left, or go on from it to its end. */
#include "fuzz.h"
#include "train/train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char recipe[512], folder[512];
static char *whole; /* checkpoint and log */
static size_t checkpoint_bytes, whole_bytes;

static void stop_at_3(void *user, const espl_news *news)
{
    if (news->kind == ESPL_NEWS_STEP && news->step == 3)
        espl_interrupt(user);
}

static espl_status train(espl_context *ctx, bool resume)
{
    espl_run *run = NULL;
    espl_status s = espl_run_load(ctx, recipe, &(espl_run_settings){ .folder = folder, .resume = resume }, &run);

    if (!s) {
        if (!resume)
            espl_run_watch(run, stop_at_3, ctx);
        s = espl_run_fit(run);
    }
    espl_run_free(run);
    return s;
}

static void write_data(void)
{
    static const uint8_t images[8 + 8 + 8 * 16] = { 0, 0, 8, 3, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 4, 1, 200, 3, 7 };
    static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 8, 0, 1, 0, 1, 0, 1, 0, 1 };
    static const char net[] = "input: {channels: 1, height: 4, width: 4}\n"
                              "layers: [conv2d: {channels: 2, kernel: 3}, batch_norm, flatten, dense: 2]\n";
    static const char text[] = "{net: net.yaml, data: data, held-out: 0.25, epochs: 2, batch: 3, optimizer: adam,"
                               " techniques: [clip-gradients, schedule-plateau: {patience: 1}]}";

    fuzz_file("data/train-images-idx3-ubyte", images, sizeof images);
    fuzz_file("data/train-labels-idx1-ubyte", labels, sizeof labels);
    fuzz_file("net.yaml", net, sizeof net - 1);
    strcpy(recipe, fuzz_file("recipe.yaml", text, sizeof text - 1));
    strcpy(folder, recipe);
    strcpy(strrchr(folder, '/'), "/run");
}

/* Appends a file of the run's folder to `whole`. */
static void keep(espl_context *ctx, const char *name)
{
    char path[600];
    char *data = NULL;
    size_t bytes = 0;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (espl__file_read(ctx, path, SIZE_MAX, &data, &bytes) || !(whole = realloc(whole, whole_bytes + bytes)))
        fuzz_give_up(name);
    memcpy(whole + whole_bytes, data, bytes);
    whole_bytes += bytes;
    espl__release(ctx, data);
}

static void begin(espl_context *ctx)
{
    write_data();
    if (train(ctx, false) != ESPL_INTERRUPTED)
        fuzz_give_up(espl_message(ctx));
    keep(ctx, "checkpoint.safetensors");
    checkpoint_bytes = whole_bytes;
    keep(ctx, "log.jsonl");
}

/* Returns how many bytes of the checkpoint are left. */
static size_t damage(char *copy, const uint8_t *data, size_t bytes)
{
    size_t left = checkpoint_bytes;

    while (bytes >= 3) {
        const size_t place = (size_t)(data[0] | data[1] << 8) % whole_bytes;
        size_t count = data[2];
        data += 3;
        bytes -= 3;
        if (!count && place < left)
            left = place;
        count = count < bytes ? count : bytes;
        memcpy(copy + place, data, count < whole_bytes - place ? count : whole_bytes - place);
        data += count;
        bytes -= count;
    }
    return left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    if (!whole)
        begin(ctx);
    char *copy = malloc(whole_bytes);
    if (!copy)
        fuzz_give_up("no memory");
    memcpy(copy, whole, whole_bytes);
    const size_t left = damage(copy, data, bytes);
    fuzz_file("run/checkpoint.safetensors", copy, left);
    fuzz_file("run/log.jsonl", copy + checkpoint_bytes, whole_bytes - checkpoint_bytes);
    const espl_status s = train(ctx, true);
    fuzz_status(ctx, s);
    if (s && !bytes)
        fuzz_give_up(espl_message(ctx)); /* nothing was damaged */
    if (espl__bytes_now(ctx))
        fuzz_give_up("memory is held");
    free(copy);
    espl_context_free(ctx);
    return 0;
}
