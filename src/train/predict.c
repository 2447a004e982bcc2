/* Predicting: probabilities for samples in memory or a picture file, prepared as the net was trained. */
#include "train/scorer.h"
#include "train/temperature.h"
#include "train/views.h"
#include <espalier/calibrate.h>
#include <espalier/run.h>

#include <math.h>
#include <string.h>

#define LARGEST_BATCH 64

struct espl_predictor {
    espl_net *net;
    espl__graph *fused;
    espl__plan *plan;
    espl__views *views; /* NULL: one */
    float *prepared;    /* a batch */
    float *planes;      /* of a picture file, when there was one */
    int64_t batch;
};

static espl_status cut_at_logits(espl_net *net, espl__graph **result)
{
    espl__graph *graph = NULL;
    espl_status s = espl__graph_copy(net->graph, &graph);

    if (s)
        return s;
    espl__graph_cut(graph, espl__logits_node(graph));
    s = espl__fuse(net, graph, false, result);
    espl__graph_free(graph);
    return s;
}

static espl_status make_ready(espl_predictor *p, const char *cache)
{
    const size_t size = (size_t)espl__shape_size(p->net->graph->nodes[0].shape);
    const espl__plan_settings settings = { .batch = p->batch, .packed_folder = cache };
    espl_status s;

    if ((s = cut_at_logits(p->net, &p->fused)) || (s = espl__plan_open(p->net, p->fused, &settings, &p->plan)) ||
        (s = espl__views_open(p->net, p->batch, &p->views)))
        return s;
    return espl__allocate(p->net->ctx, (size_t)p->batch * size, sizeof(float), &p->prepared);
}

espl_status espl_predictor_open(espl_net *net, const espl_predictor_settings *settings, espl_predictor **result)
{
    const espl_predictor_settings given = settings ? *settings : (espl_predictor_settings){ 0 };
    espl_predictor *p;
    espl_status s;

    *result = NULL;
    if (given.batch < 0 || given.batch > LARGEST_BATCH)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "batch: a predictor takes 1 to %d samples together, not %lld",
                          LARGEST_BATCH, (long long)given.batch);
    if ((s = espl__allocate(net->ctx, 1, sizeof *p, &p)))
        return s;
    p->net = net;
    p->batch = given.batch ? given.batch : 1;
    if ((s = make_ready(p, given.cache))) {
        espl_predictor_free(p);
        return s;
    }
    *result = p;
    return ESPL_OK;
}

void espl_predictor_free(espl_predictor *p)
{
    if (!p)
        return;
    espl_context *ctx = p->net->ctx;
    espl__views_free(p->views);
    espl__plan_free(p->plan);
    espl__graph_free(p->fused);
    espl__release(ctx, p->prepared);
    espl__release(ctx, p->planes);
    espl__release(ctx, p);
}

/* Raw planes into what the net was trained on; the same arithmetic as the loader's. */
static void prepare(const espl_net *net, const float *raw, float *prepared)
{
    const espl__shape shape = net->graph->nodes[0].shape;
    const int64_t channels = shape.rank == 3 ? shape.dim[0] : 1;
    const int64_t pixels = espl__shape_size(shape) / channels;
    espl__loader_settings how = { 0 };

    espl__loader_prepare(net, &how);
    for (int64_t c = 0; c < channels; c++) {
        const int64_t from = how.swap_red_blue && channels >= 3 && c < 3 ? 2 - c : c;
        const int which = channels > 4 ? 0 : (int)c;
        const float factor = (float)(how.scale / how.deviation[which]);
        const float shift = (float)(-how.mean[which] / how.deviation[which]);
        for (int64_t i = 0; i < pixels; i++)
            prepared[c * pixels + i] = raw[from * pixels + i] * factor + shift;
    }
}

/* Softmax in place; a single logit goes through the sigmoid. */
static void to_probabilities(float *values, int count, double temperature)
{
    if (count == 1)
        values[0] = (float)(1 / (1 + exp(-(double)values[0])));
    else
        espl__temper(values, count, temperature);
}

