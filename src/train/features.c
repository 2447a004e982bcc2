/* Features of the frozen part of a net; see features.h. */
#include "train/features.h"
#include "base/store.h"
#include "train/train.h"

#include <stdio.h>
#include <string.h>

#define MEMORY_SHARE 4 /* features may take a quarter of what memory there is; more goes to a file */
#define FILE_NAME "features.cache"

struct espl__features {
    espl_context *ctx;
    espl_net *net;
    espl__graph *frozen, *rest;
    int cut;
    int64_t size, variants, count[2]; /* values of a sample; samples of each part */
    uint64_t hash;                    /* of the values in the frozen part */
    espl__store store;                /* variants of the training part, then the held-out part */
    double seconds;                   /* that computing them took */
    bool done;
};

/* ---- is it right? ---- */

static const char *what_changes(const espl_run *run, const espl__node *node)
{
    if (espl__own_parameter_trains(run->net, run->fit.graph, node))
        return "trains";
    return node->op->flags & ESPL__IS_RANDOM ? "draws at random" : "normalizes by the batch";
}

static espl_status refuse(espl_run *run, const char *why, const char *what)
{
    const espl__document *document = run->recipe.document;

    if (run->recipe.options.cache == ESPL__CACHE_YES)
        return espl__tree_fail(document, espl__tree_get(document->root, "cache"), ESPL_BAD_STATE,
                               "cache: the features of the frozen part cannot be kept: %s%s", why, what);
    espl__log(run->ctx, ESPL_NOTE, "the frozen part is computed in every epoch, not once: %s%s", why, what);
    return ESPL_OK;
}

static bool any_frozen(const espl_run *run)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (run->net->parameters[i].frozen)
            return true;
    return false;
}

/* `*node` is 0 if there is nothing to keep, or it would not be right. */
static espl_status find_cut(espl_run *run, int *node)
{
    const espl__graph *graph = run->fit.graph;
    char text[320];
    int obstacle = 0;
    espl_status s;

    *node = 0;
    if (run->recipe.options.cache == ESPL__CACHE_NO ||
        (run->recipe.options.cache == ESPL__CACHE_AUTO && !any_frozen(run)))
        return ESPL_OK;
    if (run->fit.teacher.net)
        return refuse(run, "a teacher must see the samples themselves", "");
    if ((s = espl__frozen_prefix(run->net, graph, node, &obstacle)))
        return s;
    if (!*node) {
        snprintf(text, sizeof text, "\"%s\" %s, and no frozen layer that all ways pass lies before it",
                 graph->nodes[obstacle].name, what_changes(run, &graph->nodes[obstacle]));
        return refuse(run, text, any_frozen(run) ? "" : "; freeze layers with transfer-freeze");
    }
    if (run->fit.augmentation_count && !run->recipe.options.variants) {
        *node = 0;
        return refuse(run, run->fit.augmentations[0].technique->name,
                      " draws each picture anew in every epoch; with `variants: 4` it draws four of each, once");
    }
    if (run->net->precision == ESPL_BF16 && espl__shape_pixels(graph->nodes[*node].shape) > 1) {
        const char *name = graph->nodes[*node].name;
        *node = 0;
        return refuse(run, "precision: bf16 would round them elsewhere than in the net, after ", name);
    }
    return ESPL_OK;
}

/* ---- opening ---- */

static uint64_t hash_values(const espl_net *net, const espl__graph *frozen)
{
    uint64_t hash = 0;

    for (int i = 0; i < frozen->node_count; i++)
        for (int k = 0; k < frozen->nodes[i].parameter_count; k++) {
            const espl__parameter *p = &net->parameters[frozen->nodes[i].parameters[k]];
            hash = espl__hash(p->value, (size_t)p->count * sizeof(float), hash);
        }
    return hash;
}

