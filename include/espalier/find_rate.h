/* The learning rate that suits a net, its data and its optimizer, found by a range test. */
#ifndef ESPALIER_FIND_RATE_H
#define ESPALIER_FIND_RATE_H

#include <espalier/run.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_rates_settings {
    double low, high; /* of the range; 0: a ten thousandth and the hundredfold of the optimizer's default */
    int64_t points;   /* rates tried, one step each; 0: 70 to 100, by how many steps an epoch has */
    int64_t repeats;  /* with other batches; 0: up to 3 */
} espl_rates_settings;

#define ESPL_RATE_POINTS_MAX 400
#define ESPL_RATE_REPEATS_MAX 20

/* One rate that was tried: means over the repeats. */
typedef struct espl_rate_point {
    double rate;
    double loss;     /* of samples that stay the same, after a step with this rate; NAN: all had diverged */
    double smooth;   /* the same curve without its noise; what the choice is made on */
    double training; /* loss of the step's own batch */
} espl_rate_point;

typedef struct espl_rates {
    double rate;                     /* to train with; NAN if the curve does not support a choice */
    double low, high;                /* nine of ten choices from curves of the same noise lie between them */
    double base, maximum;            /* ends for cyclical rates: where the loss clearly falls, and where it stops to */
    bool trusted;                    /* the curve supports the choice */
    char reason[256];                /* why, or why not, in one sentence */
    double steepest, valley, tenth;  /* other rules, for comparison; NAN where they give none */
    int64_t repeats, steps, samples; /* done; `samples`: whose loss was taken at every point */
    double seconds;
    uint64_t before, after; /* hashes of everything that a checkpoint holds; equal */
    int count;
    espl_rate_point points[ESPL_RATE_POINTS_MAX];
} espl_rates;

/* Trains a few steps with rates that grow from tiny to far too large, several times, and undoes all of it: the run
 * is afterwards what it was, to the bit. Call it before the run is fitted. The schedule, if there is one, does
 * not act. ESPL_INTERRUPTED if it was asked to stop. */
ESPL_API espl_status espl_run_find_rate(espl_run *run, const espl_rates_settings *settings, espl_rates *result);

/* Draws the curve and the choice as an SVG picture. */
ESPL_API espl_status espl_rates_plot(espl_context *context, const espl_rates *rates, const char *path);

#ifdef __cplusplus
}
#endif
#endif
