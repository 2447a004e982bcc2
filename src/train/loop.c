/* The loop: epochs of steps, and what happens between them. */
#include "train/align_new.h"
#include "train/features.h"
#include "train/scorer.h"
#include "train/stages.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>

#define SECONDS_TO_LOSE 1 /* epochs that take less share a checkpoint, which waits for the disk */
#define STEPS_TO_SETTLE 2 /* after so many, a step must not allocate */

static espl_news news_of(const espl_run *run, espl_news_kind kind)
{
    const espl__progress *p = &run->progress;
    const espl__fit *fit = &run->fit;
    const bool epoch = kind == ESPL_NEWS_EPOCH;

    return (espl_news){
        .kind = kind,
        .epoch = p->epoch,
        .epochs = run->recipe.options.epochs,
        .step = p->step,
        .steps = espl_run_steps(run),
        .loss = espl__sums_loss(&p->sums),
        .top1 = espl__sums_top1(&p->sums),
        .held_out_loss = epoch && p->scored ? p->last_loss : NAN,
        .held_out_top1 = epoch && p->scored ? p->last_top1 : NAN,
        .rate = p->rate,
        .seconds = espl__now() - fit->began,
        .images_per_second = fit->training_seconds > 0 ? (double)fit->images / fit->training_seconds : 0,
        .wait_seconds = fit->waited + (fit->loader ? espl__loader_waited(fit->loader) : 0),
    };
}

void espl__run_tell(espl_run *run, espl_news_kind kind, const char *text)
{
    espl_news news;

    if (!run->watch)
        return;
    news = news_of(run, kind);
    news.text = text;
    run->watch(run->watch_user, &news);
}

/* ---- one epoch ---- */

static espl_status step(espl_run *run)
{
    espl__fit *fit = &run->fit;
    const int64_t allocations = espl__allocation_count(run->ctx);
    const double began = espl__now();
    const espl__batch *batch = NULL;
    espl_status s = espl__loader_next(fit->loader, &batch);

    if (s)
        return s;
    if (!batch || batch->epoch != run->progress.epoch || batch->number != run->progress.batch)
        return espl__fail(run->ctx, ESPL_BAD_STATE, "the loader ended before the epoch did");
    if ((s = espl__step(run, batch)))
        return s;
    fit->training_seconds += espl__now() - began;
    fit->images += batch->count;
    if (++fit->steps_here > STEPS_TO_SETTLE)
        fit->allocations += espl__allocation_count(run->ctx) - allocations;
    /* what is kept at the end of a cycle may take memory: it is no part of the step */
    if (fit->cycle_left == 0 && (s = espl__moment(run, ESPL_CYCLE_END)))
        return s;
    espl__run_tell(run, ESPL_NEWS_STEP, NULL);
    return ESPL_OK;
}

static espl_status stop(espl_run *run)
{
    espl__interrupt_clear(run->ctx);
    const espl_status s = espl__checkpoint_write(run);

    if (s)
        return s;
    return espl__fail(run->ctx, ESPL_INTERRUPTED,
                      run->folder ? "stopped after step %lld of %lld; --resume goes on from there"
                                  : "stopped after step %lld of %lld",
                      (long long)run->progress.step, (long long)espl_run_steps(run));
}

/* The frozen part, once. */
static espl_status fill_features(espl_run *run, bool resumed)
{
    char note[256];
    espl_status s;

    if (!run->fit.features || run->progress.epoch >= run->recipe.options.epochs)
        return ESPL_OK;
    espl__run_tell(run, ESPL_NEWS_NOTE, "the frozen part of the net is computed for every sample");
    s = espl__features_fill(run);
    if (s == ESPL_INTERRUPTED)
        return !resumed && (s = espl__folder_begin(run)) ? s : stop(run);
    if (s)
        return s;
    espl__features_note(run, note);
    espl__run_tell(run, ESPL_NEWS_NOTE, note);
    return ESPL_OK;
}

/* Layers may be let go here: what of the net is frozen, and so kept as features, is then another part. */
static espl_status begin_epoch(espl_run *run)
{
    char note[256];
    bool changed = false;
    espl_status s;

    run->progress.sums = (espl__sums){ 0 };
    if ((s = espl__moment(run, ESPL_EPOCH_BEGIN)) || (s = espl__features_check(run)) ||
        (s = espl__stage_begin(run, &changed)) || !changed)
        return s;
    /* what trains from now on was frozen when the best net was copied */
    if ((s = espl__net_write_kept(run)) || (s = fill_features(run, true)) || (s = espl__fit_open_loader(run)) || (s = espl__frozen_note(run, note)))
        return s;
    if (*note)
        espl__run_tell(run, ESPL_NEWS_NOTE, note);
    return ESPL_OK;
}

static espl_status train_epoch(espl_run *run)
{
    espl__progress *p = &run->progress;
    const int64_t every = espl_run_duration(run, run->recipe.options.checkpoint_every);
    espl_status s;

    if (p->batch == 0 && (s = begin_epoch(run)))
        return s;
    while (p->batch < run->steps_per_epoch) {
        if ((s = step(run)))
            return s;
        if (espl__interrupted(run->ctx))
            return stop(run);
        if (every > 0 && p->step % every == 0 && p->batch < run->steps_per_epoch &&
            (s = espl__checkpoint_write(run)))
            return s;
    }
    return ESPL_OK;
}

/* ---- the end of an epoch ---- */

static bool scores_now(const espl_run *run)
{
    const int64_t every = espl_run_duration(run, run->recipe.options.score_every);
    const int64_t per_epoch = run->steps_per_epoch, step = run->progress.step;

    if (!run->fit.scorer)
        return false;
    /* a distance ends within this epoch, or the run does */
    return step == espl_run_steps(run) || every <= per_epoch || step / every > (step - per_epoch) / every;
}

