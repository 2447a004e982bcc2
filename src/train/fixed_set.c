/* The fixed samples of a range test; see fixed_set.h. */
#include "train/fixed_set.h"

#include "train/features.h"
#include "train/scorer.h"

#include <string.h>

#define BATCHES 2       /* at least */
#define SAMPLES_MIN 64  /* at least, if there are so many */
#define HELD_OUT_MIN 16 /* fewer say nothing; training data is taken then */

struct espl__fixed_set {
    espl_run *run;
    espl__plan *plan;
    int64_t batch, batches, size; /* size: values of a sample */
    float *values;
    int32_t *labels;
    int64_t *index;
};

static espl_part choose_part(espl_run *run)
{
    const bool held_out = !espl__data_has_test(run->data) &&
                          espl_data_count(run->data, ESPL_HELD_OUT) >= HELD_OUT_MIN;

    return held_out ? ESPL_HELD_OUT : ESPL_TRAIN;
}

static void choose_size(espl__fixed_set *set, int64_t count)
{
    const int64_t micro = set->run->fit.micro, wanted = (SAMPLES_MIN + micro - 1) / micro;

    set->batch = micro < count ? micro : count;
    set->batches = wanted > BATCHES ? wanted : BATCHES;
    if (set->batches > count / set->batch)
        set->batches = count / set->batch;
}

static espl_status allocate(espl__fixed_set *set)
{
    const size_t samples = (size_t)(set->batch * set->batches);
    espl_context *ctx = set->run->ctx;
    espl_status s;

    if ((s = espl__allocate(ctx, samples, (size_t)set->size * sizeof(float), &set->values)) ||
        (s = espl__allocate(ctx, samples, sizeof *set->labels, &set->labels)))
        return s;
    return espl__allocate(ctx, samples, sizeof *set->index, &set->index);
}

static espl_status read(espl__fixed_set *set, espl__loader *loader)
{
    const espl__batch *batch = NULL;
    espl_status s = ESPL_OK;

    for (int64_t b = 0; b < set->batches && !(s = espl__loader_next(loader, &batch)) && batch; b++) {
        const size_t first = (size_t)(b * set->batch), count = (size_t)set->batch;
        memcpy(set->values + first * (size_t)set->size, batch->values, count * (size_t)set->size * sizeof(float));
        memcpy(set->labels + first, batch->labels, count * sizeof *set->labels);
        memcpy(set->index + first, batch->index, count * sizeof *set->index);
    }
    return s;
}

static espl_status load(espl__fixed_set *set, espl_part part)
{
    espl_context *ctx = set->run->ctx;
    espl__loader_settings settings = {
        .part = part,
        .batch = set->batch,
        .shuffle = true,
        .seed = espl__stream_of(espl__seed(ctx), "fixed-set").key,
        .epochs = 1,
        .threads = espl__worker_count(ctx),
    };
    espl__loader *loader = NULL;
    espl_status s;

    espl__loader_prepare(set->run->net, &settings);
    if (set->run->fit.features)
        espl__features_serve(set->run->fit.features, &settings);
    if ((s = espl__loader_open(set->run->data, &settings, &loader)))
        return s;
    s = read(set, loader);
    espl__loader_free(loader);
    return s;
}

static espl_status open(espl__fixed_set *set)
{
    espl_run *run = set->run;
    const espl_part part = choose_part(run);
    espl__plan_settings settings = run->fit.plan_settings;
    espl_status s;

    choose_size(set, espl_data_count(run->data, part));
    set->size = espl__shape_size(run->fit.fused->nodes[0].shape);
    settings.batch = set->batch;
    settings.forward = true;
    if ((s = allocate(set)) || (s = load(set, part)))
        return s;
    return espl__plan_open(run->net, run->fit.fused, &settings, &set->plan);
}

espl_status espl__fixed_set_open(espl_run *run, espl__fixed_set **result)
{
    espl__fixed_set *set = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(run->ctx, 1, sizeof *set, &set)))
        return s;
    set->run = run;
    if ((s = open(set))) {
        espl__fixed_set_free(set);
        return s;
    }
    *result = set;
    return ESPL_OK;
}

void espl__fixed_set_free(espl__fixed_set *set)
{
    if (!set)
        return;
    espl_context *ctx = set->run->ctx;
    espl__plan_free(set->plan);
    espl__release(ctx, set->values);
    espl__release(ctx, set->labels);
    espl__release(ctx, set->index);
    espl__release(ctx, set);
}

int64_t espl__fixed_set_samples(const espl__fixed_set *set)
{
    return set->batch * set->batches;
}

double espl__fixed_set_loss(espl__fixed_set *set)
{
    double sum = 0;

    for (int64_t b = 0; b < set->batches; b++) {
        const int64_t first = b * set->batch;
        espl__plan_run(set->plan, &(espl__feed){ .count = set->batch,
                                                 .values = set->values + first * set->size,
                                                 .labels = set->labels + first,
                                                 .index = set->index + first,
                                                 .parameters_changed = b == 0 });
        for (int64_t i = 0; i < set->batch; i++)
            sum += (double)espl__plan_loss(set->plan, i);
    }
    return sum / (double)espl__fixed_set_samples(set);
}
