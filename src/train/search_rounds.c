/* The trials of a search in rounds, of which the better ones go on (successive halving; Jamieson and Talwalkar,
 * arXiv:1502.07943). Every trial is a run in a folder of its own; what was done is read off the runs' logs and
 * checkpoints, so a search that was stopped anywhere goes on and ends the same. */
#include "train/checkpoint.h"
#include "train/searching.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX 64
#define OWN_SETTINGS 5 /* of a trial, beside the values: see settings_make */

/* Choosing by a test set would spoil it. */
#define HELD_OUT "held-out=0.1"

/* ---- the run of a trial ---- */

typedef struct trial_settings {
    espl_run_settings run;
    const char **set;
    espl__text value[ESPL_SEARCH_VALUES_MAX];
} trial_settings;

static void settings_free(espl_search *s, trial_settings *t)
{
    for (int v = 0; v < s->space.count; v++)
        espl__text_free(s->ctx, &t->value[v]);
    espl__release(s->ctx, t->set);
}

static espl_status settings_make(espl_search *s, int trial, trial_settings *t)
{
    char path[ESPL__PATH_MAX];
    int count = 0;
    espl_status status;

    *t = (trial_settings){ .run = { .folder = s->folders[trial], .with = s->with } };
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", s->folders[trial]);
    t->run.resume = access(path, F_OK) == 0;
    while (s->set[count])
        count++;
    if ((status = espl__allocate(s->ctx, (size_t)(count + OWN_SETTINGS + s->space.count), sizeof *t->set, &t->set)))
        return status;
    memcpy(t->set, s->set, (size_t)count * sizeof *t->set);
    t->run.set = t->set;
    t->set[count++] = "search=";
    t->set[count++] = "score-every=1ep";
    if (s->hold_out)
        t->set[count++] = HELD_OUT;
    if (s->hold_out && *s->base->recipe.data.test)
        t->set[count++] = "data.test=";
    for (int v = 0; v < s->space.count; v++) {
        if ((status = espl__text_add(s->ctx, &t->value[v], "%s=%s", s->space.value[v].path,
                                     espl_search_text(s, trial, v))))
            return status;
        t->set[count++] = t->value[v].data;
    }
    return ESPL_OK;
}

espl_status espl__search_check_trials(espl_search *s)
{
    espl_status status = ESPL_OK;

    for (int t = 0; t < s->count && !status; t++) {
        trial_settings settings;
        espl_run *run = NULL;
        if (!(status = settings_make(s, t, &settings)))
            status = espl__run_read(s->ctx, s->recipe, &settings.run, &run);
        espl_run_free(run);
        settings_free(s, &settings);
    }
    return status;
}

static void watch_trial(void *user, const espl_news *news)
{
    espl_search *s = user;

    if (s->watch)
        s->watch(s->watch_user, news);
    if (news->kind != ESPL_NEWS_EPOCH || news->epoch != s->pause || news->epoch == news->epochs)
        return;
    s->asked = espl__interrupted(s->ctx);
    espl_interrupt(s->ctx);
}

static void tell_trial(espl_search *s, int trial, int64_t epochs)
{
    char text[512];
    int length = snprintf(text, sizeof text, "trial %d of %d, to epoch %lld:", trial + 1, s->count, (long long)epochs);

    for (int v = 0; v < s->space.count && length < (int)sizeof text; v++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s %s %s", v ? "," : "",
                           s->space.value[v].name, espl_search_text(s, trial, v));
    if (s->watch)
        s->watch(s->watch_user, &(espl_news){ .kind = ESPL_NEWS_NOTE, .text = text });
}

static espl_status fit(espl_search *s, int trial)
{
    trial_settings settings;
    espl_run *run = NULL;
    espl_status status;

    if (!(status = settings_make(s, trial, &settings)) &&
        !(status = espl_run_load(s->ctx, s->recipe, &settings.run, &run))) {
        espl_run_watch(run, watch_trial, s);
        status = espl_run_fit(run);
    }
    espl_run_free(run);
    settings_free(s, &settings);
    return status;
}

