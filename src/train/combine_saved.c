/* What ensembles need of a run: putting together nets that it saved, and beginning again from fresh weights. */
#include "train/scorer.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- putting together ---- */

static espl_status load(espl_run *run, const char *name, espl_net **net)
{
    char file[ESPL__FILE_NAME_MAX], path[ESPL__PATH_MAX];

    snprintf(file, sizeof file, "%s.safetensors", name);
    espl__folder_path(run, file, path);
    return espl_net_load(run->ctx, path, net);
}

static espl_status build(espl_run *run, const char *const *names, int count, espl_combine by, espl_net **result)
{
    espl_net *members[ESPL_MEMBERS_MAX] = { 0 };
    espl_status s = ESPL_OK;

    for (int m = 0; m < count && !s; m++)
        s = load(run, names[m], &members[m]);
    if (!s)
        s = espl_ensemble_build(members, count, by, NULL, result);
    for (int m = 0; m < count; m++)
        espl_net_free(members[m]);
    return s;
}

/* Leaves the score where the run's own stands, since it is saved from there. */
static espl_status score(espl_run *run, espl_net *net)
{
    const int64_t held_out = espl_data_count(run->data, ESPL_HELD_OUT);
    espl__progress *p = &run->progress;
    espl__scorer *scorer = NULL;
    espl__sums sums = { 0 };
    espl_status s;

    p->scored = held_out > 0;
    if (!p->scored)
        return ESPL_OK;
    net->precision = run->net->precision;
    if ((s = espl__scorer_open(net, run->recipe.loss, run->fit.micro < held_out ? run->fit.micro : held_out,
                               run->fit.plan_settings.direct_only, 0, &scorer)))
        return s;
    espl__scorer_finishes(scorer, true);
    s = espl__scorer_run(scorer, run->data, ESPL_HELD_OUT, &sums, NULL);
    espl__scorer_free(scorer);
    p->last_loss = espl__sums_loss(&sums);
    p->last_top1 = espl__sums_top1(&sums);
    p->last_top5 = espl__sums_top5(&sums);
    return s;
}

espl_status espl_run_combine(espl_run *run, const char *const *names, int count, espl_combine by, const char *name,
                             double *loss, double *top1)
{
    const espl__progress held = run->progress;
    espl_net *net = NULL;
    espl_status s;

    *loss = *top1 = NAN;
    if (!run->folder)
        return ESPL_OK;
    if (count < 1 || count > ESPL_MEMBERS_MAX)
        return espl_run_fail(run, ESPL_BAD_OPTION, "%d nets cannot be one ensemble, 1 to %d can", count,
                             ESPL_MEMBERS_MAX);
    if ((s = build(run, names, count, by, &net)))
        return s;
    if (!(s = score(run, net))) {
        *loss = run->progress.scored ? run->progress.last_loss : NAN;
        *top1 = run->progress.scored ? run->progress.last_top1 : NAN;
        s = espl__net_save_as(run, net, name, run->progress.scored);
    }
    run->progress = held;
    espl_net_free(net);
    return s;
}

/* ---- beginning again ---- */

void espl_run_begin_anew(espl_run *run, int64_t time)
{
    const int count = run->net->graph->parameter_count;
    char name[48];

    snprintf(name, sizeof name, "anew/%lld", (long long)time);
    espl__net_fill(run->net, espl__stream_of(espl__seed(run->ctx), name).key);
    for (int i = 0; i < count; i++) {
        espl__updater_times(run->fit.updater)[i] = 0;
        for (int k = 0; k < espl__updater_states(run->fit.updater); k++)
            if (espl__updater_state(run->fit.updater, k, i))
                memset(espl__updater_state(run->fit.updater, k, i), 0,
                       (size_t)run->net->parameters[i].count * sizeof(float));
    }
}
