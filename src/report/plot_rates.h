/* The curve of a range test, for pages and as a picture of its own. */
#ifndef ESPL_PLOT_RATES_H
#define ESPL_PLOT_RATES_H

#include "report/chart.h"
#include <espalier/find_rate.h>

/* Adds it to a text. */
espl_status espl__rates_draw(espl_context *ctx, const espl_rates *rates, espl__text *text);

#endif
