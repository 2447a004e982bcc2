/* Stages of a run: what trains may change between epochs, as layers that were held back are let go. */
#ifndef ESPL_STAGES_H
#define ESPL_STAGES_H

#include "train/train.h"

espl_status espl__stages_open(espl_run *run); /* before NET_READY */
void espl__stages_free(espl_run *run);

/* Compares what is frozen with what the plan was made for and, where they differ, makes plan, optimizer's
 * and techniques' tensors fit. For the beginning, and for EPOCH_BEGIN. */
espl_status espl__stage_begin(espl_run *run, bool *changed);
/* The same for the flags of a checkpoint, which are in fit.frozen; `path` is its file. */
espl_status espl__stage_resume(espl_run *run, const char *path);

/* Sums of parts of a batch, and what a technique keeps: there for what trains, not for anything else.
 * `later`: not the first stage. */
espl_status espl__stage_match_total(espl_run *run);
espl_status espl__stage_match_kept(espl_run *run, espl__member *member, bool later);

/* Everything that is held counts as let go, and back: to look at the last stage. */
void espl__stages_let_go(espl_run *run, bool go);
/* The arena of a plan for what trains now. */
espl_status espl__stage_plan_bytes(espl_run *run, size_t *bytes);
/* What the last stage needs beyond this one. */
espl_status espl__stages_bytes(espl_run *run, size_t *more);

#endif
