/* What the parts of a net give, as a picture. */
#include "report/chart.h"

#include <espalier/contribution.h>

#include <math.h>

#define CUTS (ESPL_CONTRIBUTION_GROUPS_MAX + 1)

typedef struct columns {
    double copied[CUTS], frozen[CUTS], trained[CUTS], probe[CUTS], reset[CUTS];
} columns;

/* A series of which nothing was measured is left out. */
static void add(espl__chart *chart, const char *name, const columns *c, const double *values, int count, bool dots)
{
    bool any = false;

    for (int i = 0; i < count; i++)
        any |= isfinite(values[i]);
    if (any)
        chart->series[chart->series_count++] = (espl__chart_series){ name, c->copied, values, count, dots };
}

static espl_status draw(espl_context *ctx, const columns *c, int count, const char *path)
{
    espl__chart chart = {
        .title = "What the parts of a net give",
        .description = "Accuracy on held-out data against the number of groups of layers that are copied, from the input",
        .x_name = "groups of layers copied, from the input",
        .y_name = "accuracy, %",
    };

    add(&chart, "copied and frozen", c, c->frozen, count, false);
    add(&chart, "copied and trained on", c, c->trained, count, false);
    add(&chart, "linear classifier there", c, c->probe, count, false);
    add(&chart, "this group drawn anew", c, c->reset, count, true);
    return espl__chart_write(ctx, &chart, path);
}

espl_status espl_contribution_plot(espl_context *ctx, const espl_contribution *contribution, const char *path)
{
    const int count = contribution->groups + 1;
    columns *c = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *c, &c);

    if (s)
        return s;
    for (int n = 0; n < count; n++) {
        const espl_contribution_cut *cut = &contribution->cut[n];
        c->copied[n] = n;
        c->frozen[n] = 100 * cut->frozen;
        c->trained[n] = 100 * cut->trained;
        c->probe[n] = 100 * cut->probe;
        c->reset[n] = 100 * cut->reset;
    }
    s = draw(ctx, c, count, path);
    espl__release(ctx, c);
    return s;
}
