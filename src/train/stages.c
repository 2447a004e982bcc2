/* Stages of a run: layers that are held back now and let go later. A plan is made for what trains, so
 * between two stages it is made anew; what already trained keeps gradients' sums, the optimizer's tensors
 * and the techniques' own to the bit, and what begins to train begins with none of the past. */
#include "train/stages.h"

#include "train/features.h"
#include "train/statistics.h"

#include <string.h>

#define SCORED 32 /* samples at a time, at least */
#define LOADED 4  /* batches that a loader holds */

void espl_run_hold_layer(espl_run *run, int layer, bool hold)
{
    const espl__node *node = &run->net->graph->nodes[layer];

    for (int i = 0; i < node->parameter_count; i++) {
        const int p = node->parameters[i];
        bool *held = &run->fit.held[p], *frozen = &run->net->parameters[p].frozen;
        if (hold ? !*frozen : *held)
            *frozen = *held = hold;
    }
}

void espl__stages_let_go(espl_run *run, bool go)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (run->fit.held[i])
            run->net->parameters[i].frozen = !go;
}

/* ---- what there is for each parameter that trains, and for no other ---- */

static espl_status match(espl_run *run, int parameter, float **values)
{
    const bool trains = espl__parameter_trains(run->net, parameter);

    if (trains && !*values)
        return espl__allocate(run->ctx, (size_t)run->net->parameters[parameter].count, sizeof(float), values);
    if (!trains && *values) {
        espl__release(run->ctx, *values);
        *values = NULL;
    }
    return ESPL_OK;
}

espl_status espl__stage_match_total(espl_run *run)
{
    espl_status s = ESPL_OK;

    for (int i = 0; run->fit.total && i < run->net->graph->parameter_count && !s; i++)
        s = match(run, i, &run->fit.total[i]);
    return s;
}

/* The average of a value that stood still is the value, so what begins to train in a later stage begins
 * with it; zero means "no effect yet" to everybody else. */
espl_status espl__stage_match_kept(espl_run *run, espl__member *member, bool later)
{
    const int parameters = run->net->graph->parameter_count;
    const bool averages = later && member->technique->family == ESPL_AVERAGE;
    espl_status s = ESPL_OK;

    for (int i = 0; member->kept && i < member->technique->kept_per_parameter * parameters && !s; i++) {
        const espl__parameter *p = &run->net->parameters[i % parameters];
        const bool begins = !member->kept[i];
        if (!(s = match(run, i % parameters, &member->kept[i])) && averages && begins && member->kept[i])
            memcpy(member->kept[i], p->value, (size_t)p->count * sizeof(float));
    }
    return s;
}

/* ---- from one stage to the next ---- */

static void note_flags(espl_run *run)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        run->fit.frozen[i] = run->net->parameters[i].frozen;
}

espl_status espl__stages_open(espl_run *run)
{
    const size_t count = (size_t)run->net->graph->parameter_count;
    espl_status s;

    if ((s = espl__allocate(run->ctx, count, sizeof *run->fit.held, &run->fit.held)) ||
        (s = espl__allocate(run->ctx, count, sizeof *run->fit.frozen, &run->fit.frozen)))
        return s;
    return ESPL_OK;
}

void espl__stages_free(espl_run *run)
{
    espl__release(run->ctx, run->fit.held);
    espl__release(run->ctx, run->fit.frozen);
}

static espl_status remake(espl_run *run)
{
    espl__fit *fit = &run->fit;
    espl_status s;

    espl__features_done(run); /* what is frozen from here on has others */
    espl__statistics_free(fit->statistics);
    fit->statistics = NULL;
    if ((s = espl__frozen_check(run)) || (s = espl__fit_open_plans(run)) || (s = espl__fit_open_statistics(run)) ||
        (s = espl__updater_match(fit->updater)) || (s = espl__stage_match_total(run)))
        return s;
    for (int i = 0; i < run->member_count && !s; i++)
        s = espl__stage_match_kept(run, &run->members[i], true);
    return s;
}

