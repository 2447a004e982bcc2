/* A net as a static graph: nodes in topological order, each an operation with attributes, inputs and
 * parameters. Node 0 is always the input. A graph is built once, then copied and rewritten by passes
 * (fusing, cutting), never changed while a plan runs it. */
#ifndef ESPL_GRAPH_H
#define ESPL_GRAPH_H

#include "graph/op.h"

typedef struct espl__node {
    const espl__op *op; /* NULL for the input */
    char *name;
    void *attributes;
    int input_count;
    int *inputs; /* node indices, each smaller than this node's own */
    espl__shape shape;
    int parameter_count;
    int parameters[ESPL__NODE_PARAMETERS]; /* indices into the graph's parameters */
    int64_t macs;
} espl__node;

typedef struct espl__graph_parameter {
    char *name; /* "conv1.weight" */
    espl__parameter_spec spec;
    int node;
} espl__graph_parameter;

typedef struct espl__graph {
    espl_context *ctx;
    int node_count, node_capacity;
    espl__node *nodes;
    int parameter_count, parameter_capacity;
    espl__graph_parameter *parameters;
    int output; /* the node whose value is the net's answer (logits) */
} espl__graph;

/* More than any net needs; readers of files and descriptions refuse more. */
#define ESPL__GRAPH_NODES_MAX 20000

espl_status espl__graph_open(espl_context *ctx, espl__shape input, espl__graph **result);
void espl__graph_free(espl__graph *graph);
/* Adds a node; the last added one becomes the output. `name` NULL: made from the op and a number.
 * `attributes` points to the op's attribute struct (copied), NULL: all defaults. Fails with the
 * node's name in front, leaving the graph as it was. */
espl_status espl__graph_add(espl__graph *graph, const espl__op *op, const char *name, const void *attributes,
                            const int *inputs, int input_count, int *node);
/* For passes that rewrite: a graph with the input and the parameter list of `graph`, no other node;
 * and a node added as it is, inputs and parameters being indices within `graph`. */
espl_status espl__graph_begin(const espl__graph *graph, espl__graph **result);
espl_status espl__graph_append(espl__graph *graph, const espl__node *node);
int espl__graph_find(const espl__graph *graph, const char *name); /* -1 if there is none */
/* Takes away every node behind `node`, which becomes the output; the parameter list stays whole. */
void espl__graph_cut(espl__graph *graph, int node);
/* Does every way from the input to the output pass this node? */
bool espl__graph_passes(const espl__graph *graph, int node);
/* Cuts the graph at such a node: what leads to it (`before` may be NULL), and what follows, whose input the
 * node's value becomes. Both have the whole list of parameters (graph_split.c). */
espl_status espl__graph_split(const espl__graph *graph, int node, espl__graph **before, espl__graph **behind);
espl_status espl__graph_copy(const espl__graph *graph, espl__graph **result);
/* The first node whose value does not lead to the output, -1 if every one does (graph_unused.c). */
espl_status espl__graph_unused(const espl__graph *graph, int *node);
int64_t espl__graph_macs(const espl__graph *graph);
/* Trainable values (buffers are not counted). */
int64_t espl__graph_parameters(const espl__graph *graph);

/* The graph as JSON text and back; attributes go through the op's option table. */
espl_status espl__graph_write(const espl__graph *graph, espl__text *json);
espl_status espl__graph_read(espl_context *ctx, const char *json, size_t bytes, espl__graph **result);

#endif