/* Everything that the values follow from. */
static espl_status hash_all(espl_run *run, const espl__features *f, uint64_t *key)
{
    const int64_t numbers[] = { f->cut, f->size, f->variants, espl__isa_here(), run->recipe.options.seed,
                                run->recipe.options.algorithm, run->recipe.options.precision };
    const espl__preparation *p = &run->net->preparation;
    espl__text text = { 0 };
    char name[256];
    espl_status s = espl__graph_write(run->net->graph, &text);

    for (int i = 0; i < run->fit.augmentation_count && !s; i++) {
        const espl__augmentation *a = &run->fit.augmentations[i];
        if (!(s = espl__text_add(run->ctx, &text, "%s", a->technique->name)))
            s = espl__options_write(run->ctx, a->technique->options, a->self, &text);
    }
    for (int part = 0; part < 2 && !s; part++)
        for (int64_t i = 0; i < f->count[part] && !s; i++) {
            espl__data_sample_name(run->data, part, i, name);
            s = espl__text_add(run->ctx, &text, "%s\n", name);
        }
    if (!s)
        s = espl__text_add(run->ctx, &text, "%s %g %g %g %g %g %g %g %g %g %s %s", espl_version(), p->scale, p->mean[0],
                           p->mean[1], p->mean[2], p->mean[3], p->deviation[0], p->deviation[1], p->deviation[2],
                           p->deviation[3], p->resize, p->order);
    if (!s)
        *key = espl__hash(text.data, text.length,
                          espl__hash(numbers, sizeof numbers, f->hash ^ espl__data_hash(run->data)));
    espl__text_free(run->ctx, &text);
    return s;
}

/* How many values of how many samples. */
static void measure(const espl_run *run, espl__features *f)
{
    const int64_t variants = run->recipe.options.variants, epochs = run->recipe.options.epochs;

    f->size = espl__shape_size(run->fit.graph->nodes[f->cut].shape);
    f->variants = !variants || !run->fit.augmentation_count ? 1 : variants < epochs ? variants
                                                                                    : epochs;
    for (int part = 0; part < 2; part++)
        f->count[part] = espl_data_count(run->data, part);
}

static int64_t samples_of(const espl__features *f)
{
    return f->variants * f->count[ESPL_TRAIN] + f->count[ESPL_HELD_OUT];
}

static size_t bytes_of(const espl__features *f)
{
    size_t bytes = 0;

    return espl__multiply((size_t)samples_of(f), (size_t)f->size * sizeof(float), &bytes) ? bytes : SIZE_MAX;
}

static bool fits_memory(const espl_run *run, const espl__features *f)
{
    return bytes_of(f) <= espl__memory_limit(run->ctx) / MEMORY_SHARE;
}

static espl_status open_store(espl_run *run, espl__features *f)
{
    char path[ESPL__PATH_MAX];
    uint64_t key = 0;
    espl_status s;

    if (!run->folder || fits_memory(run, f))
        return espl__store_open(run->ctx, NULL, false, 0, bytes_of(f), &f->store);
    if ((s = hash_all(run, f, &key)) || (s = espl__folder_make_for(run, FILE_NAME)))
        return s;
    espl__folder_path(run, FILE_NAME, path);
    return espl__store_open(run->ctx, path, run->resume, key, bytes_of(f), &f->store);
}

static espl_status open(espl_run *run, espl__features *f)
{
    const espl_status s = espl__graph_split(run->fit.graph, f->cut, &f->frozen, &f->rest);

    if (s)
        return s;
    f->hash = hash_values(run->net, f->frozen);
    return open_store(run, f);
}

espl_status espl__features_open(espl_run *run)
{
    espl__features sized = { .ctx = run->ctx, .net = run->net }, *f = NULL;
    espl_status s = find_cut(run, &sized.cut);

    if (s || !sized.cut)
        return s;
    measure(run, &sized);
    if (!run->folder && !fits_memory(run, &sized))
        return refuse(run, "a run without a folder has only a quarter of the memory for them", "");
    if ((s = espl__allocate(run->ctx, 1, sizeof *f, &f)))
        return s;
    *f = sized;
    if ((s = open(run, f))) {
        espl__features_free(f);
        return s;
    }
    run->fit.features = f;
    return ESPL_OK;
}

void espl__features_free(espl__features *f)
{
    if (!f)
        return;
    espl__store_free(f->ctx, &f->store, f->store.whole && !f->done);
    espl__graph_free(f->frozen);
    espl__graph_free(f->rest);
    espl__release(f->ctx, f);
}

const espl__graph *espl__features_rest(const espl__features *f)
{
    return f->rest;
}

int espl__features_cut(const espl__features *f)
{
    return f->cut;
}

/* ---- computing ---- */

static float *values_of(const espl__features *f, espl_part part, int64_t variant)
{
    const int64_t before = part == ESPL_HELD_OUT ? f->variants * f->count[ESPL_TRAIN] : variant * f->count[ESPL_TRAIN];

    return (float *)f->store.values + before * f->size;
}

