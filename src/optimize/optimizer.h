/* What an optimizer is: options, tensors it keeps for each parameter, and one update of a block. The
 * run walks the parameters in blocks that fit the first cache and adds decay, techniques and the
 * optimizer's update in one pass (train/updater.c). */
#ifndef ESPL_OPTIMIZER_H
#define ESPL_OPTIMIZER_H

#include "base/base.h"
#include <espalier/technique.h>

#define ESPL__STATES_MAX 3

/* Every optimizer's own options begin with these two. */
typedef struct espl__optimizer_common {
    double rate;
    double decay; /* of weights alone; the run passes 0 for other kinds */
} espl__optimizer_common;

/* One block of one parameter. */
typedef struct espl__update {
    float *value;
    float *gradient;     /* decay is already in it, unless the optimizer decouples decay */
    float *const *state; /* the same block of each tensor that the optimizer keeps */
    int64_t count;
    int64_t times; /* updates of this parameter, with this one: from 1 */
    double rate, decay;
} espl__update;

typedef struct espl__optimizer {
    const char *name;    /* "sgd" */
    const char *summary; /* one line */
    const char *paper;
    size_t size; /* of its options, which begin with espl__optimizer_common */
    const espl_option *options;
    const char *states[ESPL__STATES_MAX + 1]; /* names of what it keeps for each parameter, then NULL */
    int (*state_count)(const void *self);     /* how many of them with these options; NULL: all */
    size_t momentum;                          /* where its options hold it, a double; 0: it has none */
    bool decoupled;                           /* applies decay itself, apart from the gradient */
    void (*update)(const void *self, const espl__update *block);
} espl__optimizer;

const espl__optimizer *espl__optimizer_at(int index); /* optimizers.def in order, NULL past the end */
const espl__optimizer *espl__optimizer_find(const char *name);
int espl__optimizer_states(const espl__optimizer *optimizer, const void *self);

#endif
