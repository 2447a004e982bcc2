/* When numbers stop being numbers: find the place it began, for the message. Training is over by then, so
 * this may take its time: the net is run again, cut behind one layer after the other. */
#include "train/features.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct place {
    char text[384];
} place;

static bool all_finite(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* What the batch enters: the net, or what of it follows the frozen part. Both end with the loss. */
static const espl__graph *entered(const espl_run *run)
{
    return run->fit.features ? espl__features_rest(run->fit.features) : run->fit.graph;
}

static bool find_sample(espl_run *run, const espl__batch *batch, place *where)
{
    const int64_t size = espl__shape_size(entered(run)->nodes[0].shape);
    char name[256];

    for (int64_t i = 0; i < batch->count; i++)
        if (!all_finite(batch->values + i * size, size)) {
            espl__data_sample_name(run->data, ESPL_TRAIN, batch->index[i], name);
            snprintf(where->text, sizeof where->text, "the sample %s holds a value that is not finite", name);
            return true;
        }
    return false;
}

static bool find_parameter(espl_run *run, place *where)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (!all_finite(run->net->parameters[i].value, run->net->parameters[i].count)) {
            snprintf(where->text, sizeof where->text, "%s is not finite any more",
                     run->net->graph->parameters[i].name);
            return true;
        }
    return false;
}

/* Does the net, cut behind this node, give a value that is not finite? */
static espl_status try_node(espl_run *run, const espl__batch *batch, int node, bool *sick)
{
    espl__graph *graph = NULL;
    espl__plan *plan = NULL;
    espl_status s = espl__graph_copy(entered(run), &graph);
    const int64_t count = batch->count < run->fit.micro ? batch->count : run->fit.micro;

    *sick = false;
    if (s)
        return s;
    espl__graph_cut(graph, node);
    const espl__plan_settings settings = { .batch = count, .training = true };
    if (!(s = espl__plan_open(run->net, graph, &settings, &plan))) {
        const int64_t size = espl__shape_size(graph->nodes[node].shape);
        espl__plan_run(plan, &(espl__feed){ .count = count, .values = batch->values, .labels = batch->labels, .index = batch->draw, .epoch = batch->epoch, .step = run->progress.step, .parameters_changed = true });
        for (int64_t i = 0; i < count && !*sick; i++)
            *sick = !all_finite(espl__plan_output(plan, i), size);
    }
    espl__plan_free(plan);
    espl__graph_free(graph);
    return s;
}

static bool find_layer(espl_run *run, const espl__batch *batch, place *where)
{
    bool sick = false;

    const espl__graph *graph = entered(run);

    for (int node = 1; node < graph->output; node++) {
        if (try_node(run, batch, node, &sick))
            return false;
        if (sick) {
            snprintf(where->text, sizeof where->text, "the output of layer %s is not finite",
                     graph->nodes[node].name);
            return true;
        }
    }
    return false;
}

espl_status espl__diverged(espl_run *run, const espl__batch *batch, int parameter)
{
    const int64_t step = run->progress.step + 1;
    place where = { "the loss is not finite" };

    if (parameter >= 0)
        snprintf(where.text, sizeof where.text, "the gradient of %s is not finite",
                 run->net->graph->parameters[parameter].name);
    else if (!find_sample(run, batch, &where) && !find_parameter(run, &where))
        find_layer(run, batch, &where);
    return espl__fail(run->ctx, ESPL_DIVERGED,
                      "step %lld (epoch %lld): %s; a lower rate than %g, a warm-up or clip-gradients may help",
                      (long long)step, (long long)run->progress.epoch + 1, where.text, run->progress.rate);
}
