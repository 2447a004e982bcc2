/* Opening a search, and asking it; see search_rounds.c for what it does. */
#include "train/searching.h"

#include <math.h>
#include <string.h>

#define TRIALS_USUAL 16
#define KEEP_USUAL 3
#define FOLDER_NAME "trial-%03d"

/* ---- what is asked for ---- */

static espl_status copy_list(espl_search *s, const char *const *list, const char *const **result)
{
    int count = 0;
    char **copy = NULL;
    espl_status status;

    while (list && list[count])
        count++;
    if ((status = espl__allocate(s->ctx, (size_t)count + 1, sizeof *copy, &copy)))
        return status;
    *result = (const char *const *)copy;
    for (int i = 0; i < count && !status; i++)
        status = espl__copy_text(s->ctx, list[i], &copy[i]);
    return status;
}

static void free_list(espl_search *s, const char *const *list)
{
    for (int i = 0; list && list[i]; i++)
        espl__release(s->ctx, (char *)(uintptr_t)list[i]);
    espl__release(s->ctx, (void *)(uintptr_t)list);
}

static espl_status check(espl_search *s, const espl_search_settings *given)
{
    if (given->trials < 0 || given->trials > ESPL_SEARCH_TRIALS_MAX)
        return espl__fail(s->ctx, ESPL_BAD_OPTION, "trials: %lld were asked for, 1 to %d can be done",
                          (long long)given->trials, ESPL_SEARCH_TRIALS_MAX);
    if (given->grid < 0 || given->grid > ESPL_SEARCH_TRIALS_MAX || (given->grid && given->trials))
        return espl__fail(s->ctx, ESPL_BAD_OPTION,
                          "grid: 1 to %d values of each range were expected, and no number of trials beside it",
                          ESPL_SEARCH_TRIALS_MAX);
    if (given->keep < 0)
        return espl__fail(s->ctx, ESPL_BAD_OPTION, "keep: one of 1 or more trials was expected, not of %lld",
                          (long long)given->keep);
    return ESPL_OK;
}

/* How many trials, and whether they are drawn. */
static espl_status count_trials(espl_search *s, const espl_search_settings *given)
{
    const int64_t grid = espl__search_combinations(&s->space, given->grid);

    s->keep = given->keep ? given->keep : KEEP_USUAL;
    s->grid = given->grid;
    if (given->grid || (!given->trials && !s->space.ranges)) {
        if (grid < 0)
            return espl__fail(s->ctx, ESPL_BAD_OPTION,
                              "search: there are more than %d combinations; draw some of them by a number of trials",
                              ESPL_SEARCH_TRIALS_MAX);
        s->count = (int)grid;
        return ESPL_OK;
    }
    s->draws = given->trials ? given->trials : TRIALS_USUAL;
    s->count = (int)s->draws;
    return ESPL_OK;
}

static espl_status make_text(espl_search *s, int trial, int value, char **result)
{
    espl__text text = { 0 };
    const espl_status status =
        s->draws ? espl__search_drawn_text(s->ctx, &s->space, (uint64_t)s->base->recipe.options.seed, trial, value, &text)
                 : espl__search_grid_text(s->ctx, &s->space, s->grid, trial, value, &text);

    *result = text.data;
    return status;
}

static espl_status make_trials(espl_search *s)
{
    const size_t count = (size_t)s->count;
    espl__text folder = { 0 };
    espl_status status;

    if ((status = espl__allocate(s->ctx, count, sizeof *s->trial, &s->trial)) ||
        (status = espl__allocate(s->ctx, count * (size_t)s->space.count, sizeof *s->text, &s->text)) ||
        (status = espl__allocate(s->ctx, count, sizeof *s->folders, &s->folders)) ||
        (status = espl__allocate(s->ctx, count, sizeof *s->order, &s->order)))
        return status;
    for (int t = 0; t < s->count; t++) {
        for (int v = 0; v < s->space.count; v++)
            if ((status = make_text(s, t, v, &s->text[t * s->space.count + v])))
                return status;
        folder = (espl__text){ 0 };
        status = espl__text_add(s->ctx, &folder, "%s/" FOLDER_NAME, s->folder, t + 1);
        s->folders[t] = folder.data;
        if (status)
            return status;
        s->trial[t] = (espl_trial){ .top1 = NAN, .loss = NAN, .folder = s->folders[t] };
        s->order[t] = t;
    }
    return ESPL_OK;
}

