/* The inside of a plan, shared by the files of this room. How a plan comes to be:
 *   assign_layout.c   the block of every node's value
 *   assign_precision.c   which values are kept in bf16
 *   choose_kernels.c  one binding for every (node, role): kernel, state, needs
 *   share_concats.c   which values are parts of others
 *   schedule.c        tasks in order, each in a stage; which buffer each one touches
 *   place_memory.c    one arena for all buffers
 *   keep_packed.c     packed weights in a file, on request
 *   run_plan.c        runs it */
#ifndef ESPL_PLAN_PARTS_H
#define ESPL_PLAN_PARTS_H

#include "base/store.h"
#include "execute/plan.h"

/* A kernel chosen for a node in a role. */
typedef struct binding {
    const espl__kernel *kernel;
    espl__case at;
    espl__needs needs;
    void *state;
    size_t packed;       /* offset in the packed weights */
    size_t shared, sums; /* offsets in the arena; sums: of shard 0 */
    void **sum_pointers; /* of each shard, if it has sums */
    int forward;         /* binding of the forward role of the same node, or -1 */
    bool grads_inputs, grads_parameters;
    bool converts; /* a kernel for floats at a node of bf16 values: see convert_edges.c */
    size_t edge;   /* where in the workspace the floats lie */
    bool fixed;    /* no parameter that it reads changes in training: packed once */
} binding;

/* Memory with a life: one piece for each shard if it must outlive a stage, else one for each worker. */
typedef struct buffer {
    size_t bytes; /* of one piece */
    int first_stage, last_stage;
    int first_task, last_task;
    bool used, local, bf16;
    size_t offset, stride;
} buffer;

typedef enum task_kind {
    TASK_FEED, /* brings the samples of the shard into the input's layout */
    TASK_SUMS,
    TASK_RUN,
    TASK_AGAIN, /* a forward run on the way back, instead of keeping its value */
    TASK_COPY,  /* to = from */
    TASK_ADD    /* to += from */
} task_kind;

typedef struct task {
    task_kind kind;
    int binding; /* SUMS, RUN */
    int stage;
    int order;                         /* of making; ties within a stage go by it */
    int from, to;                      /* COPY, ADD: buffers */
    int grad_inputs[ESPL__INPUTS_MAX]; /* RUN backward: buffers to write, -1: nobody asks */
} task;

typedef struct merge {
    int binding, stage; /* runs before the tasks of this stage */
    int part;
    float **inputs, **grad_outputs; /* of each shard, for kernels of several parts; else NULL */
} merge;

/* What the plan keeps of each parameter that is trained. */
typedef struct gradient {
    bool wanted;
    bool lanes;        /* summed from lanes; false: written whole by a merge */
    int binding, slot; /* who makes it, and as which of its parameters */
    size_t lane_bytes; /* of one lane, in the kernel's layout */
    size_t lane_offset;
    size_t offset; /* canonical; equal to lane_offset where the layouts agree */
} gradient;

struct espl__plan {
    espl_context *ctx;
    espl_net *net;
    espl__graph *graph; /* fused */
    espl__plan_settings settings;
    int samples, shards, lanes, workers;
    bool alone;  /* inference of a single sample: no shards to share, kernels use threads */
    int loss;    /* node, or -1 */
    bool learns; /* there is a loss, and gradients of it are wanted */
    int answer;  /* node whose value espl__plan_output gives */

    int64_t *block;             /* of each node's value */
    bool *bf16;                 /* does each node's value, like its gradient, hold bf16 numbers? */
    bool *needs_gradient;       /* of each node's value */
    bool *still;                /* does the node compute as in inference? */
    int *forward, *backward[2]; /* bindings of each node, or -1 */
    int *within;                /* the node whose first channels are this one's value, or -1 */
    int binding_count, binding_capacity;
    binding *bindings;

    int task_count, task_capacity;
    task *tasks; /* in the order they run */
    int merge_count, merge_capacity;
    merge *merges; /* in the order of their stages */
    int stages;

    int buffer_count, buffer_capacity;
    buffer *buffers;
    int *value, *saved, *grad; /* buffer of each node, or -1 */
    int *again;                /* buffer of the value computed again on the way back, or -1 */

    gradient *gradients; /* of each parameter */
    int parameter_count;
    float **parameters; /* canonical values, by parameter; NULL past the count */

    size_t local_bytes, local_offset, workspace_bytes, workspace_offset;
    size_t packed_bytes, packed_offset; /* of all packed weights, in the arena unless they are stored */
    espl__store stored;                 /* packed weights that were found in a file */
    size_t total_bytes;
    char *arena;

    espl__stream *streams; /* of each node */
    int64_t *counted;      /* 0, 1, 2 ...: the indices when the feed has none */
    bool timing, packed;
    double *seconds; /* of each worker, and of that each task and each merge, while timing is on */

    /* of the run that is going on */
    const espl__feed *feed;
    bool direct; /* the input's value is the feed itself */
    int used_shards, used_lanes;
    int *valid; /* of each shard */
    double total_weight;
};

espl_status espl__assign_layout(espl__plan *plan);
espl_status espl__assign_precision(espl__plan *plan);
espl_status espl__choose_kernels(espl__plan *plan);
espl_status espl__share_concats(espl__plan *plan);
espl_status espl__schedule(espl__plan *plan);
espl_status espl__place_memory(espl__plan *plan);
/* Are the packed weights in the plan's folder? Then they need neither room nor packing (keep_packed.c). */
bool espl__find_packed(espl__plan *plan);
/* Packs them and puts them there, if they are not. A folder that cannot be written is worth a warning, no more. */
void espl__keep_packed(espl__plan *plan);
void espl__pack(espl__plan *plan);
static inline char *espl__packed_base(const espl__plan *plan)
{
    return plan->stored.values ? plan->stored.values : plan->arena + plan->packed_offset;
}

static inline espl__shape espl__node_shape(const espl__plan *plan, int node)
{
    return plan->graph->nodes[node].shape;
}

static inline size_t espl__shard_bytes(const espl__plan *plan, int node)
{
    return (size_t)plan->samples * (size_t)espl__shape_size(espl__node_shape(plan, node)) *
           (plan->bf16[node] ? sizeof(uint16_t) : sizeof(float));
}

static inline bool espl__backward_reads_inputs(const binding *b)
{
    return b->at.node->op->reads & ESPL__READS_INPUTS && b->at.role != ESPL__BACKWARD_INPUTS;
}

/* Bytes that such a call needs of the workspace, beside the kernel's own. */
size_t espl__edge_bytes(const espl__plan *plan, const espl__node *node, espl__role role);
/* Runs the kernel's `sums` or its `run`. */
void espl__edge_call(const espl__plan *plan, const binding *b, bool sums, const espl__call *call);

/* The buffer in which the way back finds the value of a node. */
static inline int espl__value_on_way_back(const espl__plan *plan, int node)
{
    return plan->again[node] >= 0 ? plan->again[node] : plan->value[node];
}

/* Where the time of a task, or of a merge behind all tasks, is kept. */
static inline size_t espl__timed_count(const espl__plan *plan)
{
    return (size_t)plan->task_count + (size_t)plan->merge_count;
}

static inline double *espl__timed(const espl__plan *plan, int worker, int index)
{
    return plan->seconds + (size_t)worker * espl__timed_count(plan) + index;
}

#endif
