/* Loader threads read ahead of the training into a ring of batches.
 *
 * Work is handed out in pieces, a few samples of one batch, in the order of batches. What a piece
 * contains follows from (seed, epoch, position) alone, and each piece has its own place in its
 * batch, so it does not matter which thread does it or when. A batch is handed over when all its
 * pieces are done; its place in the ring is used again after the caller has asked for the next one.
 *
 * One mutex guards the ring. Threads wait on `room` for a free place, the caller on `ready` for a
 * batch. */
#include "data/balance.h"
#include "data/parts.h"
#include "data/reading.h"
#include "kernels/wide.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define AHEAD_DEFAULT 3
#define MOST_THREADS 256
#define MOST_AHEAD 1024
#define VALUES_OF_PIECE 65536 /* so that tiny samples are not fetched one by one under the lock */
#define MOST_CHANNELS_APART 4

typedef struct slot {
    espl__batch batch;
    int64_t pieces_left;
    int64_t failed_at; /* position in the batch of the first sample that could not be read, or -1 */
    espl_status status;
    char message[512];
} slot;

typedef struct piece {
    slot *slot;
    int64_t from, to; /* positions in the batch */
} piece;

typedef struct reader {
    espl__loader *loader;
    pthread_t thread;
    bool started;
    espl__reading reading;
    espl_sample sample;
    float *memory;
} reader;

struct espl__loader {
    espl_context *ctx;
    espl_data *data;
    espl__loader_settings settings;
    int64_t samples, per_epoch, size; /* in the part, batches in an epoch, values in a sample */
    int64_t piece_samples, pieces;    /* samples in a piece, pieces in a whole batch */
    int64_t shape[3];
    espl__augmentation *augmentations;
    espl__stream *streams; /* one for each augmentation */
    espl__stream shuffle;
    float factor[MOST_CHANNELS_APART], shift[MOST_CHANNELS_APART], neutral[MOST_CHANNELS_APART];
    double waited;

    pthread_mutex_t lock;
    pthread_cond_t room, ready;
    bool stopping;
    int64_t begun,
        next_piece;      /* the batch that pieces are taken from, counted from 0 over all epochs */
    int64_t handed;      /* batches handed over; handed - 1 is the one on loan */
    int64_t end;         /* number of the batch behind the last one */
    int64_t order_epoch; /* that `order` is for */
    int64_t *order;
    espl__balance *balance; /* NULL: every sample once */
    slot *ring;
    int ring_size;
    reader *readers;
    int reader_count;
};

/* ---- one sample ---- */

/* Which channel of the source becomes channel c of the net, and the other way round. */
static int64_t net_channel(const espl__loader *l, int64_t channels, int64_t c)
{
    return l->settings.swap_red_blue && channels >= 3 && c < 3 ? 2 - c : c;
}

/* The result may lie where the values lie. */
static ESPL__WIDE_BODY void scale_body(const float *values, int64_t count, float factor, float shift, float *result)
{
#pragma GCC ivdep
    for (int64_t i = 0; i < count; i++)
        result[i] = values[i] * factor + shift;
}
ESPL__WIDE(scale, scale_body,
           (const float *values, int64_t count, float factor, float shift, float *result),
           (values, count, factor, shift, result))

static void normalize(const espl__loader *l, const espl_sample *sample, float *result)
{
    const int64_t pixels = sample->height * sample->width;

    for (int64_t c = 0; c < sample->channels; c++) {
        const int64_t from = net_channel(l, sample->channels, c);
        const int figures = sample->channels > MOST_CHANNELS_APART ? 0 : (int)c;
        scale(sample->values + from * pixels, pixels, l->factor[figures], l->shift[figures], result + c * pixels);
    }
}