/* ---- opening ---- */

static espl_status open(espl_search *s, const espl_search_settings *given)
{
    espl_status status;

    if ((status = check(s, given)) ||
        (status = espl__folder_name(s->ctx, s->recipe, "-search", given->folder, &s->folder)) ||
        (status = copy_list(s, given->set, &s->set)) || (status = copy_list(s, given->with, &s->with)))
        return status;
    const espl_run_settings settings = { .folder = s->folder, .set = s->set, .with = s->with };
    if ((status = espl_run_load(s->ctx, s->recipe, &settings, &s->base)) ||
        (status = espl__search_space_read(s->base, &s->space)) || (status = count_trials(s, given)))
        return status;
    s->epochs = s->base->recipe.options.epochs;
    s->hold_out = espl__data_has_test(s->base->data);
    if (espl_data_count(s->base->data, ESPL_HELD_OUT) == 0)
        return espl__fail(s->ctx, ESPL_BAD_OPTION, "%s: nothing is held out to tell trials apart; set held-out: 0.1",
                          s->recipe);
    if ((status = make_trials(s)))
        return status;
    return espl__search_check_trials(s);
}

espl_status espl_search_open(espl_context *ctx, const char *recipe, const espl_search_settings *settings,
                             espl_search **result)
{
    static const espl_search_settings none = { 0 };
    espl_search *s = NULL;
    espl_status status;

    *result = NULL;
    if ((status = espl__allocate(ctx, 1, sizeof *s, &s)))
        return status;
    s->ctx = ctx;
    if ((status = espl__copy_text(ctx, recipe, &s->recipe)) || (status = open(s, settings ? settings : &none))) {
        espl_search_free(s);
        return status;
    }
    *result = s;
    return ESPL_OK;
}

void espl_search_free(espl_search *s)
{
    if (!s)
        return;
    for (int i = 0; s->text && i < s->count * s->space.count; i++)
        espl__release(s->ctx, s->text[i]);
    for (int t = 0; s->folders && t < s->count; t++)
        espl__release(s->ctx, s->folders[t]);
    espl__release(s->ctx, s->text);
    espl__release(s->ctx, s->folders);
    espl__release(s->ctx, s->trial);
    espl__release(s->ctx, s->order);
    espl_run_free(s->base);
    free_list(s, s->set);
    free_list(s, s->with);
    espl__release(s->ctx, s->folder);
    espl__release(s->ctx, s->recipe);
    espl__release(s->ctx, s);
}

/* ---- asking ---- */

void espl_search_watch(espl_search *s, void (*watch)(void *user, const espl_news *news), void *user)
{
    s->watch = watch;
    s->watch_user = user;
}

int espl_search_trials(const espl_search *s)
{
    return s->count;
}

const espl_trial *espl_search_trial(const espl_search *s, int trial)
{
    return &s->trial[trial];
}

int espl_search_ranked(const espl_search *s, int place)
{
    return s->order[place];
}

int espl_search_values(const espl_search *s)
{
    return s->space.count;
}

const char *espl_search_name(const espl_search *s, int value)
{
    return s->space.value[value].name;
}

const char *espl_search_path(const espl_search *s, int value)
{
    return s->space.value[value].path;
}

const char *espl_search_text(const espl_search *s, int trial, int value)
{
    return s->text[trial * s->space.count + value];
}

const char *espl_search_folder(const espl_search *s)
{
    return s->folder;
}