/* The logits of a batch; of several views those that give the mean probabilities. */
static void run(espl_predictor *p, const espl__feed *feed, float *logits)
{
    const int classes = espl_net_classes(p->net);

    if (p->views)
        espl__views_run(p->views, p->plan, feed);
    else
        espl__plan_run(p->plan, feed);
    for (int64_t i = 0; i < feed->count; i++)
        memcpy(logits + i * classes, p->views ? espl__views_answer(p->views, i) : espl__plan_output(p->plan, i),
               (size_t)classes * sizeof(float));
}

static espl_status run_all(espl_predictor *p, const float *samples, int64_t count, bool prepared, float *logits)
{
    const int64_t size = espl__shape_size(p->net->graph->nodes[0].shape);
    const int classes = espl_net_classes(p->net);

    if (count < 1)
        return espl__fail(p->net->ctx, ESPL_BAD_OPTION, "%lld samples cannot be predicted", (long long)count);
    for (int64_t first = 0; first < count; first += p->batch) {
        const int64_t now = count - first < p->batch ? count - first : p->batch;
        if (prepared)
            memcpy(p->prepared, samples + first * size, (size_t)(now * size) * sizeof(float));
        for (int64_t i = 0; i < now && !prepared; i++)
            prepare(p->net, samples + (first + i) * size, p->prepared + i * size);
        run(p, &(espl__feed){ .count = now, .values = p->prepared }, logits + first * classes);
    }
    return ESPL_OK;
}

espl_status espl_predictor_run(espl_predictor *p, const float *samples, int64_t count, float *probabilities)
{
    const int classes = espl_net_classes(p->net);
    const espl_status s = run_all(p, samples, count, false, probabilities);

    for (int64_t i = 0; i < count && !s; i++)
        to_probabilities(probabilities + i * classes, classes, espl_net_temperature(p->net));
    return s;
}

espl_status espl_predictor_file(espl_predictor *p, const char *path, float *probabilities)
{
    const espl_net *net = p->net;
    const espl__shape shape = net->graph->nodes[0].shape;
    const char *resize = net->preparation.resize;
    char text[96];
    espl_status s;

    if (shape.rank != 3 || (shape.dim[0] != 1 && shape.dim[0] != 3))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "%s: the net \"%s\" takes samples of %s, not pictures of 1 or 3 channels", path,
                          net->name, espl__shape_text(shape, text));
    if (!p->planes && (s = espl__allocate(net->ctx, (size_t)espl__shape_size(shape), sizeof(float), &p->planes)))
        return s;
    if (!*resize || espl__text_equal(resize, "none"))
        resize = "crop";
    s = espl__picture_read(net->ctx, path, resize, shape.dim[0], shape.dim[1], shape.dim[2], p->planes);
    return s ? s : espl_predictor_run(p, p->planes, 1, probabilities);
}

/* ---- once ---- */

static espl_status open_for(espl_net *net, int64_t count, espl_predictor **result)
{
    return espl_predictor_open(net, &(espl_predictor_settings){ .batch = count < 1 ? 1 : count < LARGEST_BATCH ? count
                                                                                                               : LARGEST_BATCH },
                               result);
}

espl_status espl__predict_logits(espl_net *net, const float *samples, int64_t count, bool prepared, float *logits)
{
    espl_predictor *p;
    espl_status s = open_for(net, count, &p);

    if (!s)
        s = run_all(p, samples, count, prepared, logits);
    espl_predictor_free(p);
    return s;
}

espl_status espl_predict(espl_net *net, const float *samples, int64_t count, float *probabilities)
{
    espl_predictor *p;
    espl_status s = open_for(net, count, &p);

    if (!s)
        s = espl_predictor_run(p, samples, count, probabilities);
    espl_predictor_free(p);
    return s;
}

espl_status espl_predict_file(espl_net *net, const char *path, float *probabilities)
{
    espl_predictor *p;
    espl_status s = open_for(net, 1, &p);

    if (!s)
        s = espl_predictor_file(p, path, probabilities);
    espl_predictor_free(p);
    return s;
}
