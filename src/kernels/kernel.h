/* How an operation is computed. A kernel serves one op in one role; the plan takes the first one in
 * kernels.def whose `fits` says yes. Reference kernels come last, fit always, and are the truth.
 *
 * A kernel works on one *shard* at a time: `samples` samples of which the first `valid` count. What
 * lies behind them is filler: it may be computed but must not enter any sum. Nothing a kernel does
 * may depend on which worker runs it or on how many there are.
 *
 * A kernel works on tensors of floats or, if it says so, of bf16 numbers: then the pointers of a call, though
 * to `float`, lead to numbers of 16 bits. The plan converts for a node that has no kernel for bf16.
 *
 * Some ops need sums over the whole batch before they can go on (batch norm). Such a kernel has
 * `sums`, run for every shard, and `merge`, run once when all shards are done, before any `run`. */
#ifndef ESPL_KERNEL_H
#define ESPL_KERNEL_H

#include "graph/graph.h"

typedef enum espl__role {
    ESPL__FORWARD,             /* output from inputs */
    ESPL__BACKWARD,            /* every gradient at once */
    ESPL__BACKWARD_INPUTS,     /* grad_inputs from grad_output */
    ESPL__BACKWARD_PARAMETERS, /* grad_parameters from inputs and grad_output */
    ESPL__ROLE_COUNT
} espl__role;

typedef enum espl__isa { ESPL__ISA_PLAIN, ESPL__ISA_AVX2, ESPL__ISA_AVX512 } espl__isa;

/* What is known when a kernel is chosen. */
typedef struct espl__case {
    const espl__node *node;
    espl__role role;
    bool training;      /* batch statistics and random draws; false in inference and for frozen nodes */
    int samples;        /* capacity of a shard */
    int shards;         /* of a full batch */
    espl__isa isa;
    bool direct_only;   /* `algorithm: direct`: no Winograd */
    bool bf16;          /* what the kernel's tensors hold; parameters and their gradients are floats */
    int input_count;
    espl__shape input[ESPL__INPUTS_MAX];
    int64_t input_block[ESPL__INPUTS_MAX]; /* see tensor/shape.h */
    espl__shape output;
    int64_t output_block;
    /* Of the first input and of the output, channels last: values from a pixel to the next, where that is more than
     * the channels because the tensor is the beginning of a wider one; else 0. The gradient of such an input lies in
     * the same way, and the kernel adds to it. Set for kernels that are `strided` alone, after `prepare`. */
    int64_t input_stride, output_stride;
    const espl__parameter_spec *parameter[ESPL__NODE_PARAMETERS];
    int threads;        /* 1 inside a shard; more only for a batch of one */
    int workers;        /* that may call at the same time; for scratch objects only */
} espl__case;

/* What a kernel asks for in `prepare`; all begin at 0, all are 64-byte aligned. */
typedef struct espl__needs {
    size_t workspace;   /* bytes for each worker, garbage at every call */
    size_t packed;      /* bytes shared by all, written by `pack` whenever parameters changed */
    size_t sums;        /* bytes for each shard, from `sums` to `merge` */
    size_t saved;       /* bytes for each shard, kept from forward to backward (e.g. arg max) */
    size_t shared;      /* bytes for the whole batch, written by `merge`; the backward role of the same
                         * node sees the forward role's as `forward_shared` */
    /* bytes of the gradient of each parameter in the kernel's own layout; 0: the canonical one,
     * else `unpack` brings it there */
    size_t gradient[ESPL__NODE_PARAMETERS];
    /* A backward kernel without `run` works on the whole batch at once, in so many parts, each a call
     * of `merge`: where weights are large and samples few, lanes would multiply the weights. */
    int parts;
} espl__needs;

/* What belongs to the batch, not to a node: targets and what random ops draw by. Pointers are to
 * this shard's first sample. */