static void augment(const espl__loader *l, espl_sample *sample, int64_t epoch, int64_t draw_index)
{
    for (int a = 0; a < l->settings.augmentation_count; a++) {
        const espl__augmentation *augmentation = &l->augmentations[a];
        espl_draw draw = { espl__random_at(l->streams[a], (uint32_t)epoch, (uint64_t)draw_index) };
        augmentation->technique->augment(augmentation->self, sample, &draw);
    }
}

static espl_status check_shape(const espl__loader *l, const espl_sample *sample, int64_t index,
                               espl__reading *reading)
{
    char name[256];

    if (sample->channels == l->shape[0] && sample->height == l->shape[1] &&
        sample->width == l->shape[2])
        return ESPL_OK;
    espl__data_sample_name(l->data, l->settings.part, index, name);
    return espl__reading_fail(
        reading, ESPL_BAD_SHAPE,
        "%s: is %lldx%lldx%lld after augmentation, %lldx%lldx%lld was expected", name,
        (long long)sample->channels, (long long)sample->height, (long long)sample->width,
        (long long)l->shape[0], (long long)l->shape[1], (long long)l->shape[2]);
}

/* Which draw of the augmentations an epoch takes. */
static int64_t variant_of(const espl__loader *l, int64_t epoch)
{
    return l->settings.variants ? epoch % l->settings.variants : epoch;
}

static void take_ready(const espl__loader *l, int64_t epoch, int64_t index, float *result)
{
    const int64_t variant = l->settings.variants ? epoch % l->settings.variants : 0;

    memcpy(result, l->settings.ready + (variant * l->samples + index) * l->size, (size_t)l->size * sizeof *result);
}

/* Samples that nothing changes but the normalization are read into their place in the batch. */
static bool read_in_place(const espl__loader *l)
{
    return l->settings.augmentation_count == 0 && !l->settings.swap_red_blue;
}

static espl_status prepare(reader *r, const espl__batch *batch, int64_t position)
{
    espl__loader *l = r->loader;
    const int64_t index = batch->index[position];
    float *const result = batch->values + position * l->size;
    espl_status status;

    batch->labels[position] = espl__data_label(l->data, l->settings.part, index);
    if (l->settings.ready) {
        take_ready(l, batch->epoch, index, result);
        return ESPL_OK;
    }
    if (read_in_place(l))
        r->sample.values = result;
    status = espl__data_read(l->data, l->settings.part, index, &r->sample, &r->reading);
    if (status)
        return status;
    /* variants are few and the same in every epoch, whoever asks for them */
    augment(l, &r->sample, variant_of(l, batch->epoch), l->settings.variants ? index : batch->draw[position]);
    status = check_shape(l, &r->sample, index, &r->reading);
    if (status)
        return status;
    normalize(l, &r->sample, result);
    return ESPL_OK;
}

/* ---- handing out work; all of these are called with the lock held ---- */

static void order_of_epoch(espl__loader *l, int64_t epoch)
{
    if (l->order_epoch == epoch)
        return;
    l->order_epoch = epoch;
    if (l->settings.shuffle) {
        espl__random random = espl__random_at(l->shuffle, (uint32_t)epoch, 0);
        espl__random_shuffle(&random, l->order, l->samples);
    } else {
        for (int64_t i = 0; i < l->samples; i++)
            l->order[i] = i;
    }
    if (l->balance)
        espl__balance_map(l->balance, epoch, l->order);
}

static int64_t pieces_of(const espl__loader *l, int64_t samples)
{
    return (samples + l->piece_samples - 1) / l->piece_samples;
}

/* Says which samples the batch holds. */
static void begin_batch(espl__loader *l, int64_t number)
{
    slot *s = &l->ring[number % l->ring_size];
    const int64_t epoch = number / l->per_epoch, within = number % l->per_epoch,
                  first = within * l->settings.batch;

    order_of_epoch(l, epoch);
    s->batch.epoch = epoch;
    s->batch.number = within;
    s->batch.count = l->samples - first < l->settings.batch ? l->samples - first
                                                            : l->settings.batch;
    for (int64_t i = 0; i < s->batch.count; i++) {
        s->batch.draw[i] = l->order[first + i];
        s->batch.index[i] = s->batch.draw[i] % l->samples;
    }
    s->pieces_left = pieces_of(l, s->batch.count);
    s->failed_at = -1;
    s->status = ESPL_OK;
}

