/* The state of a run held in memory, so that steps can be tried and undone. */
#ifndef ESPL_SAVED_STATE_H
#define ESPL_SAVED_STATE_H

#include "train/checkpoint.h"

typedef struct espl__saved_state espl__saved_state;

/* Copies all that a checkpoint would hold; the run's fit is open. */
espl_status espl__state_save(espl_run *run, espl__saved_state **result);
/* The run is again what it was, to the bit. */
void espl__state_restore(espl__saved_state *state);
void espl__state_free(espl__saved_state *state); /* takes NULL */

/* Of what the run holds now, and what a checkpoint would. */
uint64_t espl__state_hash(const espl__saved_state *state);

#endif
