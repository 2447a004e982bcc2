/* What a search found, as a picture: accuracy against one of the values. */
#include "report/chart.h"

#include <espalier/search.h>

#include <math.h>
#include <stdio.h>

/* The dots of trials that got equally far. */
typedef struct round_dots {
    int64_t epochs;
    int count;
    char name[32];
    double x[ESPL_SEARCH_TRIALS_MAX], y[ESPL_SEARCH_TRIALS_MAX];
} round_dots;

/* In the order of the ranking, so that those who got furthest come first; past the last colour they share one. */
static espl_status collect(espl_context *ctx, const espl_search *search, int value, round_dots *rounds, int *count)
{
    for (int place = 0; place < espl_search_trials(search); place++) {
        const int trial = espl_search_ranked(search, place);
        const espl_trial *t = espl_search_trial(search, trial);
        const char *text = espl_search_text(search, trial, value);
        double x;
        if (!espl__text_to_real(text, &x))
            return espl__fail(ctx, ESPL_BAD_OPTION, "%s: \"%s\" is no number and has no place in a picture",
                              espl_search_name(search, value), text);
        if (!isfinite(t->top1))
            continue;
        if (*count == 0 || (rounds[*count - 1].epochs != t->epochs && *count < ESPL__CHART_SERIES_MAX))
            rounds[(*count)++].epochs = t->epochs;
        round_dots *r = &rounds[*count - 1];
        snprintf(r->name, sizeof r->name, "after %lld epoch%s", (long long)r->epochs, r->epochs == 1 ? "" : "s");
        r->x[r->count] = x;
        r->y[r->count++] = 100 * t->top1;
    }
    return ESPL_OK;
}

/* Values that differ by factors lie evenly in their logarithm. */
static bool wants_logarithm(const round_dots *rounds, int count)
{
    double low = INFINITY, high = -INFINITY;

    for (int r = 0; r < count; r++)
        for (int i = 0; i < rounds[r].count; i++) {
            low = fmin(low, rounds[r].x[i]);
            high = fmax(high, rounds[r].x[i]);
        }
    return low > 0 && high / low >= 20;
}

static espl_status draw(espl_context *ctx, const espl_search *search, int value, round_dots *rounds, const char *path)
{
    int count = 0;
    const espl_status s = collect(ctx, search, value, rounds, &count);
    espl__chart chart = {
        .title = "What trials reach",
        .description = "A dot for every trial of a search: its accuracy on held-out data against its value",
        .x_name = espl_search_path(search, value),
        .y_name = "accuracy, %",
        .log_x = wants_logarithm(rounds, count),
        .series_count = count,
    };

    if (s)
        return s;
    for (int r = 0; r < count; r++)
        chart.series[r] = (espl__chart_series){ rounds[r].name, rounds[r].x, rounds[r].y, rounds[r].count, true };
    return espl__chart_write(ctx, &chart, path);
}

espl_status espl_search_plot(espl_context *ctx, const espl_search *search, int value, const char *path)
{
    round_dots *rounds = NULL;
    espl_status s = espl__allocate(ctx, ESPL__CHART_SERIES_MAX, sizeof *rounds, &rounds);

    if (!s)
        s = draw(ctx, search, value, rounds, path);
    espl__release(ctx, rounds);
    return s;
}
