/* A few samples that stay the same, so that losses taken at different moments can be compared. */
#ifndef ESPL_FIXED_SET_H
#define ESPL_FIXED_SET_H

#include "train/train.h"

typedef struct espl__fixed_set espl__fixed_set;

/* For the run's fit, which is open: whole batches from the held-out data or, where that is a test set, by which
 * nothing may be chosen, from the training data. */
espl_status espl__fixed_set_open(espl_run *run, espl__fixed_set **result);
void espl__fixed_set_free(espl__fixed_set *set); /* takes NULL */

int64_t espl__fixed_set_samples(const espl__fixed_set *set);

/* The mean loss with the net's values of now. The net computes as it trains, with the statistics of each batch,
 * since those that run along lie behind weights that change fast; every random draw is the same each time. The
 * running statistics move, as in a step of training. */
double espl__fixed_set_loss(espl__fixed_set *set);

#endif
