/* Freezing layers, and what it saves. */
#include "train/stages.h"

#include <stdio.h>

void espl_run_freeze_layer(espl_run *run, int layer, espl_freeze what)
{
    const espl__node *node = &run->net->graph->nodes[layer];

    for (int i = 0; i < node->parameter_count; i++) {
        const int p = node->parameters[i];
        const bool buffer = run->net->graph->parameters[p].spec.kind == ESPL_BUFFER;
        const bool frozen = what == ESPL_FREEZE_ALL || (what == ESPL_FREEZE_STATISTICS && buffer);
        if (run->fit.held[p] && !frozen)
            continue;
        run->fit.held[p] = false;
        run->net->parameters[p].frozen = frozen;
    }
}

/* ---- flags of the net, which may belong to the caller ---- */

espl_status espl__frozen_remember(espl_run *run)
{
    const int count = run->net->graph->parameter_count;
    const espl_status s =
        espl__allocate(run->ctx, (size_t)count, sizeof *run->fit.frozen_before, &run->fit.frozen_before);

    for (int i = 0; i < count && !s; i++)
        run->fit.frozen_before[i] = run->net->parameters[i].frozen;
    return s;
}

void espl__frozen_restore(espl_run *run)
{
    for (int i = 0; run->fit.frozen_before && i < run->net->graph->parameter_count; i++)
        run->net->parameters[i].frozen = run->fit.frozen_before[i];
    espl__release(run->ctx, run->fit.frozen_before);
}

/* ---- what trains, and what that saves ---- */

static int64_t count_trained(const espl_run *run)
{
    int64_t count = 0;

    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (espl__parameter_trains(run->net, i))
            count += run->net->parameters[i].count;
    return count;
}

espl_status espl__frozen_check(espl_run *run)
{
    if (count_trained(run))
        return ESPL_OK;
    return espl__fail(run->ctx, ESPL_BAD_STATE,
                      "nothing trains: every layer with parameters is frozen; leave one out, as transfer-freeze "
                      "without options leaves the head");
}

/* Multiply-accumulates of a step for each sample: forward, and on the way back once for the gradient of
 * the input and once for that of the weights, where they are wanted. */
static int64_t macs_of_step(const espl_run *run, const bool *needs, bool all)
{
    const espl__graph *graph = run->fit.graph;
    int64_t macs = 0;

    for (int i = 1; i < graph->node_count; i++) {
        const espl__node *node = &graph->nodes[i];
        const bool below = node->inputs[0] > 0 && (all || needs[node->inputs[0]]);
        const bool own = node->parameter_count && (all || espl__own_parameter_trains(run->net, graph, node));
        macs += node->macs * (1 + below + own);
    }
    return macs;
}

/* The arena of a plan for which the run froze nothing. */
static espl_status bytes_unfrozen(espl_run *run, size_t *bytes)
{
    const int count = run->net->graph->parameter_count;
    espl_status s = ESPL_OK;

    for (int i = 0; i < count; i++)
        run->net->parameters[i].frozen = run->fit.frozen_before[i];
    *bytes = espl__plan_bytes(run->fit.plan);
    if (!espl__needs_two(run->net, run->fit.graph) || run->fit.plan_settings.batch > 1)
        s = espl__stage_plan_bytes(run, bytes);
    for (int i = 0; i < count; i++)
        run->net->parameters[i].frozen = run->fit.frozen[i];
    return s;
}

espl_status espl__frozen_note(espl_run *run, char note[256])
{
    const int64_t trained = count_trained(run), all = espl_net_parameters(run->net);
    const int states = espl__updater_states(run->fit.updater);
    bool *needs = NULL;
    size_t before = 0;
    espl_status s;

    *note = 0;
    if (trained == all)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, (size_t)run->fit.graph->node_count, sizeof *needs, &needs)))
        return s;
    espl__find_needs(run->net, run->fit.graph, needs);
    const double macs = (double)macs_of_step(run, needs, false), whole = (double)macs_of_step(run, needs, true);
    espl__release(run->ctx, needs);
    if ((s = bytes_unfrozen(run, &before)))
        return s;
    const double now = (double)espl__plan_bytes(run->fit.plan) + 4.0 * (double)(states * trained);
    const double then = (double)before + 4.0 * (double)(states * all);
    snprintf(note, 256,
             "%lld of %lld parameters train; the frozen ones save %.0f %% of the multiply-adds of a step and "
             "%.0f %% of its memory",
             (long long)trained, (long long)all, whole > 0 ? 100 * (1 - macs / whole) : 0,
             now < then ? 100 * (1 - now / then) : 0);
    return ESPL_OK;
}