/* Has an earlier call, or this one, trained it so far? Then its figures are known. */
static espl_status find_score(espl_search *s, int trial, int64_t epochs, bool *found)
{
    espl_trial *t = &s->trial[trial];
    char path[ESPL__PATH_MAX];
    double loss = NAN, top1 = NAN;
    espl_status status;

    snprintf(path, sizeof path, "%s/log.jsonl", t->folder);
    if ((status = espl__log_find_epoch(s->ctx, path, epochs, &loss, &top1, found)) || !*found)
        return status;
    t->epochs = epochs;
    t->loss = loss;
    t->top1 = top1;
    return ESPL_OK;
}

/* Trains one trial up to the end of an epoch. */
static espl_status advance(espl_search *s, int trial, int64_t epochs)
{
    bool found = false;
    espl_status status = find_score(s, trial, epochs, &found);

    if (status || found)
        return status;
    tell_trial(s, trial, epochs);
    s->pause = epochs;
    s->asked = false;
    status = fit(s, trial);
    if (status == ESPL_DIVERGED) {
        s->trial[trial].diverged = true;
        s->trial[trial].top1 = s->trial[trial].loss = NAN;
        return ESPL_OK;
    }
    if (status && status != ESPL_INTERRUPTED)
        return status;
    const espl_status read = find_score(s, trial, epochs, &found);
    if (read)
        return read;
    if (found && !s->asked)
        return ESPL_OK;
    if (status)
        return espl__fail(s->ctx, status, "the search was stopped; the same command goes on with it");
    return espl__fail(s->ctx, ESPL_BAD_STATE, "%s/log.jsonl: does not tell of epoch %lld, which was trained",
                      s->folders[trial], (long long)epochs);
}

/* ---- rounds ---- */

static bool is_better(const espl_trial *a, const espl_trial *b)
{
    const bool a_scored = isfinite(a->top1), b_scored = isfinite(b->top1);

    if (a_scored != b_scored)
        return a_scored;
    if (a->epochs != b->epochs)
        return a->epochs > b->epochs;
    if (a_scored && a->top1 != b->top1)
        return a->top1 > b->top1;
    return a_scored && a->loss < b->loss;
}

/* By insertion: trials are few, and equal ones stay in their order. */
static void rank_trials(espl_search *s)
{
    for (int i = 1; i < s->count; i++) {
        const int moved = s->order[i];
        int to = i;
        for (; to > 0 && is_better(&s->trial[moved], &s->trial[s->order[to - 1]]); to--)
            s->order[to] = s->order[to - 1];
        s->order[to] = moved;
    }
}

/* The epochs of each round: the last has all of them, each before it a share of one in `keep`, as long as there are
 * trials to leave out and epochs to share. */
static int plan_rounds(const espl_search *s, int64_t epochs[ROUNDS_MAX])
{
    int64_t left = s->count, each = s->epochs;
    int count = 1;

    while (s->keep > 1 && left >= s->keep && each >= s->keep && count < ROUNDS_MAX) {
        left /= s->keep;
        each /= s->keep;
        count++;
    }
    int64_t share = s->epochs;
    for (int r = count - 1; r >= 0; r--, share = (share + s->keep - 1) / s->keep)
        epochs[r] = share;
    return count;
}

static espl_status write_plan(espl_search *s)
{
    char more[128];

    snprintf(more, sizeof more, "trials: %lld\ngrid: %lld\nkeep-one-of: %lld\n", (long long)s->draws,
             (long long)s->grid, (long long)s->keep);
    return espl__folder_claim(s->base, s->folder, "search.yaml", more);
}

espl_status espl_search_run(espl_search *s)
{
    int64_t epochs[ROUNDS_MAX];
    const int rounds = plan_rounds(s, epochs);
    int left = s->count;
    espl_status status = write_plan(s);

    for (int r = 0; r < rounds && !status; r++) {
        int going[ESPL_SEARCH_TRIALS_MAX];
        memcpy(going, s->order, (size_t)left * sizeof *going);
        for (int i = 0; i < left && !status; i++)
            status = s->trial[going[i]].diverged ? ESPL_OK : advance(s, going[i], epochs[r]);
        rank_trials(s);
        left = (int)((left + s->keep - 1) / s->keep);
    }
    return status;
}