/* The batch on loan keeps its place until the next one is asked for. */
static bool has_room(const espl__loader *l)
{
    const int64_t on_loan = l->handed > 0 ? l->handed - 1 : 0;

    return l->begun < l->end && l->begun - on_loan < l->ring_size;
}

/* Waits for work; false: there will be none. */
static bool take_piece(espl__loader *l, piece *p)
{
    while (!l->stopping && !has_room(l) && l->begun < l->end)
        pthread_cond_wait(&l->room, &l->lock);
    if (l->stopping || l->begun >= l->end)
        return false;
    if (l->next_piece == 0)
        begin_batch(l, l->begun);
    p->slot = &l->ring[l->begun % l->ring_size];
    p->from = l->next_piece * l->piece_samples;
    p->to = p->from + l->piece_samples < p->slot->batch.count ? p->from + l->piece_samples
                                                              : p->slot->batch.count;
    if (p->to == p->slot->batch.count) {
        l->begun++;
        l->next_piece = 0;
    } else {
        l->next_piece++;
    }
    return true;
}

static void finish_piece(espl__loader *l, const piece *p, espl_status status, int64_t failed_at,
                         const char *message)
{
    slot *s = p->slot;

    if (status && (s->failed_at < 0 || failed_at < s->failed_at)) {
        s->failed_at = failed_at; /* the first in the batch is told, whoever came first */
        s->status = status;
        memcpy(s->message, message, sizeof s->message);
    }
    if (--s->pieces_left == 0)
        pthread_cond_signal(&l->ready);
}

/* ---- threads ---- */

