/* Predicting: probabilities for samples in memory or a picture file, prepared as the net was trained. */
#include "train/scorer.h"
#include "train/temperature.h"
#include "train/views.h"
#include <espalier/calibrate.h>
#include <espalier/run.h>

#include <math.h>
#include <string.h>

#define LARGEST_BATCH 64

typedef struct predictor {
    espl_net *net;
    espl__graph *fused;
    espl__plan *plan;
    espl__views *views; /* NULL: one */
    float *prepared;    /* a batch */
    int64_t batch;
} predictor;

static void close_predictor(predictor *p)
{
    espl__views_free(p->views);
    espl__plan_free(p->plan);
    espl__graph_free(p->fused);
    espl__release(p->net->ctx, p->prepared);
}

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

static espl_status open_predictor(espl_net *net, int64_t batch, predictor *p)
{
    const size_t size = (size_t)espl__shape_size(net->graph->nodes[0].shape);
    espl_status s;

    *p = (predictor){ .net = net, .batch = batch };
    if ((s = cut_at_logits(net, &p->fused)) ||
        (s = espl__plan_open(net, p->fused, &(espl__plan_settings){ .batch = batch }, &p->plan)) ||
        (s = espl__views_open(net, batch, &p->views)) ||
        (s = espl__allocate(net->ctx, (size_t)batch * size, sizeof(float), &p->prepared)))
        close_predictor(p);
    return s;
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
static void run(predictor *p, const espl__feed *feed, float *logits)
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

espl_status espl__predict_logits(espl_net *net, const float *samples, int64_t count, bool prepared, float *logits)
{
    const int64_t size = espl__shape_size(net->graph->nodes[0].shape);
    const int classes = espl_net_classes(net);
    predictor p;
    espl_status s;

    if (count < 1)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "%lld samples cannot be predicted", (long long)count);
    if ((s = open_predictor(net, count < LARGEST_BATCH ? count : LARGEST_BATCH, &p)))
        return s;
    for (int64_t first = 0; first < count; first += p.batch) {
        const int64_t now = count - first < p.batch ? count - first : p.batch;
        if (prepared)
            memcpy(p.prepared, samples + first * size, (size_t)(now * size) * sizeof(float));
        for (int64_t i = 0; i < now && !prepared; i++)
            prepare(net, samples + (first + i) * size, p.prepared + i * size);
        run(&p, &(espl__feed){ .count = now, .values = p.prepared, .parameters_changed = first == 0 },
            logits + first * classes);
    }
    close_predictor(&p);
    return ESPL_OK;
}

espl_status espl_predict(espl_net *net, const float *samples, int64_t count, float *probabilities)
{
    const int classes = espl_net_classes(net);
    const espl_status s = espl__predict_logits(net, samples, count, false, probabilities);

    for (int64_t i = 0; i < count && !s; i++)
        to_probabilities(probabilities + i * classes, classes, espl_net_temperature(net));
    return s;
}

espl_status espl_predict_file(espl_net *net, const char *path, float *probabilities)
{
    const espl__shape shape = net->graph->nodes[0].shape;
    const char *resize = net->preparation.resize;
    char text[96];
    float *planes = NULL;
    espl_status s;

    if (shape.rank != 3 || (shape.dim[0] != 1 && shape.dim[0] != 3))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "%s: the net \"%s\" takes samples of %s, not pictures of 1 or 3 channels", path,
                          net->name, espl__shape_text(shape, text));
    if ((s = espl__allocate(net->ctx, (size_t)espl__shape_size(shape), sizeof(float), &planes)))
        return s;
    if (!*resize || espl__text_equal(resize, "none"))
        resize = "crop";
    s = espl__picture_read(net->ctx, path, resize, shape.dim[0], shape.dim[1], shape.dim[2], planes);
    if (!s)
        s = espl_predict(net, planes, 1, probabilities);
    espl__release(net->ctx, planes);
    return s;
}
