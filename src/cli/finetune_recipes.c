/* What finetune chooses by itself, written as recipes that train the same again. */
#include "finetune.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Epochs that did well for small nets on a few thousand photos; --head-epochs and --epochs change them. The decay of the
 * head, on the values of a frozen part, made the loss of held-out photos least at every rate from 0.01 to 0.1. */
#define HEAD_EPOCHS 30
#define EPOCHS 12
#define BATCH 32
#define HELD_OUT 0.2 /* where the data has no part for it */

void finetune_choose(finetune *f, const espl_faults *check)
{
    const finetune_options *o = f->options;
    const bool split = !o->test && check && !check->held_out;

    f->head_epochs = o->head_epochs ? o->head_epochs : HEAD_EPOCHS;
    f->epochs = o->epochs.given ? o->epochs.value : EPOCHS;
    f->batch = o->batch ? o->batch : BATCH;
    f->rate = o->rate;
    f->held_out = o->held_out > 0 ? o->held_out : split ? HELD_OUT
                                                        : 0;
}

void finetune_path(const finetune *f, const char *name, char path[1100])
{
    snprintf(path, 1100, "%s/%s", f->folder, name);
}

/* "key: text" where the text is in the quotes of JSON, which YAML reads too. */
static void write_text(FILE *file, const char *before, const char *text, const char *after)
{
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    fprintf(file, "%s%s%s", before, quoted ? quoted : "\"\"", after);
    free(quoted);
    json_decref(value);
}

static void write_data(const finetune *f, FILE *file)
{
    write_text(file, "data: {path: ", f->photos, "");
    if (f->options->test)
        write_text(file, ", test: ", f->options->test, "");
    if (*f->left_out)
        write_text(file, ", leave-out: ", f->left_out, "");
    if (f->held_out > 0)
        fprintf(file, ", held-out: %g", f->held_out);
    fprintf(file, "}\n");
}

static void write_top(const finetune *f, FILE *file, int64_t epochs)
{
    fprintf(file, "epochs: %" PRId64 "\nbatch: %" PRId64 "\n", epochs, f->batch);
    if (f->options->machine.seed.given)
        fprintf(file, "seed: %" PRId64 "\n", f->options->machine.seed.value);
}

static FILE *begin(const finetune *f, const char *name, const char *comment)
{
    char path[1100];

    finetune_path(f, name, path);
    FILE *file = fopen(path, "w");
    if (!file)
        cli_complain("%s: cannot be written: %s", path, strerror(errno));
    else
        fprintf(file, "# %s\n", comment);
    return file;
}

static bool finish(FILE *file)
{
    const bool failed = ferror(file);

    if (fclose(file) || failed) {
        cli_complain("a recipe cannot be written: %s", strerror(errno));
        return false;
    }
    return true;
}

/* Weights of another program go into the net that --net names. */
static void write_net(const finetune *f, FILE *file)
{
    const finetune_options *o = f->options;

    write_text(file, "net: ", o->net ? o->net : f->net, "\n");
    if (o->net)
        write_text(file, "weights: ", f->net, "\n");
    if (o->prepare && strchr(o->prepare, ':'))
        fprintf(file, "prepare: {%s}\n", o->prepare);
    else if (o->prepare)
        write_text(file, "prepare: ", o->prepare, "\n");
}

bool finetune_write_head(const finetune *f)
{
    FILE *file = begin(f, "head.yaml", "A new head on a trained net, whose other layers are computed once.");

    if (!file)
        return false;
    write_net(f, file);
    fprintf(file, "head: auto\n");
    write_data(f, file);
    write_top(f, file, f->head_epochs);
    fprintf(file, "optimizer: {sgd: {rate: find, momentum: 0.9, decay: 0.01}}\nvariants: 4\ntechniques:\n"
                  "  - transfer-freeze\n  - augment-flip\n  - augment-random-crop: {area-low: 0.5}\n"
                  "  - schedule-cosine\n");
    return finish(file);
}

bool finetune_write_all(const finetune *f)
{
    char net[1100];
    FILE *file = begin(f, "all.yaml", "All layers, from the net with the trained head; the lower, the slower.");

    if (!file)
        return false;
    finetune_path(f, "head/net.safetensors", net);
    write_text(file, "net: ", net, "\n");
    write_data(f, file);
    write_top(f, file, f->epochs);
    fprintf(file, "optimizer: {sgd: {rate: %.2g, momentum: 0.9, decay: 1e-4}}\n"
                  "loss: {softmax_cross_entropy: {label-smoothing: 0.1}}\ntechniques:\n"
                  "  - augment-flip\n  - augment-random-crop: {area-low: 0.35}\n"
                  "  - transfer-rates: {factor: 1.5}\n  - average-ema: {reach: 0.1run}\n"
                  "  - schedule-cosine: {warm-up: 1ep}\n",
            f->rate);
    return finish(file);
}
