/* The optimizer's one pass over the parameters. They are cut in blocks that fit the first cache; each
 * block goes through everything that must be done to it (scale the gradient, techniques, decay, update,
 * techniques) before the next one is touched. Blocks are independent of each other and sums over them
 * are taken in one fixed tree, so the number of workers changes no bit. */
#ifndef ESPL_UPDATER_H
#define ESPL_UPDATER_H

#include "net/net.h"
#include "optimize/optimizer.h"

#define ESPL__KEPT_MAX 8 /* tensors like each parameter that one technique may keep */

/* A technique as the pass sees it. */
typedef struct espl__block_hook {
    const espl_technique *technique;
    void *self;
    float **kept; /* kept_per_parameter x parameters, NULL where nothing is trained */
} espl__block_hook;

typedef struct espl__updater espl__updater;

/* `options` are the optimizer's and are borrowed, like the net. */
espl_status espl__updater_open(espl_net *net, const espl__optimizer *optimizer, const void *options,
                               espl__updater **result);
void espl__updater_free(espl__updater *updater);

/* After the flags of frozen parameters have changed: what trains keeps what the optimizer holds of it, what
 * begins to train begins with zeros, what no longer trains is forgotten. */
espl_status espl__updater_match(espl__updater *updater);

/* Is this parameter updated at all? */
bool espl__parameter_trains(const espl_net *net, int parameter);

/* One update with these gradients (one for each parameter of the net, NULL where it does not train),
 * each first multiplied by `factor`. Returns the first parameter whose gradient was not finite, or -1. */
int espl__updater_run(espl__updater *updater, float *const *gradients, double factor, double rate,
                      const espl__block_hook *hooks, int hook_count);

/* From the next update on, the rate of this parameter is multiplied by `factor`; 1 at first. */
void espl__updater_set_rate(espl__updater *updater, int parameter, double factor);

/* From the next update on, for optimizers that have momentum. */
void espl__updater_set_momentum(espl__updater *updater, double momentum);

/* Square root of the sum of squares of all gradients. */
double espl__updater_norm(espl__updater *updater, float *const *gradients);

/* total = scale * part (first) or total + scale * part, for every trained parameter. */
void espl__updater_gather(espl__updater *updater, float *const *total, float *const *part, double scale,
                          bool first);

/* For checkpoints: the tensor that the optimizer keeps (NULL where the parameter does not train), how
 * many there are, and the number of updates of each parameter. */
int espl__updater_states(const espl__updater *updater);
float *espl__updater_state(espl__updater *updater, int state, int parameter);
int64_t *espl__updater_times(espl__updater *updater);

/* Sum in a fixed tree: halves, then their sum. */
double espl__tree_sum(const double *values, int64_t count);

#endif
