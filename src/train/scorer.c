/* Scoring; see scorer.h. */
#include "train/scorer.h"
#include "train/temperature.h"
#include "train/views.h"

#include <math.h>
#include <string.h>

#define AHEAD 3 /* batches kept ready */

struct espl__scorer {
    espl_net *net;
    espl__graph *graph, *fused, *rest; /* rest: NULL if it computes the whole graph */
    espl__plan *plan;
    const float *ready;
    int64_t ready_size;
    espl__views *views; /* NULL: one */
    int64_t batch;
    bool finishes;
    float *answers; /* where they are kept, or NULL */
    int32_t *labels;
    float *within, *answer; /* to be added to answers, minus infinity or 0; the sum; NULL: nothing is */
};

espl_status espl__loss_graph(const espl__graph *graph, const espl__op *loss, const void *attributes,
                             espl__graph **result)
{
    const int logits = espl__logits_node(graph);
    int node = 0;
    espl_status s = espl__graph_copy(graph, result);

    if (s)
        return s;
    espl__graph_cut(*result, logits);
    if ((s = espl__graph_add(*result, loss, "loss", attributes, &logits, 1, &node))) {
        espl__graph_free(*result);
        *result = NULL;
    }
    return s;
}

void espl__loader_prepare(const espl_net *net, espl__loader_settings *settings)
{
    const espl__preparation *p = &net->preparation;

    settings->scale = p->known ? p->scale : 1;
    for (int c = 0; c < 4; c++) {
        settings->mean[c] = p->known ? p->mean[c] : 0;
        settings->deviation[c] = p->known ? p->deviation[c] : 1;
    }
    settings->swap_red_blue = espl__text_equal(p->order, "bgr");
}

static espl_status open_plan(espl__scorer *scorer, const espl__op *loss, bool direct, int cut)
{
    espl_net *net = scorer->net;
    espl__plan_settings settings = { .batch = scorer->batch, .direct_only = direct };
    espl_status s;

    if ((s = espl__loss_graph(net->graph, loss, NULL, &scorer->graph)) ||
        (s = espl__fuse(net, scorer->graph, false, &scorer->fused)) ||
        (cut && (s = espl__graph_split(scorer->graph, cut, NULL, &scorer->rest))))
        return s;
    if (cut)
        settings.part_of = scorer->fused;
    return espl__plan_open(net, cut ? scorer->rest : scorer->fused, &settings, &scorer->plan);
}

espl_status espl__scorer_open(espl_net *net, const espl__op *loss, int64_t batch, bool direct, int cut,
                              espl__scorer **result)
{
    espl__scorer *scorer = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(net->ctx, 1, sizeof *scorer, &scorer)))
        return s;
    scorer->net = net;
    scorer->batch = batch;
    if ((s = open_plan(scorer, loss, direct, cut)) || (!cut && (s = espl__views_open(net, batch, &scorer->views)))) {
        espl__scorer_free(scorer);
        return s;
    }
    *result = scorer;
    return ESPL_OK;
}

const espl__graph *espl__scorer_whole(const espl__scorer *scorer)
{
    return scorer->fused;
}

void espl__scorer_serve(espl__scorer *scorer, const float *ready, int64_t size)
{
    scorer->ready = ready;
    scorer->ready_size = size;
}

void espl__scorer_finishes(espl__scorer *scorer, bool finishes)
{
    scorer->finishes = finishes;
}

void espl__scorer_keep(espl__scorer *scorer, float *answers, int32_t *labels)
{
    scorer->answers = answers;
    scorer->labels = labels;
}

espl_status espl__scorer_within(espl__scorer *scorer, const espl_data *data, espl_part part)
{
    espl_context *ctx = scorer->net->ctx;
    const int count = espl_net_classes(scorer->net);
    espl_status s;

    if ((s = espl__allocate(ctx, (size_t)count, sizeof(float), &scorer->within)) ||
        (s = espl__allocate(ctx, (size_t)count, sizeof(float), &scorer->answer)))
        return s;
    for (int k = 0; k < count; k++)
        scorer->within[k] = -INFINITY;
    for (int64_t i = 0; i < espl_data_count(data, part); i++) {
        const int32_t label = espl__data_label(data, part, i);
        if (label >= 0 && label < count)
            scorer->within[label] = 0;
    }
    return ESPL_OK;
}

