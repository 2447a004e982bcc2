/* Estimating batch-norm statistics; see statistics.h. The net runs forward as in training with a momentum of
 * one, so that after each batch its running statistics are those of the batch, from where they are taken. The
 * mean of the batches' variances would miss how far their means lie apart; the sums are joined instead. */
#include "train/statistics.h"

#include "execute/plan.h"
#include "ops/batch_norm.h"
#include "train/scorer.h"

enum { MEAN = 2,
       VARIANCE = 3 };

/* The statistics of one node. */
typedef struct gathered {
    const espl__node *node; /* of the net's own graph */
    espl__moments *channels;
} gathered;

struct espl__statistics {
    espl_net *net;
    espl__graph *graph, *fused;
    espl__plan *plan;
    int64_t batch;
    int count;
    gathered *all;
};

espl__moments espl__moments_join(espl__moments a, espl__moments b)
{
    const double count = a.count + b.count, delta = b.mean - a.mean;

    if (!(b.count > 0))
        return a;
    return (espl__moments){ count, a.mean + delta * (b.count / count),
                            a.squares + b.squares + delta * delta * (a.count * b.count / count) };
}

int64_t espl__statistics_batches(int64_t per_epoch)
{
    const int64_t tenth = (per_epoch + 9) / 10, least = per_epoch < 4 ? per_epoch : 4;

    return tenth > least ? tenth : least;
}

/* The same rule as the plan's: a node of which nothing trains keeps its statistics. */
static bool is_estimated(const espl_net *net, const espl__node *node)
{
    bool trains = false;

    for (int i = 0; i < node->parameter_count; i++)
        trains |= !net->parameters[node->parameters[i]].frozen;
    return trains && node->op && espl__text_equal(node->op->name, "batch_norm");
}

static espl_status open_gathered(espl__statistics *s)
{
    const espl__graph *graph = s->net->graph;
    espl_status status = espl__allocate(s->net->ctx, (size_t)graph->node_count, sizeof *s->all, &s->all);

    for (int i = 0; i < graph->node_count && !status; i++) {
        if (!is_estimated(s->net, &graph->nodes[i]))
            continue;
        gathered *g = &s->all[s->count++];
        g->node = &graph->nodes[i];
        status = espl__allocate(s->net->ctx, (size_t)espl__shape_channels(g->node->shape), sizeof *g->channels,
                                &g->channels);
    }
    return status;
}

static espl_status open_plan(espl__statistics *s, bool direct)
{
    const espl__plan_settings settings = { .batch = s->batch, .training = true, .direct_only = direct };
    espl_status status = espl__graph_copy(s->net->graph, &s->graph);

    if (status)
        return status;
    for (int i = 0; i < s->graph->node_count; i++)
        if (is_estimated(s->net, &s->graph->nodes[i]))
            ((espl__batch_norm *)s->graph->nodes[i].attributes)->momentum = 1;
    espl__graph_cut(s->graph, espl__logits_node(s->graph));
    if ((status = espl__fuse(s->net, s->graph, true, &s->fused)))
        return status;
    return espl__plan_open(s->net, s->fused, &settings, &s->plan);
}

espl_status espl__statistics_open(espl_net *net, int64_t batch, bool direct, espl__statistics **result)
{
    espl__statistics *s = NULL;
    espl_status status;

    *result = NULL;
    if ((status = espl__allocate(net->ctx, 1, sizeof *s, &s)))
        return status;
    s->net = net;
    s->batch = batch;
    if ((status = open_gathered(s)) || !s->count || (status = open_plan(s, direct))) {
        espl__statistics_free(s);
        return status;
    }
    *result = s;
    return ESPL_OK;
}

void espl__statistics_free(espl__statistics *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        espl__release(s->net->ctx, s->all[i].channels);
    espl__release(s->net->ctx, s->all);
    espl__plan_free(s->plan);
    espl__graph_free(s->fused);
    espl__graph_free(s->graph);
    espl__release(s->net->ctx, s);
}

static void gather(espl__statistics *s, int64_t samples)
{
    for (int i = 0; i < s->count; i++) {
        const espl__node *node = s->all[i].node;
        const double count = (double)(samples * espl__shape_pixels(node->shape));
        const float *mean = s->net->parameters[node->parameters[MEAN]].value;
        const float *variance = s->net->parameters[node->parameters[VARIANCE]].value;
        for (int64_t c = 0; c < espl__shape_channels(node->shape); c++)
            s->all[i].channels[c] =
                espl__moments_join(s->all[i].channels[c],
                                   (espl__moments){ count, (double)mean[c], (double)variance[c] * (count - 1) });
    }
}

static void settle(espl__statistics *s)
{
    for (int i = 0; i < s->count; i++) {
        const espl__node *node = s->all[i].node;
        float *mean = s->net->parameters[node->parameters[MEAN]].value;
        float *variance = s->net->parameters[node->parameters[VARIANCE]].value;
        for (int64_t c = 0; c < espl__shape_channels(node->shape); c++) {
            const espl__moments m = s->all[i].channels[c];
            mean[c] = (float)m.mean;
            variance[c] = (float)(m.squares / (m.count > 1 ? m.count - 1 : 1));
            s->all[i].channels[c] = (espl__moments){ 0 };
        }
    }
}

static espl_status run_batches(espl__statistics *s, espl__loader *loader, int64_t batches)
{
    const espl__batch *batch = NULL;
    espl_status status = ESPL_OK;

    for (int64_t i = 0; i < batches && !(status = espl__loader_next(loader, &batch)) && batch; i++) {
        espl__plan_run(s->plan, &(espl__feed){ .count = batch->count,
                                               .values = batch->values,
                                               .labels = batch->labels,
                                               .index = batch->index,
                                               .parameters_changed = i == 0 });
        gather(s, batch->count);
    }
    settle(s);
    return status;
}

espl_status espl__statistics_run(espl__statistics *s, espl_data *data, const espl__augmentation *augmentations,
                                 int augmentation_count, int64_t batches)
{
    espl_context *ctx = s->net->ctx;
    espl__loader_settings settings = {
        .part = ESPL_TRAIN,
        .batch = s->batch,
        .shuffle = true,
        .seed = espl__stream_of(espl__seed(ctx), "statistics").key,
        .epochs = 1,
        .augmentations = augmentations,
        .augmentation_count = augmentation_count,
        .threads = espl__worker_count(ctx),
    };
    espl__loader *loader = NULL;
    espl_status status;

    espl__loader_prepare(s->net, &settings);
    if ((status = espl__loader_open(data, &settings, &loader)))
        return status;
    status = run_batches(s, loader, batches);
    espl__loader_free(loader);
    return status;
}
