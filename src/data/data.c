/* Labelled data: which source a path belongs to, its two parts, their classes and names. */
#include "data/parts.h"
#include "data/paths.h"
#include "data/reading.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HELD_OUT_DEFAULT 0.1
#define MOST_SOURCES 32

/* ---- finding the source ---- */

static espl_status find_by_name(espl_context *ctx, const char *name, const espl__source **result)
{
    const char *names[MOST_SOURCES];
    int count = 0;

    for (; count < MOST_SOURCES && (*result = espl__source_at(count)); count++) {
        if (espl__text_equal((*result)->name, name))
            return ESPL_OK;
        names[count] = (*result)->name;
    }
    const char *nearest = espl__text_nearest(name, names, count);
    return espl__fail(ctx, ESPL_BAD_OPTION, "source: there is no \"%s\"; the nearest is \"%s\"",
                      name, nearest ? nearest : names[0]);
}

static espl_status find_source(espl_context *ctx, const char *path, const char *name,
                               const espl__source **result)
{
    const espl__source *source;

    if (espl__path_kind(path) == ESPL__PATH_NONE)
        return espl__fail(ctx, ESPL_NO_FILE, "%s: there is no such file or folder", path);
    if (name)
        return find_by_name(ctx, name, result);
    for (int i = 0; (source = espl__source_at(i)); i++)
        if (source->fits(path)) {
            *result = source;
            return ESPL_OK;
        }
    return espl__fail(ctx, ESPL_BAD_FILE,
                      "%s: is not a kind of data that is known: a folder with one folder of "
                      "pictures per class or a .tar of it, IDX or CIFAR files, .npy, .npz, .csv",
                      path);
}

/* ---- classes ---- */

static espl_status name_classes(espl_data *data)
{
    char number[16];
    espl_status status;

    data->classes = data->source->classes(data->state);
    status = espl__allocate(data->ctx, (size_t)data->classes, sizeof *data->names, &data->names);
    for (int c = 0; c < data->classes && !status; c++) {
        const char *name = data->source->class_name(data->state, c);
        snprintf(number, sizeof number, "%d", c);
        status = espl__copy_text(data->ctx, name ? name : number, &data->names[c]);
    }
    return status;
}

static int class_of_name(const espl_data *data, const char *name)
{
    for (int c = 0; c < data->classes; c++)
        if (espl__text_equal(data->names[c], name))
            return c;
    return -1;
}

/* The test data may lack classes and may count them differently; by name they must be known. */
static espl_status match_classes(espl_data *data, const char *path)
{
    const int classes = data->test_source->classes(data->test_state);
    int32_t **class = &data->class[ESPL_HELD_OUT];
    espl_status status = espl__allocate(data->ctx, (size_t)classes, sizeof **class, class);

    for (int c = 0; c < classes && !status; c++) {
        const char *name = data->test_source->class_name(data->test_state, c);
        const bool named = name && data->source->class_name(data->state, 0);
        (*class)[c] = named ? class_of_name(data, name) : c < data->classes ? c
                                                                            : -1;
        if ((*class)[c] < 0 && named)
            status = espl__fail(
                data->ctx, ESPL_BAD_FILE,
                "%s: the test data has a class \"%s\" that the training data has not", path, name);
        else if ((*class)[c] < 0)
            status = espl__fail(
                data->ctx, ESPL_BAD_FILE,
                "%s: the test data has the label %d; the training data has only 0..%d", path, c,
                data->classes - 1);
    }
    return status;
}

/* ---- parts ---- */

static espl_status check_settings(espl_context *ctx, const espl_data_settings *s)
{
    if (!(s->held_out >= 0 && s->held_out < 1))
        return espl__fail(ctx, ESPL_BAD_OPTION, "held-out: %g is not within 0..1 (1 excluded)",
                          s->held_out);
    if (s->folds < 0 || s->folds == 1 || s->fold < 0 || s->fold > s->folds)
        return espl__fail(ctx, ESPL_BAD_OPTION,
                          "folds: 2 or more parts and one of them from 1 were expected, not %lld and part %lld",
                          (long long)s->folds, (long long)s->fold);
    if (s->folds && (s->test || s->held_out > 0))
        return espl__fail(ctx, ESPL_BAD_OPTION,
                          "folds: each part of the training data is held out in turn, so neither test nor held-out "
                          "can be given beside it");
    if (s->limit < 0)
        return espl__fail(ctx, ESPL_BAD_OPTION, "limit: %lld is negative", (long long)s->limit);
    return ESPL_OK;
}