espl_status espl__stage_begin(espl_run *run, bool *changed)
{
    *changed = false;
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        *changed |= run->fit.frozen[i] != run->net->parameters[i].frozen;
    note_flags(run);
    return *changed && run->fit.plan ? remake(run) : ESPL_OK;
}

espl_status espl__stage_resume(espl_run *run, const char *path)
{
    bool changed;

    for (int i = 0; i < run->net->graph->parameter_count; i++) {
        const bool there = run->fit.frozen[i] != 0, here = run->net->parameters[i].frozen;
        if (there == here)
            continue;
        if (there || !run->fit.held[i])
            return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: %s is %s there and %s here: begin the run anew", path,
                              run->net->graph->parameters[i].name, there ? "frozen" : "trained",
                              here ? "frozen" : "trained");
        run->net->parameters[i].frozen = run->fit.held[i] = false;
        run->fit.frozen[i] = true; /* as the plan was made */
    }
    return espl__stage_begin(run, &changed);
}

/* ---- what the last stage will need ---- */

/* Of a plan for what trains as the flags say, without its bookkeeping. */
espl_status espl__stage_plan_bytes(espl_run *run, size_t *bytes)
{
    espl__plan_settings settings = run->fit.plan_settings;
    espl__plan *plan = NULL;

    settings.measure = true;
    settings.part_of = NULL;
    const espl_status s = espl__plan_open(run->net, run->fit.graph, &settings, &plan);
    *bytes = plan ? espl__plan_bytes(plan) : 0;
    espl__plan_free(plan);
    return s;
}

/* Averages need statistics of the norms that train. */
static espl_status add_statistics_bytes(espl_run *run, size_t *bytes)
{
    struct espl__statistics *now = run->fit.statistics;
    const size_t before = espl__bytes_now(run->ctx);
    const espl_status s = espl__fit_open_statistics(run);

    *bytes += espl__bytes_now(run->ctx) - before;
    espl__statistics_free(run->fit.statistics);
    run->fit.statistics = now;
    return s;
}

/* Where the frozen part's features are kept now, samples come to the net later, for training and scoring. */
static espl_status add_samples_bytes(espl_run *run, size_t *bytes)
{
    const int64_t batch = run->fit.micro > SCORED ? run->fit.micro : SCORED;
    const size_t sample = (size_t)espl__shape_size(run->net->graph->nodes[0].shape) * sizeof(float);
    espl__plan *plan = NULL;
    espl_status s;

    if (!run->fit.features)
        return ESPL_OK;
    if ((s = espl__plan_open(run->net, run->fit.graph, &(espl__plan_settings){ .batch = batch, .measure = true }, &plan)))
        return s;
    *bytes += espl__arena_bytes(espl__plan_bytes(plan)) + 2 * LOADED * (size_t)batch * sample;
    espl__plan_free(plan);
    return ESPL_OK;
}

espl_status espl__stages_bytes(espl_run *run, size_t *more)
{
    size_t last = 0, tensors = (size_t)espl__updater_states(run->fit.updater) + (run->fit.total != NULL);
    espl_status s;

    *more = 0;
    for (int i = 0; i < run->member_count; i++)
        tensors += (size_t)run->members[i].technique->kept_per_parameter;
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (run->fit.held[i] && run->net->graph->parameters[i].spec.kind != ESPL_BUFFER)
            *more += tensors * (size_t)run->net->parameters[i].count * sizeof(float);
    if (!*more)
        return ESPL_OK;
    const size_t now = espl__arena_bytes(espl__plan_bytes(run->fit.plan));
    espl__stages_let_go(run, true);
    if (!(s = espl__stage_plan_bytes(run, &last))) {
        last = espl__arena_bytes(last);
        *more += last > now ? last - now : 0;
        if (!(s = add_statistics_bytes(run, more)))
            s = add_samples_bytes(run, more);
    }
    espl__stages_let_go(run, false);
    return s;
}
