/* The diagonal of the Fisher information; see fisher.h. The squares are those of single samples: the square of a
 * batch's mean gradient would be something else (Kunstner et al. 2019, arXiv:1905.12558). */
#include "train/fisher.h"

#include "execute/plan.h"
#include "ops/dropout.h"
#include "ops/loss.h"
#include "train/opening.h"
#include "train/scorer.h"
#include "train/train.h"

#include <math.h>

#define CLASSES_EXACT 16
#define LOADED 32 /* samples at a time */

typedef struct fisher {
    espl_net *net;
    espl__graph *graph, *fused;
    espl__plan *plan;
    bool *frozen;        /* flags of the net as they were */
    double *probability; /* of each answer, for the sample that is looked at */
    float *soft;         /* the answer that is supposed, 1 among zeros; NULL for a net with one output */
    int answers;         /* a net with one output has two */
    bool packed;
    espl__stream stream;
} fisher;

static void close_fisher(fisher *f)
{
    espl_context *ctx = f->net->ctx;

    for (int i = 0; f->frozen && i < f->net->graph->parameter_count; i++)
        f->net->parameters[i].frozen = f->frozen[i];
    espl__plan_free(f->plan);
    espl__graph_free(f->fused);
    espl__graph_free(f->graph);
    espl__release(ctx, f->frozen);
    espl__release(ctx, f->probability);
    espl__release(ctx, f->soft);
}

static void stand_still(fisher *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        f->frozen[i] = f->net->parameters[i].frozen;
        f->net->parameters[i].frozen |= f->net->graph->parameters[i].spec.kind == ESPL_BUFFER;
    }
    for (int i = 1; i < f->graph->node_count; i++)
        if (espl__text_equal(f->graph->nodes[i].op->name, "dropout"))
            ((espl__dropout *)f->graph->nodes[i].attributes)->rate = 0;
}

/* -log of the probability of an answer among those that the net knows. */
static espl_status open_loss(fisher *f, int known)
{
    const espl__distillation among = { .temperature = 1, .share = 1, .known = known };
    const int outputs = espl_net_classes(f->net);

    if (outputs == 1)
        return espl__loss_graph(f->net->graph, espl__loss_find("binary_cross_entropy"), NULL, &f->graph);
    const espl_status s = espl__allocate(f->net->ctx, (size_t)outputs, sizeof *f->soft, &f->soft);
    return s ? s : espl__loss_graph(f->net->graph, espl__loss_find("distillation"), &among, &f->graph);
}

static espl_status open_fisher(espl_net *net, int known, fisher *f)
{
    const int outputs = espl_net_classes(net), parameters = net->graph->parameter_count;
    espl_status s;

    *f = (fisher){ .net = net, .stream = espl__stream_of(espl__seed(net->ctx), "fisher") };
    f->answers = outputs == 1 ? 2 : known ? known
                                          : outputs;
    if ((s = espl__allocate(net->ctx, (size_t)f->answers, sizeof *f->probability, &f->probability)) ||
        (s = open_loss(f, known)) ||
        (s = espl__allocate(net->ctx, (size_t)parameters, sizeof *f->frozen, &f->frozen)))
        return s;
    stand_still(f);
    if ((s = espl__fuse(net, f->graph, true, &f->fused)))
        return s;
    return espl__plan_open(net, f->fused, &(espl__plan_settings){ .batch = 1, .training = true }, &f->plan);
}

static void find_probabilities(fisher *f)
{
    const float *logits = espl__plan_output(f->plan, 0);
    double largest = logits[0], sum = 0;

    if (espl_net_classes(f->net) == 1) {
        f->probability[1] = 1 / (1 + exp(-(double)logits[0]));
        f->probability[0] = 1 - f->probability[1];
        return;
    }
    for (int i = 1; i < f->answers; i++)
        largest = fmax(largest, (double)logits[i]);
    for (int i = 0; i < f->answers; i++)
        sum += f->probability[i] = exp((double)logits[i] - largest);
    for (int i = 0; i < f->answers; i++)
        f->probability[i] /= sum;
}

