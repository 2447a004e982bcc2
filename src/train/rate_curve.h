/* What a range test measured, and what can be read off it: losses against rates that grow evenly in their
 * logarithm. Plain arithmetic, no run. */
#ifndef ESPL_RATE_CURVE_H
#define ESPL_RATE_CURVE_H

#include "base/base.h"
#include <espalier/find_rate.h>

/* Repeats are rows of `count` losses; after a repeat has diverged its losses are NAN. */
typedef struct espl__rate_curve {
    int count, repeats;
    bool normalized; /* most of the weights that train stand before a normalization */
    double rate[ESPL_RATE_POINTS_MAX];
    double loss[ESPL_RATE_REPEATS_MAX][ESPL_RATE_POINTS_MAX];
    double training[ESPL_RATE_REPEATS_MAX][ESPL_RATE_POINTS_MAX];
} espl__rate_curve;

/* rate[i] = low (high / low)^(i / (count - 1)) */
void espl__rates_spread(double low, double high, int count, double *rate);

/* Exponential mean of a growing series with its bias corrected: s_i = memory s_{i-1} + (1 - memory) l_i,
 * smooth_i = s_i / (1 - memory^(i + 1)). */
void espl__smooth(const double *loss, int count, double memory, double *smooth);
/* The same forwards and backwards, halved: nothing is shifted. */
void espl__smooth_still(const double *loss, int count, double memory, double *smooth);

/* Has the test gone far enough: is the last of these smoothed losses above four times their least? Never before
 * the tenth. */
bool espl__has_diverged(const double *smooth, int count);

/* ---- known rules, on a smoothed curve; the index of the suggested point, or -1 ---- */

/* Where the loss falls fastest against ln rate (Smith). */
int espl__steepest(const double *rate, const double *smooth, int count);
/* Halfway along the longest strictly falling series of points (fastai), counted from its true start. */
int espl__valley(const double *smooth, int count);
int espl__lowest(const double *smooth, int count);

/* Chooses: fills rate, low, high, base, maximum, trusted, reason, the other rules' rates and the points. `seed`
 * draws the bootstrap. */
void espl__choose_rate(const espl__rate_curve *curve, uint64_t seed, espl_rates *result);

#endif