static espl_status collect_labels(espl_data *data, const char *path, const espl_data_settings *settings,
                                  int32_t **labels)
{
    const int64_t count = data->source->count(data->state);
    int different = 0;
    espl_status status = espl__allocate(data->ctx, (size_t)count, sizeof **labels, labels);

    for (int64_t i = 0; i < count && !status; i++) {
        (*labels)[i] = data->source->label(data->state, i);
        different |= (*labels)[i] != (*labels)[0];
    }
    if (!status && !different && !settings->one_class)
        status = espl__fail(data->ctx, ESPL_BAD_FILE,
                            "%s: all %lld samples have the same class (%s); at least two classes "
                            "are needed to learn to tell them apart",
                            path, (long long)count, count ? data->names[(*labels)[0]] : "none");
    return status;
}

static espl_status choose_held(espl_data *data, const int32_t *labels, int64_t count,
                               const espl_data_settings *settings, bool *held)
{
    const double share = settings->held_out > 0 ? settings->held_out : HELD_OUT_DEFAULT;

    if (data->test_state)
        return ESPL_OK;
    if (settings->folds > count)
        return espl__fail(data->ctx, ESPL_BAD_OPTION, "folds: %lld parts cannot be made of %lld samples",
                          (long long)settings->folds, (long long)count);
    if (settings->folds)
        return espl__split_fold(data->ctx, labels, count, data->classes, settings->folds,
                                settings->fold ? settings->fold - 1 : 0, settings->split_seed, held);
    return espl__split(data->ctx, labels, count, data->classes, share, settings->split_seed, held);
}

/* Gives the training part all samples that are not held out, and the held-out part the others. */
static espl_status divide(espl_data *data, const int32_t *labels,
                          const espl_data_settings *settings)
{
    const int64_t count = data->source->count(data->state);
    espl__part *train = &data->part[ESPL_TRAIN], *held_out = &data->part[ESPL_HELD_OUT];
    bool *held = NULL;
    espl_status status = espl__allocate(data->ctx, (size_t)count, sizeof *held, &held);

    if (!status)
        status = choose_held(data, labels, count, settings, held);
    if (!status)
        status = espl__allocate(data->ctx, (size_t)count, sizeof *train->order, &train->order);
    if (!status && !data->test_state)
        status = espl__allocate(data->ctx, (size_t)count, sizeof *held_out->order,
                                &held_out->order);
    for (int64_t i = 0; i < count && !status; i++) {
        espl__part *part = held[i] ? held_out : train;
        part->order[part->count++] = i;
    }
    espl__release(data->ctx, held);
    if (!status)
        status = espl__limit(data->ctx, labels, data->classes, settings->limit, train->order,
                             &train->count);
    return status;
}

static espl_status open_test(espl_data *data, const char *path, const espl_data_settings *settings)
{
    int64_t shape[3];
    espl_data_settings alike = *settings; /* grey or colour as the training pictures */
    const char *test = settings->test ? settings->test : path;
    espl__part *part = &data->part[ESPL_HELD_OUT];
    espl_status status;

    /* what was asked for is split off, and the data's own test part rests */
    if (!settings->test && (settings->held_out > 0 || settings->folds || !data->source->has_test(path, data->state)))
        return ESPL_OK;
    data->test_source = data->source;
    data->has_test = settings->test || !data->source->validates;
    if (settings->test) {
        status = find_source(data->ctx, test, settings->source, &data->test_source);
        if (status)
            return status;
    }
    if (data->source->pictures(data->state) && (data->shape[0] == 1 || data->shape[0] == 3))
        alike.channels = (int)data->shape[0];
    status = data->test_source->open(data->ctx, test, &alike, true, &data->test_state);
    if (status)
        return status;
    data->test_source->shape(data->test_state, shape);
    if (memcmp(shape, data->shape, sizeof shape))
        return espl__fail(
            data->ctx, ESPL_BAD_SHAPE,
            "%s: the test samples are %lldx%lldx%lld, the training samples %lldx%lldx%lld", test,
            (long long)shape[0], (long long)shape[1], (long long)shape[2],
            (long long)data->shape[0], (long long)data->shape[1], (long long)data->shape[2]);
    status = match_classes(data, test);
    part->state = data->test_state;
    part->count = data->test_source->count(data->test_state);
    part->class = data->class[ESPL_HELD_OUT];
    return status;
}

