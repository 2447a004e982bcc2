/* Writing charts; see chart.h. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 720
#define HEIGHT 420
#define LEFT 70
#define RIGHT 20
#define TOP 50
#define BOTTOM 60
#define TICKS 5

/* Told apart by those who see colours differently as well (Okabe and Ito 2008). */
static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999" };

typedef struct drawing {
    espl_context *ctx;
    const espl__chart *chart;
    espl__text *text;
    double x_low, x_high, y_low, y_high; /* x as it lies on the axis */
} drawing;

static double on_axis(const espl__chart *chart, double x)
{
    return chart->log_x ? (x > 0 ? log10(x) : NAN) : x;
}

/* ---- ranges ---- */

static void widen(double value, double *low, double *high)
{
    if (!isfinite(value))
        return;
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

/* No range of one value, or none. */
static void settle(double *low, double *high)
{
    if (!(*low <= *high)) {
        *low = 0;
        *high = 1;
    } else if (*low == *high) {
        *low -= 0.5;
        *high += 0.5;
    }
}

static void find_ranges(drawing *d)
{
    const espl__chart *c = d->chart;

    d->x_low = d->y_low = INFINITY;
    d->x_high = d->y_high = -INFINITY;
    for (int s = 0; s < c->series_count; s++)
        for (int i = 0; i < c->series[s].count; i++) {
            widen(on_axis(c, c->series[s].x[i]), &d->x_low, &d->x_high);
            widen(c->series[s].y[i], &d->y_low, &d->y_high);
        }
    if (c->y_low < c->y_high) {
        d->y_low = c->y_low;
        d->y_high = c->y_high;
    }
    settle(&d->x_low, &d->x_high);
    settle(&d->y_low, &d->y_high);
}

void espl__chart_leave_room(espl__chart *chart, double share)
{
    double low = INFINITY, high = -INFINITY;

    for (int s = 0; s < chart->series_count; s++)
        for (int i = 0; i < chart->series[s].count; i++)
            widen(chart->series[s].y[i], &low, &high);
    chart->y_low = low;
    chart->y_high = high + share * (high - low); /* of no values, or of equal ones, the range stays open */
}

static double place_x(const drawing *d, double x)
{
    return LEFT + (on_axis(d->chart, x) - d->x_low) / (d->x_high - d->x_low) * (WIDTH - LEFT - RIGHT);
}

/* What lies outside is drawn on the edge. */
static double place_y(const drawing *d, double y)
{
    const double share = fmin(fmax((y - d->y_low) / (d->y_high - d->y_low), 0), 1);

    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

/* ---- pieces ---- */

static espl_status add_label(const drawing *d, double x, double y, const char *more, const char *label)
{
    espl_status s = espl__text_add(d->ctx, d->text, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, more);

    if (!s && !(s = espl__text_add_escaped(d->ctx, d->text, label)))
        s = espl__text_add(d->ctx, d->text, "</text>\n");
    return s;
}

static espl_status add_line(const drawing *d, double x0, double y0, double x1, double y1, const char *more)
{
    return espl__text_add(d->ctx, d->text, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x0, y0, x1,
                          y1, more);
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them fill the range. */
static double tick_step(double range)
{
    const double rough = range / TICKS, power = pow(10, floor(log10(rough))), digit = rough / power;

    return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2
                                  : digit < 7.5   ? 5
                                                  : 10);
}

static espl_status add_x_axis(const drawing *d)
{
    const double range = d->x_high - d->x_low, step = d->chart->log_x ? fmax(1, tick_step(range)) : tick_step(range);
    char label[32];
    espl_status s = ESPL_OK;

    for (double at = ceil(d->x_low / step - 1e-9) * step; at <= d->x_high + 1e-9 * range && !s; at += step) {
        const double x = LEFT + (at - d->x_low) / range * (WIDTH - LEFT - RIGHT);
        snprintf(label, sizeof label, "%.3g", d->chart->log_x ? pow(10, at) : fabs(at) < 1e-9 * step ? 0
                                                                                                     : at);
        if (!(s = add_line(d, x, TOP, x, HEIGHT - BOTTOM, "stroke=\"#ddd\"")))
            s = add_label(d, x, HEIGHT - BOTTOM + 18, "text-anchor=\"middle\"", label);
    }
    return s ? s
             : add_label(d, LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 18, "text-anchor=\"middle\"",
                         d->chart->x_name);
}

static espl_status add_y_axis(const drawing *d)
{
    const double range = d->y_high - d->y_low, step = tick_step(range);
    char label[32];
    espl_status s = ESPL_OK;

    for (double at = ceil(d->y_low / step - 1e-9) * step; at <= d->y_high + 1e-9 * range && !s; at += step) {
        const double y = place_y(d, at);
        snprintf(label, sizeof label, "%.4g", fabs(at) < 1e-9 * step ? 0 : at);
        if (!(s = add_line(d, LEFT, y, WIDTH - RIGHT, y, "stroke=\"#ddd\"")))
            s = add_label(d, LEFT - 8, y + 4, "text-anchor=\"end\"", label);
    }
    return s ? s : add_label(d, LEFT, TOP - 8, "", d->chart->y_name);
}

static espl_status add_mark(const drawing *d, const espl__chart_mark *mark)
{
    const double from = place_x(d, mark->from), to = mark->to > mark->from ? place_x(d, mark->to) : from;
    espl_status s;

    if (!isfinite(from) || !isfinite(to))
        return ESPL_OK;
    if (to > from)
        return espl__text_add(d->ctx, d->text,
                              "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#0072b2\" "
                              "fill-opacity=\"0.12\"/>\n",
                              from, TOP, to - from, HEIGHT - TOP - BOTTOM);
    if ((s = add_line(d, from, TOP, from, HEIGHT - BOTTOM, "stroke=\"#000\" stroke-dasharray=\"4 3\"")))
        return s;
    return add_label(d, from, TOP - 8, "text-anchor=\"middle\"", mark->name);
}

/* ---- series ---- */

static espl_status add_dots(const drawing *d, const espl__chart_series *series, const char *colour)
{
    espl_status s = ESPL_OK;

    for (int i = 0; i < series->count && !s; i++)
        if (isfinite(place_x(d, series->x[i])) && isfinite(series->y[i]))
            s = espl__text_add(d->ctx, d->text, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n",
                               place_x(d, series->x[i]), place_y(d, series->y[i]), colour);
    return s;
}

static espl_status add_path(const drawing *d, const espl__chart_series *series, const char *colour)
{
    bool drawn = false;
    espl_status s = espl__text_add(d->ctx, d->text, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colour);

    for (int i = 0; i < series->count && !s; i++) {
        const bool here = isfinite(place_x(d, series->x[i])) && isfinite(series->y[i]);
        if (here)
            s = espl__text_add(d->ctx, d->text, "%c%.1f %.1f", drawn ? 'L' : 'M', place_x(d, series->x[i]),
                               place_y(d, series->y[i]));
        drawn = here;
    }
    return s ? s : espl__text_add(d->ctx, d->text, "\"/>\n");
}

static espl_status add_series(const drawing *d, int index)
{
    const espl__chart_series *series = &d->chart->series[index];
    const char *colour = colours[index];
    const double y = TOP + 16 + 18 * index;
    char more[64];
    const espl_status s = series->dots ? add_dots(d, series, colour) : add_path(d, series, colour);

    snprintf(more, sizeof more, "text-anchor=\"end\" fill=\"%s\"", colour);
    return s ? s : add_label(d, WIDTH - RIGHT - 8, y, more, series->name);
}

/* ---- the whole ---- */

static espl_status add_head(const drawing *d)
{
    espl_status s = espl__text_add(d->ctx, d->text,
                                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                                   "height=\"%d\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n<title>",
                                   WIDTH, HEIGHT, WIDTH, HEIGHT);

    if (s || (s = espl__text_add_escaped(d->ctx, d->text, d->chart->title)) || (s = espl__text_add(d->ctx, d->text, "</title>\n<desc>")) ||
        (s = espl__text_add_escaped(d->ctx, d->text, d->chart->description)) || (s = espl__text_add(d->ctx, d->text, "</desc>\n")) ||
        (s = espl__text_add(d->ctx, d->text, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n")))
        return s;
    return add_label(d, LEFT, 24, "font-size=\"16\"", d->chart->title);
}

static espl_status draw(const drawing *d)
{
    const espl__chart *c = d->chart;
    espl_status s;

    if ((s = add_head(d)) || (s = add_x_axis(d)) || (s = add_y_axis(d)))
        return s;
    for (int i = 0; i < c->mark_count && !s; i++)
        s = add_mark(d, &c->mark[i]);
    for (int i = 0; i < c->series_count && !s; i++)
        s = add_series(d, i);
    return s ? s : espl__text_add(d->ctx, d->text, "</svg>\n");
}

espl_status espl__chart_draw(espl_context *ctx, const espl__chart *chart, espl__text *text)
{
    drawing d = { .ctx = ctx, .chart = chart, .text = text };

    find_ranges(&d);
    return draw(&d);
}

espl_status espl__chart_write(espl_context *ctx, const espl__chart *chart, const char *path)
{
    espl__text text = { 0 };
    espl_status s = espl__chart_draw(ctx, chart, &text);

    if (!s)
        s = espl__file_replace(ctx, path, text.data, text.length);
    espl__text_free(ctx, &text);
    return s;
}
