/* A plan: one graph made ready to run at one batch size in one mode - kernels chosen, layouts fixed,
 * memory laid out, the work cut in stages. Made once, then only run.
 *
 * Stages: within a stage one worker takes a shard through all its steps without waiting; between
 * stages all workers meet, and whole-batch sums are merged. */
#ifndef ESPL_PLAN_H
#define ESPL_PLAN_H

#include "kernels/kernel.h"
#include "net/net.h"

typedef struct espl__plan espl__plan;

typedef struct espl__plan_settings {
    int64_t batch; /* largest number of samples of one run */
    bool training; /* batch statistics, random draws; gradients if the graph ends in a loss */
    bool forward;  /* training without gradients: only to see the losses */
    bool direct_only;
    int samples; /* of a shard; 0: by the net (about 1 MiB of the largest activation) */
    /* The fused graph of which this one is a part: shards and layout are as for the whole, so that the part
     * computes the same bits. Only read while the plan is opened; NULL: it is whole. */
    const espl__graph *part_of;
    /* A plan of the same graph: where another fast algorithm fits a node, it is taken instead of that
     * plan's. To see what the choice is worth; NULL otherwise. */
    const espl__plan *instead_of;
    /* A folder in which inference keeps its packed weights: a plan that finds its own there need not pack them, and
     * processes share them. NULL: in memory alone. Only read while the plan is opened. */
    const char *packed_folder;
    bool measure; /* only to ask how large it would be: it cannot run */
} espl__plan_settings;

/* Values are kept in the net's precision; ESPL_UNSUPPORTED if this processor has no instructions for it. The graph
 * may end in a loss node; then `espl__plan_run` fills losses and, in training, gradients
 * of every parameter that is not frozen. The net must outlive the plan; its graph may differ from
 * `graph` but the parameters must be the same list. */
espl_status espl__plan_open(espl_net *net, const espl__graph *graph, const espl__plan_settings *settings,
                            espl__plan **result);
void espl__plan_free(espl__plan *plan);

typedef struct espl__feed {
    int64_t count;         /* samples, at most the plan's batch */
    const float *values;   /* count x channels x height x width */
    const int32_t *labels; /* or NULL */
    const float *soft;     /* count x classes, or NULL */
    const float *weight;   /* count, or NULL */
    const int64_t *index;  /* count, or NULL: 0, 1, 2 ... */
    int64_t epoch, step;
    bool parameters_changed; /* since the last run of this plan */
} espl__feed;

/* Computes everything for one batch. Allocates nothing. */
void espl__plan_run(espl__plan *plan, const espl__feed *feed);

/* After a run: the answer of sample i (the graph's output, or the loss node's input): `classes`
 * floats, borrowed until the next run. */
const float *espl__plan_output(const espl__plan *plan, int64_t sample);
/* The same as planes in canonical order, whatever the layout. */
void espl__plan_read_output(const espl__plan *plan, int64_t sample, float *values);
float espl__plan_loss(const espl__plan *plan, int64_t sample);
/* Whole-batch gradient of parameter p in canonical layout, NULL if frozen or a buffer. May be scaled
 * in place. */
float *espl__plan_gradient(const espl__plan *plan, int parameter);

/* Bytes of the arena: the planned peak of activations, gradients and packed weights. */
size_t espl__plan_bytes(const espl__plan *plan);
int espl__plan_shard_samples(const espl__plan *plan);
int espl__plan_lanes(const espl__plan *plan);

/* For `bench` and `inspect`: what runs, in order. */
typedef struct espl__plan_step {
    const char *node, *kernel, *role;
    int stage;
    double seconds; /* summed over workers while timing is on */
    int64_t macs;   /* of the whole batch */
    double bytes;   /* of the values, gradients and parameters it reads or writes, each counted once */
} espl__plan_step;
int espl__plan_step_count(const espl__plan *plan);
espl__plan_step espl__plan_step_at(const espl__plan *plan, int index);
void espl__plan_timing(espl__plan *plan, bool on);

/* The graph as it trains or predicts: fused (batch norm + add + activation as one node) and, for
 * inference and where nothing of it or before it trains, batch norm folded into the convolution before
 * it. */
espl_status espl__fuse(const espl_net *net, const espl__graph *graph, bool training, espl__graph **result);

/* ---- what trains (trainable.c); the graph's parameters are the net's ---- */

bool espl__own_parameter_trains(const espl_net *net, const espl__graph *graph, const espl__node *node);
/* For each node: does anything of it, or of what it reads, train? */
void espl__find_needs(const espl_net *net, const espl__graph *graph, bool *needs);
/* For each node: does it compute as in inference although the plan trains? So do normalizations whose
 * statistics are frozen, and random nodes within a frozen part: nothing in front of them trains, and
 * the next layer with parameters is frozen. `needs` as espl__find_needs fills it. */
void espl__find_still(const espl_net *net, const espl__graph *graph, const bool *needs, bool *still);
/* The latest node that every way passes and up to which nothing trains, takes statistics of the batch or
 * draws, in a graph that is not fused; 0: none that comes after anything to compute. `*obstacle` is the first
 * node that does (frozen_prefix.c). */
espl_status espl__frozen_prefix(const espl_net *net, const espl__graph *graph, int *node, int *obstacle);
/* The first node that takes statistics of one value a sample, so that training needs two samples at least;
 * NULL: one is enough. */
const espl__node *espl__needs_two(const espl_net *net, const espl__graph *graph);

#endif