static espl_status extract(const espl__features *f, espl__plan *plan, espl__loader *loader, float *to)
{
    const espl__batch *batch = NULL;
    espl_status s;

    while (!(s = espl__loader_next(loader, &batch)) && batch) {
        espl__plan_run(plan, &(espl__feed){ .count = batch->count, .values = batch->values, .index = batch->index });
        for (int64_t i = 0; i < batch->count; i++)
            espl__plan_read_output(plan, i, to + batch->index[i] * f->size);
        if (espl__interrupted(f->ctx))
            return espl__fail(f->ctx, ESPL_INTERRUPTED, "stopped while the frozen part was computed");
    }
    return s;
}

static espl_status fill_variant(espl_run *run, espl__plan *plan, espl_part part, int64_t variant)
{
    const espl__features *f = run->fit.features;
    const bool train = part == ESPL_TRAIN;
    espl__loader_settings settings = {
        .part = part,
        .batch = run->fit.micro,
        .seed = (uint64_t)run->recipe.options.seed,
        .first_epoch = variant,
        .epochs = variant + 1,
        .augmentations = train ? run->fit.augmentations : NULL,
        .augmentation_count = train ? run->fit.augmentation_count : 0,
        .threads = espl__worker_count(run->ctx),
    };
    espl__loader *loader = NULL;
    espl_status s;

    espl__loader_prepare(run->net, &settings);
    if ((s = espl__loader_open(run->data, &settings, &loader)))
        return s;
    s = extract(f, plan, loader, values_of(f, part, variant));
    espl__loader_free(loader);
    return s;
}

/* The shards are those of the whole net, so that every sample gets the bits it would have got there. */
static espl_status fill_part(espl_run *run, espl_part part, const espl__graph *whole, int64_t variants)
{
    const espl__plan_settings settings = { .batch = run->fit.micro, .direct_only = run->fit.plan_settings.direct_only, .part_of = whole };
    espl__plan *plan = NULL;
    espl_status s = espl__plan_open(run->net, run->fit.features->frozen, &settings, &plan);

    for (int64_t v = 0; v < variants && !s; v++)
        s = fill_variant(run, plan, part, v);
    espl__plan_free(plan);
    return s;
}

espl_status espl__features_fill(espl_run *run)
{
    espl__features *f = run->fit.features;
    const double began = espl__now();
    espl_status s;

    if (run->fit.scorer)
        espl__scorer_serve(run->fit.scorer, values_of(f, ESPL_HELD_OUT, 0), f->size);
    if (f->store.whole)
        return ESPL_OK;
    if ((s = fill_part(run, ESPL_TRAIN, run->fit.whole, f->variants)) ||
        (run->fit.scorer && (s = fill_part(run, ESPL_HELD_OUT, espl__scorer_whole(run->fit.scorer), 1))))
        return s;
    f->seconds = espl__now() - began;
    return espl__store_finish(run->ctx, &f->store);
}

void espl__features_done(espl_run *run)
{
    if (run->fit.features)
        run->fit.features->done = true;
}

void espl__features_serve(const espl__features *f, espl__loader_settings *settings)
{
    settings->ready = values_of(f, settings->part, 0);
    settings->ready_size = f->size;
    settings->variants = settings->part == ESPL_TRAIN ? f->variants : 1;
}

espl_status espl__features_check(const espl_run *run)
{
    const espl__features *f = run->fit.features;

    if (!f || hash_values(f->net, f->frozen) == f->hash)
        return ESPL_OK;
    return espl__fail(run->ctx, ESPL_BAD_STATE,
                      "a frozen layer before \"%s\" was changed while its features were kept: set `cache: no`",
                      f->rest->nodes[1].name);
}

void espl__features_note(const espl_run *run, char note[256])
{
    const espl__features *f = run->fit.features;
    const espl__graph *graph = run->fit.graph;
    char copies[64] = "";

    if (f->variants > 1)
        snprintf(copies, sizeof copies, " in %lld variants", (long long)f->variants);
    snprintf(note, 256, "the frozen part up to \"%.100s\" was computed once%s, in %.1f s: %.1f MB of features in %s",
             graph->nodes[f->cut].name, copies, f->seconds, (double)f->store.bytes / 1e6,
             f->store.path ? "a file" : "memory");
}