typedef struct espl__targets {
    const int32_t *labels;     /* class of each sample; -1 where there is none */
    const float *soft;         /* samples x classes, or NULL: labels count */
    const float *weight;       /* of each sample in the loss, or NULL: 1 */
    double total_weight;       /* sum of the weights of the whole batch */
    const int64_t *index;      /* of each sample in the data set */
    int64_t epoch, step;
    uint64_t seed;
} espl__targets;

typedef struct espl__call {
    const espl__node *node;
    const espl__case *at;
    void *state;               /* made by prepare */
    int worker;                /* picks scratch objects, never values */
    int samples, valid;        /* valid may be smaller in the last shard */
    const float *const *inputs;
    /* forward: to write; backward: the forward value, if op->reads says so, and only in `sums` where a
     * kernel has sums */
    float *output;
    /* backward; nobody else reads it, so a kernel may overwrite it. If op->passes names an input, it
     * must hold that input's gradient after `run` (batch norm: the gradient behind the activation) */
    float *grad_output;
    /* backward: to write (not to add), NULL where nobody asks or where op->passes lends grad_output.
     * Never overlaps grad_output */
    float *const *grad_inputs;
    float *const *parameters;  /* canonical; buffers may be written by `merge` only */
    void *packed;
    /* backward: gradients of this shard's lane. `add` false: the first shard of the lane, write;
     * true: add to what is there. NULL where frozen */
    float *const *grad_parameters;
    bool add;
    void *workspace, *sums, *saved, *shared, *forward_shared;
    const espl__targets *targets;
    espl__stream stream;       /* of this node, for random ops: draw at (epoch, sample index) */
} espl__call;

typedef struct espl__merge_call {
    const espl__node *node;
    const espl__case *at;
    void *state;
    int shards;                /* that hold samples in this batch */
    const int *valid;          /* samples that count in each */
    void *const *sums;         /* of each shard */
    void *shared, *forward_shared;
    float *const *parameters;  /* running statistics are written here in training */
    float *const *grad_parameters; /* backward: whole-batch gradients that the sums give (canonical,
                                    * lane 0), NULL where frozen */
    /* a kernel of several parts: which one this is, and the first input and the gradient of the output
     * of every shard */
    int part;
    float *const *inputs, *const *grad_outputs;
} espl__merge_call;

typedef struct espl__kernel {
    const char *name; /* "onednn_conv2d_forward" */
    const char *op;   /* "conv2d" */
    espl__role role;
    bool bf16;        /* its inputs, output and their gradients hold bf16 numbers, all of them */
    bool strided;     /* knows input_stride and output_stride */
    bool (*fits)(const espl__case *at);
    /* Whether it is the best for a case that it fits, by shape and instruction set alone; NULL: always */
    bool (*pays)(const espl__case *at);
    /* May fail (memory; ESPL_UNSUPPORTED: the plan tries the next kernel) and allocate; NULL if nothing is needed. */
    espl_status (*prepare)(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state);
    void (*release)(espl_context *ctx, void *state);
    /* Of the library that decides how the packed weights lie; NULL: this one. */
    uint64_t (*version)(void);
    /* The four below cannot fail and do not allocate. */
    void (*pack)(const espl__call *call);
    void (*sums)(const espl__call *call);
    void (*merge)(const espl__merge_call *call);
    void (*run)(const espl__call *call);
    /* From the kernel's layout (`packed_gradient`) to the canonical one, both whole-batch sums. */
    void (*unpack)(const espl__case *at, void *state, int parameter, const float *packed_gradient,
                   float *gradient);
} espl__kernel;

const espl__kernel *espl__kernel_at(int index); /* kernels.def in order; NULL past the end */
/* Is it for the numbers of this case, and does it fit? */
bool espl__kernel_fits(const espl__kernel *kernel, const espl__case *at);
/* The best instruction set of this processor that the build knows. */
espl__isa espl__isa_here(void);
/* Does this processor multiply bf16 numbers, and does the build know how? */
bool espl__bf16_here(void);

#endif