/* One of many answers, by the probabilities, stands for all. */
static void draw_answer(fisher *f, int64_t index)
{
    espl__random random = espl__random_at(f->stream, 0, (uint64_t)index);
    double left = (double)espl__random_uniform(&random);
    int drawn = 0;

    while (drawn < f->answers - 1 && (left -= f->probability[drawn]) >= 0)
        drawn++;
    for (int i = 0; i < f->answers; i++)
        f->probability[i] = i == drawn;
}

/* The gradient that the sample would have with this answer. */
static void run(fisher *f, const espl__batch *batch, int64_t sample, int32_t answer)
{
    const int64_t size = espl__shape_size(f->net->graph->nodes[0].shape);

    for (int i = 0; f->soft && i < f->answers; i++)
        f->soft[i] = i == answer;
    espl__plan_run(f->plan, &(espl__feed){ .count = 1, .values = batch->values + sample * size, .labels = f->soft ? NULL : &answer, .soft = f->soft, .index = batch->index + sample, .parameters_changed = !f->packed });
    f->packed = true;
}

static void add_squares(const fisher *f, double weight, float *const *diagonal)
{
    for (int p = 0; p < f->net->graph->parameter_count; p++) {
        const float *g = diagonal[p] ? espl__plan_gradient(f->plan, p) : NULL;
        for (int64_t i = 0; g && i < f->net->parameters[p].count; i++)
            diagonal[p][i] += (float)(weight * (double)g[i] * (double)g[i]);
    }
}

static void add_sample(fisher *f, const espl__batch *batch, int64_t sample, double share, float *const *diagonal)
{
    run(f, batch, sample, 0);
    find_probabilities(f);
    if (f->answers > CLASSES_EXACT)
        draw_answer(f, batch->index[sample]);
    for (int32_t y = 0; y < f->answers; y++) {
        if (!(f->probability[y] > 0))
            continue;
        if (y > 0)
            run(f, batch, sample, y);
        add_squares(f, share * f->probability[y], diagonal);
    }
}

static espl_status add_samples(fisher *f, espl_data *data, int64_t samples, float *const *diagonal)
{
    const int64_t count = espl_data_count(data, ESPL_TRAIN), used = samples < count ? samples : count;
    espl__loader_settings settings = { .part = ESPL_TRAIN, .batch = LOADED, .shuffle = true, .seed = f->stream.key, .epochs = 1, .threads = 1 };
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    int64_t done = 0;
    espl_status s;

    espl__loader_prepare(f->net, &settings);
    if ((s = espl__loader_open(data, &settings, &loader)))
        return s;
    while (done < used && !(s = espl__loader_next(loader, &batch)) && batch)
        for (int64_t i = 0; i < batch->count && done < used; i++, done++)
            add_sample(f, batch, i, 1.0 / (double)used, diagonal);
    espl__loader_free(loader);
    return s;
}

espl_status espl__fisher(espl_net *net, espl_data *data, int known, int64_t samples, float *const *diagonal)
{
    fisher f;
    espl_status s = open_fisher(net, known, &f);

    if (!s)
        s = add_samples(&f, data, samples, diagonal);
    close_fisher(&f);
    return s;
}

/* ---- for techniques ---- */

espl_status espl_run_measure_fisher(espl_run *run, int kept, int64_t samples, const char *path, bool head)
{
    const int count = run->net->graph->parameter_count, top = espl_run_head(run);
    float **diagonal = NULL;
    espl_data *data = NULL;
    espl_status s = espl__allocate(run->ctx, (size_t)count, sizeof *diagonal, &diagonal);

    for (int i = 0; i < count && !s; i++)
        if (head || run->net->graph->parameters[i].node < top)
            diagonal[i] = run->acting->kept[kept * count + i];
    if (!s && *path)
        s = espl__run_open_old(run, path, 0, &data);
    if (!s)
        s = espl__fisher(run->net, data ? data : run->data, run->old_classes, samples, diagonal);
    espl_data_free(data);
    espl__release(run->ctx, diagonal);
    return s;
}