static void *read_on(void *argument)
{
    reader *r = argument;
    espl__loader *l = r->loader;
    piece p;

    pthread_mutex_lock(&l->lock);
    while (take_piece(l, &p)) {
        espl_status status = ESPL_OK;
        int64_t position = p.from;

        pthread_mutex_unlock(&l->lock);
        while (position < p.to && !(status = prepare(r, &p.slot->batch, position)))
            position++;
        pthread_mutex_lock(&l->lock);
        finish_piece(l, &p, status, position, r->reading.message);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Signals are the main thread's business. */
static bool start_thread(reader *r)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->started = pthread_create(&r->thread, NULL, read_on, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r->started;
}

static espl_status start_readers(espl__loader *l)
{
    for (int t = 0; t < l->reader_count; t++)
        if (!start_thread(&l->readers[t]) && t == 0)
            return espl__fail(l->ctx, ESPL_BAD_STATE,
                              "no thread for loading data could be started");
    return ESPL_OK;
}

/* ---- opening ---- */

static espl_status check(espl_context *ctx, const espl_data *data, const espl__loader_settings *s)
{
    if (s->batch < 1)
        return espl__fail(ctx, ESPL_BAD_OPTION, "batch: %lld is not at least 1",
                          (long long)s->batch);
    if (s->threads < 0 || s->threads > MOST_THREADS || s->ahead < 0 || s->ahead > MOST_AHEAD)
        return espl__fail(ctx, ESPL_BAD_OPTION,
                          "a loader has 1..%d threads and 1..%d batches ahead", MOST_THREADS,
                          MOST_AHEAD);
    if (espl_data_count(data, s->part) < 1)
        return espl__fail(ctx, ESPL_BAD_STATE, "there is no %s data",
                          s->part == ESPL_TRAIN ? "training" : "held-out");
    for (int a = 0; a < s->augmentation_count; a++)
        if (!s->augmentations[a].technique->augment)
            return espl__fail(ctx, ESPL_BAD_STATE, "%s does not augment samples",
                              s->augmentations[a].technique->name);
    return ESPL_OK;
}

static espl_status prepare_figures(espl__loader *l)
{
    const double scale = l->settings.scale != 0 ? l->settings.scale : 1;

    for (int c = 0; c < MOST_CHANNELS_APART; c++) {
        const double deviation = l->settings.deviation[c] != 0 ? l->settings.deviation[c] : 1;
        if (!isfinite(scale) || !isfinite(l->settings.mean[c]) || !isfinite(deviation))
            return espl__fail(l->ctx, ESPL_BAD_OPTION,
                              "the figures for normalization of channel %d are not finite", c);
        l->factor[c] = (float)(scale / deviation);
        l->shift[c] = (float)(-l->settings.mean[c] / deviation);
    }
    for (int c = 0; c < MOST_CHANNELS_APART; c++) /* in the source's order of channels */
        l->neutral[c] = (float)(l->settings.mean[net_channel(l, l->shape[0], c)] / scale);
    return ESPL_OK;
}

/* The position of an augmentation is part of its stream, so that one may be used twice. */
static espl_status copy_augmentations(espl__loader *l)
{
    const size_t count = (size_t)l->settings.augmentation_count;
    espl_status status = espl__allocate(l->ctx, count + 1, sizeof *l->augmentations,
                                        &l->augmentations);

    if (!status)
        status = espl__allocate(l->ctx, count + 1, sizeof *l->streams, &l->streams);
    for (size_t a = 0; a < count && !status; a++) {
        char name[128];
        l->augmentations[a] = l->settings.augmentations[a];
        snprintf(name, sizeof name, "augment/%s/%d", l->augmentations[a].technique->name, (int)a);
        l->streams[a] = espl__stream_of(l->settings.seed, name);
    }
    l->settings.augmentations = l->augmentations;
    return status;
}

static espl_status make_ring(espl__loader *l)
{
    const size_t batch = (size_t)l->settings.batch;
    size_t values = 0;
    espl_status status = espl__allocate(l->ctx, (size_t)l->ring_size, sizeof *l->ring, &l->ring);

    if (!espl__multiply(batch, (size_t)l->size, &values))
        values = SIZE_MAX;
    for (int i = 0; i < l->ring_size && !status; i++) {
        espl__batch *b = &l->ring[i].batch;
        status = espl__allocate(l->ctx, values, sizeof *b->values, &b->values);
        if (!status)
            status = espl__allocate(l->ctx, batch, sizeof *b->labels, &b->labels);
        if (!status)
            status = espl__allocate(l->ctx, batch, sizeof *b->index, &b->index);
        if (!status)
            status = espl__allocate(l->ctx, batch, sizeof *b->draw, &b->draw);
    }
    return status;
}

static espl_status make_readers(espl__loader *l)
{
    espl_status status = espl__allocate(l->ctx, (size_t)l->reader_count, sizeof *l->readers,
                                        &l->readers);

    for (int t = 0; t < l->reader_count && !status; t++) {
        reader *r = &l->readers[t];
        r->loader = l;
        r->reading.ctx = l->ctx;
        r->sample.capacity = 2 * l->size;
        r->sample.neutral = l->shape[0] > MOST_CHANNELS_APART ? NULL : l->neutral;
        status = espl__allocate(l->ctx, (size_t)l->size * 4, sizeof(float), &r->memory);
        r->sample.values = r->memory;
        r->sample.spare = r->memory ? r->memory + 2 * l->size : NULL;
    }
    return status;
}

static void set_counts(espl__loader *l)
{
    espl__loader_settings *s = &l->settings;

    espl_data_shape(l->data, l->shape);
    l->size = s->ready ? s->ready_size : l->shape[0] * l->shape[1] * l->shape[2];
    l->samples = espl_data_count(l->data, s->part);
    if (s->batch > l->samples)
        s->batch = l->samples; /* more would never be filled */
    l->per_epoch = (l->samples + s->batch - 1) / s->batch;
    l->piece_samples = VALUES_OF_PIECE / l->size < 1 ? 1 : VALUES_OF_PIECE / l->size;
    if (l->piece_samples > 32)
        l->piece_samples = 32;
    l->reader_count = s->threads ? s->threads : 1;
    l->ring_size = (s->ahead ? s->ahead : AHEAD_DEFAULT) + 1;
    l->begun = l->handed = s->first_epoch * l->per_epoch + s->first_batch;
    l->end = s->epochs * l->per_epoch;
    l->order_epoch = -1;
    l->shuffle = espl__stream_of(s->seed, "shuffle");
}

espl_status espl__loader_open(espl_data *data, const espl__loader_settings *settings,
                              espl__loader **result)
{
    espl_context *ctx = data->ctx;
    espl__loader *l = NULL;
    espl_status status = check(ctx, data, settings);

    *result = NULL;
    if (!status)
        status = espl__allocate(ctx, 1, sizeof *l, &l);
    if (status)
        return status;
    l->ctx = ctx;
    l->data = data;
    l->settings = *settings;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->room, NULL);
    pthread_cond_init(&l->ready, NULL);
    set_counts(l);
    status = prepare_figures(l);
    if (!status)
        status = copy_augmentations(l);
    if (!status)
        status = espl__allocate(ctx, (size_t)l->samples, sizeof *l->order, &l->order);
    if (!status && settings->balanced)
        status = espl__balance_open(data, settings->part, settings->seed, &l->balance);
    if (!status)
        status = make_ring(l);
    if (!status)
        status = make_readers(l);
    if (!status)
        status = start_readers(l);
    if (status)
        espl__loader_free(l);
    else
        *result = l;
    return status;
}

/* ---- the caller's side ---- */

espl_status espl__loader_next(espl__loader *l, const espl__batch **batch)
{
    espl_status status = ESPL_OK;

    *batch = NULL;
    pthread_mutex_lock(&l->lock);
    if (l->handed < l->end) {
        slot *s = &l->ring[l->handed % l->ring_size];
        const double began = espl__now();
        l->handed++; /* gives back the one on loan */
        pthread_cond_broadcast(&l->room);
        while (l->begun < l->handed || s->pieces_left > 0)
            pthread_cond_wait(&l->ready, &l->lock);
        l->waited += espl__now() - began;
        status = s->status;
        if (status)
            espl__fail(l->ctx, status, "%s", s->message);
        else
            *batch = &s->batch;
    }
    pthread_mutex_unlock(&l->lock);
    return status;
}

double espl__loader_waited(const espl__loader *l)
{
    return l->waited;
}

int64_t espl__loader_batches_per_epoch(const espl__loader *l)
{
    return l->per_epoch;
}

void espl__loader_free(espl__loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    for (int t = 0; l->readers && t < l->reader_count; t++) {
        if (l->readers[t].started)
            pthread_join(l->readers[t].thread, NULL);
        espl__reading_end(&l->readers[t].reading);
        espl__release(l->ctx, l->readers[t].memory);
    }
    for (int i = 0; l->ring && i < l->ring_size; i++) {
        espl__release(l->ctx, l->ring[i].batch.values);
        espl__release(l->ctx, l->ring[i].batch.labels);
        espl__release(l->ctx, l->ring[i].batch.index);
        espl__release(l->ctx, l->ring[i].batch.draw);
    }
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->room);
    pthread_cond_destroy(&l->ready);
    espl__release(l->ctx, l->readers);
    espl__release(l->ctx, l->ring);
    espl__balance_free(l->ctx, l->balance);
    espl__release(l->ctx, l->order);
    espl__release(l->ctx, l->augmentations);
    espl__release(l->ctx, l->streams);
    espl__release(l->ctx, l);
}
