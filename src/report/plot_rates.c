/* The curve of a range test as a picture. */
#include "report/plot_rates.h"

#include <math.h>
#include <stdio.h>

/* The columns of the points. */
typedef struct columns {
    double rate[ESPL_RATE_POINTS_MAX], loss[ESPL_RATE_POINTS_MAX], smooth[ESPL_RATE_POINTS_MAX],
        training[ESPL_RATE_POINTS_MAX];
} columns;

static double first_loss(const espl_rates *rates)
{
    return rates->count && isfinite(rates->points[0].smooth) ? rates->points[0].smooth : 1;
}

static espl_status draw(espl_context *ctx, const espl_rates *rates, const columns *c, espl__text *text)
{
    const int n = rates->count;
    espl__chart chart = {
        .title = "Loss after a step with each rate",
        .description = rates->reason,
        .x_name = "learning rate",
        .y_name = "loss",
        .log_x = true,
        .y_high = 1.3 * first_loss(rates), /* what breaks would leave no room for the rest */
        .series_count = 3,
        .series = { { "of the same samples", c->rate, c->loss, n, true },
                    { "smoothed", c->rate, c->smooth, n, false },
                    { "of the step's batch", c->rate, c->training, n, true } },
    };
    char label[32];

    snprintf(label, sizeof label, "%.2g", rates->rate);
    if (rates->trusted) {
        chart.mark[chart.mark_count++] = (espl__chart_mark){ "", rates->low, rates->high };
        chart.mark[chart.mark_count++] = (espl__chart_mark){ label, rates->rate, rates->rate };
    }
    return espl__chart_draw(ctx, &chart, text);
}

espl_status espl__rates_draw(espl_context *ctx, const espl_rates *rates, espl__text *text)
{
    columns *c = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *c, &c);

    if (s)
        return s;
    for (int i = 0; i < rates->count; i++) {
        c->rate[i] = rates->points[i].rate;
        c->loss[i] = rates->points[i].loss;
        c->smooth[i] = rates->points[i].smooth;
        c->training[i] = rates->points[i].training;
    }
    s = draw(ctx, rates, c, text);
    espl__release(ctx, c);
    return s;
}

espl_status espl_rates_plot(espl_context *ctx, const espl_rates *rates, const char *path)
{
    espl__text text = { 0 };
    espl_status s = espl__rates_draw(ctx, rates, &text);

    if (!s)
        s = espl__file_replace(ctx, path, text.data, text.length);
    espl__text_free(ctx, &text);
    return s;
}
