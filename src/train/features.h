/* The values that the frozen part of a net gives for every sample, computed once and read in every epoch: what
 * is left to compute is the part that trains.
 *
 * Right as long as the frozen part gives the same value for the same sample: every layer of it is frozen,
 * normalizes by running statistics and draws nothing, and samples are not drawn anew in every epoch - or drawn
 * in a fixed number of variants. */
#ifndef ESPL_FEATURES_H
#define ESPL_FEATURES_H

#include "execute/plan.h"
#include "train/scorer.h"
#include <espalier/run.h>

typedef struct espl__features espl__features;

/* Decides by the run's `cache` whether to keep features, and cuts its graph (fit.graph). NULL in fit.features if
 * not: with `cache: yes` that fails with the reason, with `auto` the reason is noted if something is frozen. */
espl_status espl__features_open(espl_run *run);
void espl__features_free(espl__features *features); /* takes NULL */

/* What follows the frozen part, and where it was cut out of the graph. */
const espl__graph *espl__features_rest(const espl__features *features);
int espl__features_cut(const espl__features *features);

/* Computes the values of all samples that the run will need, unless they are there. ESPL_INTERRUPTED if it was
 * asked to stop. Call it after the fit is open and before its loader is. */
espl_status espl__features_fill(espl_run *run);
/* Lets the loader hand out features instead of samples; `settings->part` says which. */
void espl__features_serve(const espl__features *features, espl__loader_settings *settings);
/* The run has come to its end: a file of features goes with them. */
void espl__features_done(espl_run *run);
/* Fails with ESPL_BAD_STATE if a value in the frozen part is not what it was. */
espl_status espl__features_check(const espl_run *run);
/* What was computed, in words. */
void espl__features_note(const espl_run *run, char note[256]);

#endif
