/* What an operation is: a name, attributes, a shape rule with the parameters it owns, and what its
 * gradient reads. How it is computed is the kernels' business (kernels/kernel.h). */
#ifndef ESPL_OP_H
#define ESPL_OP_H

#include "tensor/shape.h"
#include <espalier/technique.h> /* espl_option, espl_kind */

#define ESPL__INPUTS_MAX 64
#define ESPL__NODE_PARAMETERS 6

/* How a fresh parameter is filled; the initialize family replaces it. */
typedef enum espl__fill { ESPL__FILL_ZERO, ESPL__FILL_ONE, ESPL__FILL_HE, ESPL__FILL_CONSTANT } espl__fill;

/* A parameter as the graph declares it. Its name in files is "<node>.<name>". */
typedef struct espl__parameter_spec {
    const char *name; /* "weight" */
    espl_kind kind;
    espl__shape shape; /* OIHW for weights of convolutions, (out, in) for dense */
    espl__fill fill;
    double constant;   /* for ESPL__FILL_CONSTANT */
    int64_t fan_in, fan_out;
} espl__parameter_spec;

/* What the shape rule sees and fills in. */
typedef struct espl__shape_call {
    espl_context *ctx;
    const void *attributes;
    int input_count;
    espl__shape input[ESPL__INPUTS_MAX];
    espl__shape output;                                /* to fill */
    int parameter_count;                               /* to fill */
    espl__parameter_spec parameter[ESPL__NODE_PARAMETERS]; /* to fill */
    int64_t macs;                                      /* to fill: multiply-accumulates a sample */
} espl__shape_call;

typedef enum espl__reads {
    ESPL__READS_NOTHING = 0,
    ESPL__READS_INPUTS = 1, /* the gradient rule needs the values of the inputs */
    ESPL__READS_OUTPUT = 2
} espl__reads;

typedef enum espl__op_flags {
    ESPL__IS_LOSS = 1,        /* reads targets, gives one loss a sample (shape (1)); ends a training graph */
    ESPL__IS_ACTIVATION = 2,  /* element by element, one input, same shape */
    ESPL__IS_RANDOM = 4,      /* draws while training; the identity otherwise */
    /* Rather computed again from its first input on the way back than kept in memory until then; the
     * gradient rule reads that input anyway. */
    ESPL__IS_CHEAP = 8,
    ESPL__USES_BATCH = 16 /* training takes statistics of each channel over batch and places */
} espl__op_flags;

typedef struct espl__op {
    const char *name;    /* "conv2d" */
    const char *summary; /* one line */
    size_t size;         /* of its attributes */
    const espl_option *attributes;
    int inputs_min, inputs_max;
    int reads;           /* espl__reads */
    int flags;           /* espl__op_flags */
    /* Bit i: the gradient of input i is exactly the gradient of the output once this node's backward
     * kernel has run (add; the residual of batch norm). The plan then lends the same memory. */
    unsigned passes;
    /* Checks attributes against inputs; messages name what was found and expected. The caller puts
     * the node's name in front. */
    espl_status (*shape)(espl__shape_call *call);
} espl__op;

/* Every operation by name (ops/ops.def), NULL if there is none; and all of them in order. */
const espl__op *espl__op_find(const char *name);
const espl__op *espl__op_at(int index); /* NULL past the end */

#endif
