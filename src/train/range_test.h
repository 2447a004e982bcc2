/* Range tests: a few steps with rates that grow, what they do to the loss, and the run put back. */
#ifndef ESPL_RANGE_TEST_H
#define ESPL_RANGE_TEST_H

#include "train/rate_curve.h"
#include "train/train.h"
#include <espalier/find_rate.h>

/* Fills everything of the result but what is chosen. `curve` holds the losses; the fit is open, its loader is not
 * needed. */
espl_status espl__range_test(espl_run *run, const espl_rates_settings *settings, espl_rates *result,
                             espl__rate_curve *curve);

/* The default of the optimizer's rate. */
double espl__usual_rate(const espl_run *run);

/* The whole: test and choice. */
espl_status espl__find_rate(espl_run *run, const espl_rates_settings *settings, espl_rates *result);

#endif
