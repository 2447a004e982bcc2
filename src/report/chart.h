/* Charts as static SVG: lines and dots over one horizontal axis, with marks. No script, no style from outside, so
 * that they can be shown anywhere, printed, and read aloud. */
#ifndef ESPL_CHART_H
#define ESPL_CHART_H

#include "base/base.h"

#define ESPL__CHART_SERIES_MAX 8
#define ESPL__CHART_MARKS_MAX 4

typedef struct espl__chart_series {
    const char *name;
    const double *x, *y; /* borrowed; where y is no number, or x has no place on the axis, the line is broken */
    int count;
    bool dots; /* a dot for each point instead of a line */
} espl__chart_series;

/* A vertical line, or a band if `to` is larger. */
typedef struct espl__chart_mark {
    const char *name;
    double from, to;
} espl__chart_mark;

typedef struct espl__chart {
    const char *title, *description; /* the latter for those who cannot see it */
    const char *x_name, *y_name;
    bool log_x;
    double y_low, y_high; /* equal: as the series are */
    int series_count, mark_count;
    espl__chart_series series[ESPL__CHART_SERIES_MAX];
    espl__chart_mark mark[ESPL__CHART_MARKS_MAX];
} espl__chart;

/* Fixes the vertical range so that `share` of the values' own stays free above them, for the names of the series. */
void espl__chart_leave_room(espl__chart *chart, double share);
/* Adds the picture to a text, such as a page. */
espl_status espl__chart_draw(espl_context *ctx, const espl__chart *chart, espl__text *text);
espl_status espl__chart_write(espl_context *ctx, const espl__chart *chart, const char *path);

#endif
