/* What averages need of a run: blending inside the optimizer's pass, and trying the net that a technique's
 * kept tensors make. */
#include "train/scorer.h"
#include "train/statistics.h"
#include "train/train.h"

#include "kernels/wide.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- blending ---- */

static ESPL__WIDE_BODY void blend_body(float *restrict mean, const float *restrict value, int64_t count, float share)
{
    for (int64_t i = 0; i < count; i++)
        mean[i] += share * (value[i] - mean[i]);
}
ESPL__WIDE(blend, blend_body, (float *restrict mean, const float *restrict value, int64_t count, float share),
           (mean, value, count, share))

void espl_block_average(const espl_block *block, int kept, double share)
{
    if (share >= 1) /* exactly the value, whatever was there */
        memcpy(block->kept[kept], block->value, (size_t)block->count * sizeof(float));
    else
        blend(block->kept[kept], block->value, block->count, (float)share);
}

/* ---- trying ---- */

static void swap(float *a, float *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const float held = a[i];
        a[i] = b[i];
        b[i] = held;
    }
}

static void swap_parameters(espl_run *run, int kept)
{
    const int count = run->net->graph->parameter_count;

    for (int i = 0; i < count; i++)
        if (espl__parameter_trains(run->net, i))
            swap(run->net->parameters[i].value, run->acting->kept[kept * count + i],
                 run->net->parameters[i].count);
}

/* Brings the buffers to a store, or back from it; returns how many values that are. */
static size_t move_buffers(espl_run *run, float *store, bool back)
{
    size_t at = 0;

    for (int i = 0; i < run->net->graph->parameter_count; i++) {
        const espl__parameter *p = &run->net->parameters[i];
        if (run->net->graph->parameters[i].spec.kind != ESPL_BUFFER)
            continue;
        if (store)
            memcpy(back ? p->value : store + at, back ? store + at : p->value, (size_t)p->count * sizeof(float));
        at += (size_t)p->count;
    }
    return at;
}

static espl_status estimate(espl_run *run)
{
    const int64_t count = espl_data_count(run->data, ESPL_TRAIN), batch = run->fit.micro;
    const double began = espl__now();

    if (!run->fit.statistics)
        return ESPL_OK;
    const espl_status s = espl__statistics_run(run->fit.statistics, run->data, run->fit.augmentations,
                                               run->fit.augmentation_count,
                                               espl__statistics_batches((count + batch - 1) / batch));
    run->fit.estimating += espl__now() - began;
    return s;
}

/* Leaves its score where the run's own stands, since it is saved from there. */
static espl_status score(espl_run *run)
{
    espl__progress *p = &run->progress;
    espl__sums sums;
    espl_status s;

    p->scored = run->fit.scorer != NULL;
    if (!p->scored)
        return ESPL_OK;
    /* whoever asks to stop waits for this one: there is no way back into the middle of a moment */
    espl__scorer_finishes(run->fit.scorer, true);
    s = espl__scorer_run(run->fit.scorer, run->data, ESPL_HELD_OUT, &sums, NULL);
    espl__scorer_finishes(run->fit.scorer, false);
    p->last_loss = espl__sums_loss(&sums);
    p->last_top1 = espl__sums_top1(&sums);
    p->last_top5 = espl__sums_top5(&sums);
    return s;
}

static espl_status try(espl_run *run, const char *name, double *loss, double *top1)
{
    const espl__progress held = run->progress;
    espl_status s;

    if (!(s = estimate(run)) && !(s = score(run))) {
        *loss = run->progress.scored ? run->progress.last_loss : NAN;
        *top1 = run->progress.scored ? run->progress.last_top1 : NAN;
        if (name)
            s = espl__net_save_as(run, run->net, name, run->progress.scored);
    }
    run->progress = held;
    return s;
}

espl_status espl_run_try_kept(espl_run *run, int kept, const char *name, double *loss, double *top1)
{
    float *buffers = NULL;
    const size_t count = move_buffers(run, NULL, false);
    espl_status s = count ? espl__allocate(run->ctx, count, sizeof *buffers, &buffers) : ESPL_OK;

    *loss = *top1 = NAN;
    if (s)
        return s;
    move_buffers(run, buffers, false);
    swap_parameters(run, kept);
    s = try(run, name, loss, top1);
    swap_parameters(run, kept);
    move_buffers(run, buffers, true);
    espl__release(run->ctx, buffers);
    return s;
}