static espl_status score(espl_run *run)
{
    espl__progress *p = &run->progress;
    espl__sums sums;
    const espl_status s = espl__scorer_run(run->fit.scorer, run->data, ESPL_HELD_OUT, &sums, NULL);

    if (s)
        return s == ESPL_INTERRUPTED ? stop(run) : s;
    p->scored = true;
    p->scorings++;
    p->last_loss = espl__sums_loss(&sums);
    p->last_top1 = espl__sums_top1(&sums);
    p->last_top5 = espl__sums_top5(&sums);
    return ESPL_OK;
}

/* A kill costs what was done since the last checkpoint. */
static bool saves_now(espl_run *run)
{
    const double now = espl__now();

    if (run->progress.epoch < run->recipe.options.epochs && now - run->fit.saved_at < SECONDS_TO_LOSE)
        return false;
    run->fit.saved_at = now;
    return true;
}

static espl_status end_epoch(espl_run *run)
{
    espl__progress *p = &run->progress;
    espl_news news;
    espl_status s;

    p->scored = false;
    if (scores_now(run) && (s = score(run)))
        return s;
    p->epoch++;
    p->batch = 0;
    run->report_count = 0;
    if ((s = espl__moment(run, ESPL_EPOCH_END)))
        return s;
    const bool saves = saves_now(run);
    if ((s = espl__net_keep(run, saves)))
        return s;
    news = news_of(run, ESPL_NEWS_EPOCH);
    /* The log line comes first: a kill in between leaves a line too many, which a resume cuts off,
     * never one too few. */
    if ((s = espl__log_epoch(run, &news)) || (s = espl__events_epoch(run, &news)) || (saves && (s = espl__checkpoint_write(run))))
        return s;
    espl__run_tell(run, ESPL_NEWS_EPOCH, NULL);
    return ESPL_OK;
}

/* ---- the run ---- */

static espl_status begin(espl_run *run)
{
    char note[256];
    size_t later = 0;
    bool resumed = false;
    espl_status s;

    run->fit.began = espl__now();
    if ((s = espl__fit_open(run)) || (run->resume && (s = espl__checkpoint_read(run, &resumed))) ||
        (s = espl__rate_take(run)) || (s = espl__moment(run, ESPL_RUN_BEGIN)) ||
        (s = fill_features(run, resumed)) || (s = espl__fit_open_loader(run)))
        return s;
    if ((s = espl__stages_bytes(run, &later)))
        return s;
    run->result.planned_bytes = espl__fit_bytes(run) + later;
    if (!resumed && (s = espl__folder_begin(run)))
        return s;
    if ((s = espl__folder_write_recipe(run)) || (s = espl__log_begin(run, resumed)) || (s = espl__events_begin(run, resumed)))
        return s;
    snprintf(note, sizeof note, "%s %lld samples, %lld steps an epoch; %.1f MB of memory planned",
             resumed ? "going on with" : "training on", (long long)espl_data_count(run->data, ESPL_TRAIN),
             (long long)run->steps_per_epoch, (double)run->result.planned_bytes / 1e6);
    espl__run_tell(run, ESPL_NEWS_NOTE, note);
    if (!(s = espl__frozen_note(run, note)) && *note)
        espl__run_tell(run, ESPL_NEWS_NOTE, note);
    return s;
}

static espl_status train(espl_run *run)
{
    espl_status s = ESPL_OK;

    while (run->progress.epoch < run->recipe.options.epochs && !s) {
        s = train_epoch(run);
        if (!s)
            s = end_epoch(run);
        if (!s && espl__interrupted(run->ctx) && run->progress.epoch < run->recipe.options.epochs)
            s = stop(run);
    }
    return s ? s : espl__moment(run, ESPL_RUN_END);
}

static void fill_result(espl_run *run)
{
    const espl__progress *p = &run->progress;
    espl_result *r = &run->result;
    const bool best = p->best_known, known = p->scorings > 0;

    r->top1 = best ? p->best_top1 : known ? p->last_top1
                                          : NAN;
    r->top5 = best ? p->best_top5 : known ? p->last_top5
                                          : NAN;
    r->loss = best ? p->best_loss : known ? p->last_loss
                                          : NAN;
    r->epochs = p->epoch;
    r->steps = p->step;
    r->seconds = espl__now() - run->fit.began;
    r->images_per_second =
        run->fit.training_seconds > 0 ? (double)run->fit.images / run->fit.training_seconds : 0;
    r->wait_seconds = run->fit.waited + (run->fit.loader ? espl__loader_waited(run->fit.loader) : 0);
    r->estimate_seconds = run->fit.estimating;
    r->peak_bytes = espl__bytes_peak(run->ctx);
    r->step_allocations = run->fit.allocations;
    r->hash = espl__net_hash(run->net);
}

espl_status espl_run_fit(espl_run *run)
{
    espl_status s, logged;

    if (run->fitted)
        return espl__fail(run->ctx, ESPL_BAD_STATE, "a run is fitted once; open another one");
    if (run->recipe.search)
        return espl__tree_fail(run->recipe.document, run->recipe.search, ESPL_BAD_OPTION,
                               "search: one training cannot try several values; use `espalier search`, or take the "
                               "line out");
    run->fitted = true;
    run->net->temperature = run->net->unknown = 0; /* of other weights */
    if (!(s = begin(run)))
        s = train(run);
    fill_result(run);
    if (!s)
        s = espl__net_take_kept(run);
    if (!s)
        s = espl__align_new(run);
    if (!s)
        espl__features_done(run);
    logged = espl__log_end(run, s);
    espl__fit_free(run);
    return s ? s : logged;
}
