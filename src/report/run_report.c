/* espl_report_run: the page of a run. */
#include "report/page.h"
#include "report/plot_rates.h"
#include "report/run_history.h"
#include <espalier/compare.h>
#include <espalier/run_report.h>

#include <stdio.h>

static const espl_report_settings defaults = { 0 };

/* ---- the course of the training ---- */

static espl__chart_series series_of(const espl__run_history *h, const char *name, espl__history_column y)
{
    return (espl__chart_series){ name, h->column[ESPL__HISTORY_EPOCH], h->column[y], h->count, false };
}

static void add_course(espl__page *page, const espl__run_history *h)
{
    espl__chart chart = { .x_name = "epoch", .series_count = 2 };

    if (h->count < 2) {
        espl__page_add(page, "<p>%d epoch is no course yet.</p>\n", h->count);
        return;
    }
    chart.title = "Loss of each epoch";
    chart.y_name = "loss";
    chart.description = "The mean loss of each epoch, on the data it trained on and on held-out data.";
    chart.series[0] = series_of(h, "training", ESPL__HISTORY_LOSS);
    chart.series[1] = series_of(h, "held out", ESPL__HISTORY_HELD_OUT_LOSS);
    espl__page_chart(page, &chart);
    chart.title = "Right answers of each epoch";
    chart.y_name = "accuracy";
    chart.description = "The share of right answers in each epoch, on the data it trained on and on held-out data.";
    chart.series[0] = series_of(h, "training", ESPL__HISTORY_TOP1);
    chart.series[1] = series_of(h, "held out", ESPL__HISTORY_HELD_OUT_TOP1);
    espl__chart_leave_room(&chart, 0.2);
    espl__page_chart(page, &chart);
    chart.y_low = chart.y_high = 0;
    chart.title = "Learning rate at the end of each epoch";
    chart.y_name = "rate";
    chart.description = "The learning rate of the last step of each epoch.";
    chart.series[0] = series_of(h, "", ESPL__HISTORY_RATE);
    chart.series_count = 1;
    espl__page_chart(page, &chart);
}

static void add_facts(espl__page *page, const espl__run_history *h)
{
    espl__page_add(page, "<p>The net ");
    espl__page_text(page, h->net);
    espl__page_add(page,
                   " of %lld parameters, trained for %d of %lld epochs on %lld samples in batches of %lld, with seed %lld; "
                   "%lld samples were held out.",
                   (long long)h->parameters, h->count, (long long)h->epochs, (long long)h->samples, (long long)h->batch,
                   (long long)h->seed, (long long)h->held_out);
    espl__page_add(page, "</p>\n");
}

static void add_rates(espl__page *page, const espl_rates *rates)
{
    if (!rates->count)
        return;
    espl__page_add(page, "<h2>How the learning rate was found</h2>\n<p>");
    if (rates->trusted)
        espl__page_add(page, "<strong>%.2g</strong>, between %.2g and %.2g: ", rates->rate, rates->low, rates->high);
    else
        espl__page_add(page, "None was found, so the optimizer's default was taken: ");
    espl__page_text(page, rates->reason);
    espl__page_add(page, ".</p>\n");
    if (!page->status)
        page->status = espl__rates_draw(page->ctx, rates, &page->text);
}

/* ---- which net to ship ---- */

static void add_candidate(espl__page *page, const espl_candidate *a, bool recommended)
{
    espl__page_add(page, "<tr%s><td>", recommended ? " class=\"ship\"" : "");
    espl__page_text(page, a->name);
    espl__page_add(page,
                   "</td><td>%.2f %%</td><td>%.2f - %.2f</td><td>%.4f</td><td>%.4f</td><td>%.2f MB</td><td>%.3f</td></tr>\n",
                   100 * a->top1, 100 * a->low, 100 * a->high, a->nll, a->calibration_error, (double)a->bytes / 1e6, a->ms);
}

static void add_comparison(espl__page *page, const char *folder, const espl_report_settings *o)
{
    const espl_compare_settings settings = { .data = o->data, .seconds = o->seconds };
    espl_compared c;

    if (page->status || (page->status = espl_compare_run(page->ctx, folder, &settings, &c)))
        return;
    espl__page_add(page, "<h2>Which net to ship</h2>\n<table>\n<tr><th>candidate</th><th>accuracy</th>"
                         "<th>95 %% interval</th><th>loss</th><th>calibration error</th><th>size</th><th>ms</th></tr>\n");
    for (int i = 0; i < c.count; i++)
        add_candidate(page, &c.candidate[i], i == c.recommended);
    espl__page_add(page, "</table>\n<p>Recommended: ");
    espl__page_text(page, c.reason);
    espl__page_add(page,
                   ".</p>\n<p>Accuracy, loss and calibration are of the %lld held-out samples. The loss is the mean of -log "
                   "of the true class's probability; the calibration error tells how far probabilities are from how often "
                   "they are right; ms is the time of one prediction on this machine.</p>\n",
                   (long long)c.samples);
    espl_compared_free(&c);
}

/* ---- the page ---- */

static void add_recipe(espl__page *page, const char *folder)
{
    char path[1100], *text = NULL;
    size_t bytes = 0;

    snprintf(path, sizeof path, "%s/recipe.yaml", folder);
    if (page->status || (page->status = espl__file_read(page->ctx, path, (size_t)1 << 24, &text, &bytes)))
        return;
    espl__page_add(page, "<h2>Recipe</h2>\n<pre>");
    espl__page_text(page, text);
    espl__page_add(page, "</pre>\n");
    espl__release(page->ctx, text);
}

espl_status espl_report_run(espl_context *ctx, const char *folder, const espl_report_settings *settings,
                            const char *path)
{
    const espl_report_settings *o = settings ? settings : &defaults;
    espl__run_history history;
    espl__page page;
    espl_status s = espl__history_read(ctx, folder, &history);

    if (!s) {
        espl__page_open(&page, ctx, folder);
        add_facts(&page, &history);
        if (!o->bare)
            add_comparison(&page, folder, o);
        espl__page_add(&page, "<h2>Course of the training</h2>\n");
        add_course(&page, &history);
        add_rates(&page, &history.rates);
        add_recipe(&page, folder);
        s = espl__page_close(&page, path);
    }
    espl__history_free(&history);
    return s;
}
