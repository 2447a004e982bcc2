/* What the parts of a net give, as a picture and as a page. */
#include "report/page.h"

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

/* The chart of what is in the columns, which it borrows. */
static void make_chart(const espl_contribution *contribution, columns *c, espl__chart *chart)
{
    const int count = contribution->groups + 1;

    for (int n = 0; n < count; n++) {
        const espl_contribution_cut *cut = &contribution->cut[n];
        c->copied[n] = n;
        c->frozen[n] = 100 * cut->frozen;
        c->trained[n] = 100 * cut->trained;
        c->probe[n] = 100 * cut->probe;
        c->reset[n] = 100 * cut->reset;
    }
    *chart = (espl__chart){
        .title = "What the parts of a net give",
        .description = "Accuracy on held-out data against the number of groups of layers that are copied, from the input",
        .x_name = "groups of layers copied, from the input",
        .y_name = "accuracy, %",
    };
    add(chart, "copied and frozen", c, c->frozen, count, false);
    add(chart, "copied and trained on", c, c->trained, count, false);
    add(chart, "linear classifier there", c, c->probe, count, false);
    add(chart, "this group drawn anew", c, c->reset, count, true);
    espl__chart_leave_room(chart, 0.4);
}

espl_status espl_contribution_plot(espl_context *ctx, const espl_contribution *contribution, const char *path)
{
    columns *c = NULL;
    espl__chart chart;
    espl_status s = espl__allocate(ctx, 1, sizeof *c, &c);

    if (s)
        return s;
    make_chart(contribution, c, &chart);
    s = espl__chart_write(ctx, &chart, path);
    espl__release(ctx, c);
    return s;
}

/* ---- the page ---- */

static void add_share(espl__page *page, double share)
{
    if (isfinite(share))
        espl__page_add(page, "<td>%.2f %%</td>", 100 * share);
    else
        espl__page_add(page, "<td></td>");
}

static void add_table(espl__page *page, const espl_contribution *contribution)
{
    espl__page_add(page, "<table>\n<tr><th>up to layer</th><th>groups copied</th><th>values of this one</th><th>frozen</th>"
                         "<th>trained on</th><th>linear</th><th>group anew</th></tr>\n");
    for (int n = 0; n <= contribution->groups; n++) {
        const espl_contribution_cut *cut = &contribution->cut[n];
        espl__page_add(page, "<tr><td>");
        espl__page_text(page, n ? cut->layer : "none");
        espl__page_add(page, "</td><td>%d</td><td>%lld</td>", n, (long long)cut->parameters);
        add_share(page, cut->frozen);
        add_share(page, cut->trained);
        add_share(page, cut->probe);
        add_share(page, cut->reset);
        espl__page_add(page, "</tr>\n");
    }
    espl__page_add(page, "</table>\n<p>Accuracies are those on %lld held-out samples. Frozen, trained on: the layers up to "
                         "here are copied and stay, or train too, more slowly; the others are trained from first values. "
                         "Linear: a linear classifier is trained on the values here. Group anew: the group that ends here "
                         "gets first values again in the whole trained net",
                   (long long)contribution->held_out);
    if (isfinite(contribution->whole))
        espl__page_add(page, ", which has %.2f %%", 100 * contribution->whole);
    espl__page_add(page, ", and nothing is trained.</p>\n");
}

espl_status espl_contribution_report(espl_context *ctx, const espl_contribution *contribution, const char *path)
{
    columns *c = NULL;
    espl__page page;
    espl__chart chart;
    espl_status s = espl__allocate(ctx, 1, sizeof *c, &c);

    if (s)
        return s;
    make_chart(contribution, c, &chart);
    espl__page_open(&page, ctx, contribution->folder);
    espl__page_chart(&page, &chart);
    add_table(&page, contribution);
    s = espl__page_close(&page, path);
    espl__release(ctx, c);
    return s;
}