static espl_status open_parts(espl_data *data, const char *path, const espl_data_settings *settings)
{
    int32_t *labels = NULL;
    espl_status status = data->source->open(data->ctx, path, settings, false, &data->state);

    if (status)
        return status;
    data->source->shape(data->state, data->shape);
    data->part[0].state = data->part[1].state = data->state;
    status = name_classes(data);
    if (!status)
        status = collect_labels(data, path, settings, &labels);
    if (!status)
        status = open_test(data, path, settings);
    if (!status)
        status = divide(data, labels, settings);
    espl__release(data->ctx, labels);
    return status;
}

espl_status espl_data_open(espl_context *ctx, const char *path, const espl_data_settings *settings,
                           espl_data **result)
{
    static const espl_data_settings none;
    espl_data *data = NULL;
    espl_status status = check_settings(ctx, settings ? settings : &none);

    *result = NULL;
    settings = settings ? settings : &none;
    if (!status)
        status = espl__allocate(ctx, 1, sizeof *data, &data);
    if (status)
        return status;
    data->ctx = ctx;
    status = find_source(ctx, path, settings->source, &data->source);
    if (!status)
        status = open_parts(data, path, settings);
    if (status)
        espl_data_free(data);
    else
        *result = data;
    return status;
}

void espl_data_free(espl_data *data)
{
    if (!data)
        return;
    if (data->state)
        data->source->release(data->ctx, data->state);
    if (data->test_state)
        data->test_source->release(data->ctx, data->test_state);
    for (int p = 0; p < 2; p++) {
        espl__release(data->ctx, data->part[p].order);
        espl__release(data->ctx, data->class[p]);
    }
    for (int c = 0; data->names && c < data->classes; c++)
        espl__release(data->ctx, data->names[c]);
    espl__release(data->ctx, data->names);
    espl__release(data->ctx, data);
}

/* ---- asking ---- */

static const espl__source *source_of(const espl_data *data, espl_part part)
{
    return part == ESPL_HELD_OUT && data->test_state ? data->test_source : data->source;
}

static int64_t place_of(const espl_data *data, espl_part part, int64_t index)
{
    return data->part[part].order ? data->part[part].order[index] : index;
}

int64_t espl_data_count(const espl_data *data, espl_part part)
{
    return data->part[part].count;
}

int espl_data_classes(const espl_data *data)
{
    return data->classes;
}

const char *espl_data_class_name(const espl_data *data, int index)
{
    return index >= 0 && index < data->classes ? data->names[index] : "";
}

void espl_data_shape(const espl_data *data, int64_t shape[3])
{
    memcpy(shape, data->shape, sizeof data->shape);
}

bool espl__data_has_test(const espl_data *data)
{
    return data->has_test;
}

bool espl__data_pictures(const espl_data *data)
{
    return data->source->pictures(data->state);
}

const char *espl__data_source_name(const espl_data *data)
{
    return data->source->name;
}

int32_t espl__data_label(const espl_data *data, espl_part part, int64_t index)
{
    const int32_t label = source_of(data, part)
                              ->label(data->part[part].state, place_of(data, part, index));

    return data->part[part].class ? data->part[part].class[label] : label;
}

void espl__data_sample_name(const espl_data *data, espl_part part, int64_t index, char name[256])
{
    source_of(data, part)->sample_name(data->part[part].state, place_of(data, part, index), name);
}

espl_status espl__data_read(const espl_data *data, espl_part part, int64_t index,
                            espl_sample *sample, espl__reading *reading)
{
    return source_of(data, part)
        ->read(data->part[part].state, place_of(data, part, index), sample, reading);
}

uint64_t espl__data_hash(const espl_data *data)
{
    uint64_t hash = espl__hash(data->shape, sizeof data->shape, 0);

    hash = espl__hash(data->source->name, strlen(data->source->name), hash);
    for (int c = 0; c < data->classes; c++)
        hash = espl__hash(data->names[c], strlen(data->names[c]) + 1, hash);
    for (int p = 0; p < 2; p++) {
        hash = espl__hash(&data->part[p].count, sizeof data->part[p].count, hash);
        for (int64_t i = 0; i < data->part[p].count; i++) {
            const int64_t place = place_of(data, (espl_part)p, i);
            const int32_t label = espl__data_label(data, (espl_part)p, i);
            hash = espl__hash(&place, sizeof place, hash);
            hash = espl__hash(&label, sizeof label, hash);
        }
    }
    return hash;
}