void espl__scorer_free(espl__scorer *scorer)
{
    if (!scorer)
        return;
    espl__views_free(scorer->views);
    espl__plan_free(scorer->plan);
    espl__graph_free(scorer->rest);
    espl__graph_free(scorer->fused);
    espl__graph_free(scorer->graph);
    espl__release(scorer->net->ctx, scorer->within);
    espl__release(scorer->net->ctx, scorer->answer);
    espl__release(scorer->net->ctx, scorer);
}

size_t espl__scorer_loader_bytes(const espl__scorer *scorer, size_t size)
{
    return (AHEAD + 1) * (size_t)scorer->batch * size * sizeof(float);
}

/* Leaves the classes that count and finds the cross entropy among them. */
static const float *narrow(const espl__scorer *scorer, const float *answer, int label, double *loss)
{
    const int count = espl_net_classes(scorer->net);
    double largest = -INFINITY, sum = 0;

    for (int k = 0; k < count; k++) {
        scorer->answer[k] = answer[k] + scorer->within[k];
        largest = fmax(largest, (double)scorer->answer[k]);
    }
    for (int k = 0; k < count; k++)
        sum += exp((double)scorer->answer[k] - largest);
    *loss = label >= 0 ? largest + log(sum) - (double)scorer->answer[label] : 0;
    return scorer->answer;
}

static void count_batch(const espl__scorer *scorer, const espl__batch *batch, espl__sums *sums,
                        const espl__class_sums *classes)
{
    const int count = espl_net_classes(scorer->net);

    for (int64_t i = 0; i < batch->count; i++) {
        const float *answer = scorer->views ? espl__views_answer(scorer->views, i) : espl__plan_output(scorer->plan, i);
        const int label = batch->labels[i];
        double loss = scorer->views ? espl__views_loss(scorer->views, i, label) : (double)espl__plan_loss(scorer->plan, i);
        if (scorer->within)
            answer = narrow(scorer, answer, label, &loss);
        if (scorer->net->temperature > 0 && count > 1 && label >= 0)
            loss = espl__tempered_loss(answer, count, label, scorer->net->temperature);
        const int guess = espl__answer(answer, count);
        espl__sums_add(sums, answer, count, label, loss, 1);
        if (scorer->answers) {
            memcpy(scorer->answers + batch->index[i] * count, answer, (size_t)count * sizeof *answer);
            scorer->labels[batch->index[i]] = label;
        }
        if (!classes || label < 0)
            continue;
        classes->count[label]++;
        classes->right[label] += guess == label;
        if (guess >= 0)
            classes->answered[guess]++;
    }
}

static espl_status score_batches(espl__scorer *scorer, espl__loader *loader, espl__sums *sums,
                                 const espl__class_sums *classes)
{
    const espl__batch *batch = NULL;
    espl_status s;

    while (!(s = espl__loader_next(loader, &batch)) && batch) {
        const espl__feed feed = {
            .count = batch->count,
            .values = batch->values,
            .labels = batch->labels,
            .index = batch->index,
            .parameters_changed = batch->number == 0,
        };
        if (scorer->views)
            espl__views_run(scorer->views, scorer->plan, &feed);
        else
            espl__plan_run(scorer->plan, &feed);
        count_batch(scorer, batch, sums, classes);
        if (!scorer->finishes && espl__interrupted(scorer->net->ctx))
            return espl__fail(scorer->net->ctx, ESPL_INTERRUPTED, "stopped while scoring");
    }
    return s;
}

espl_status espl__scorer_run(espl__scorer *scorer, espl_data *data, espl_part part, espl__sums *sums,
                             const espl__class_sums *classes)
{
    espl__loader_settings settings = {
        .part = part,
        .batch = scorer->batch,
        .epochs = 1,
        .ready = scorer->ready,
        .ready_size = scorer->ready_size,
        .threads = espl__worker_count(scorer->net->ctx),
    };
    espl__loader *loader = NULL;
    espl_status s;

    *sums = (espl__sums){ 0 };
    espl__loader_prepare(scorer->net, &settings);
    if ((s = espl__loader_open(data, &settings, &loader)))
        return s;
    s = score_batches(scorer, loader, sums, classes);
    espl__loader_free(loader);
    return s;
}
