/* A small residual net on small pictures, built node by node: what the tests of plans run. */
#ifndef SMALL_NET_H
#define SMALL_NET_H

#include "base/tree.h"
#include "net/net.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/dense.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct small_net {
    espl_context *ctx;
    espl__graph *graph;
    int last;
} small_net;

/* Tests of plans build on this net: if it cannot be made, nothing else is worth trying. */
static inline void small_check(espl_context *ctx, espl_status s)
{
    if (!s)
        return;
    fprintf(stderr, "%s\n", espl_message(ctx));
    abort();
}

static inline int small_add(small_net *n, const char *op, const void *attributes, int a, int b)
{
    const int inputs[] = { a, b };
    int node = -1;

    small_check(n->ctx, espl__graph_add(n->graph, espl__op_find(op), NULL, attributes, inputs, b < 0 ? 1 : 2, &node));
    n->last = node;
    return node;
}

static inline int small_conv(small_net *n, int from, int64_t channels, int64_t kernel, int64_t stride)
{
    espl__conv2d a = { 0 };

    espl__options_begin(n->ctx, espl__op_find("conv2d")->attributes, &a);
    a.channels = channels;
    a.kernel = (espl_counts){ 1, { kernel } };
    a.stride = (espl_counts){ 1, { stride } };
    a.pad = (espl_counts){ 1, { kernel / 2 } };
    a.bias = false;
    return small_add(n, "conv2d", &a, from, -1);
}

static inline int small_block(small_net *n, int from, int64_t channels, int64_t stride)
{
    int a = small_add(n, "relu", NULL, small_add(n, "batch_norm", NULL, small_conv(n, from, channels, 3, stride), -1), -1);
    a = small_add(n, "batch_norm", NULL, small_conv(n, a, channels, 3, 1), -1);
    if (stride > 1)
        from = small_add(n, "batch_norm", NULL, small_conv(n, from, channels, 1, stride), -1);
    return small_add(n, "relu", NULL, small_add(n, "add", NULL, a, from), -1);
}

/* 3 x size x size -> 5 classes; ends in the logits, or in the loss. */
static inline espl__graph *small_graph(espl_context *ctx, int64_t channels, int64_t size, bool loss)
{
    small_net n = { .ctx = ctx };
    espl__dense dense = { .units = 5, .bias = true };

    small_check(ctx, espl__graph_open(ctx, espl__shape_planes(3, size, size), &n.graph));
    int at = small_add(&n, "relu", NULL, small_add(&n, "batch_norm", NULL, small_conv(&n, 0, channels, 3, 1), -1), -1);
    at = small_block(&n, at, channels, 1);
    at = small_block(&n, at, 2 * channels, 2);
    at = small_add(&n, "dense", &dense, small_add(&n, "global_avg_pool", NULL, at, -1), -1);
    if (loss)
        small_add(&n, "softmax_cross_entropy", NULL, at, -1);
    return n.graph;
}

/* 3 x size x size -> 5 classes through a dense layer whose weights are so large that its gradient is
 * made from the whole batch at once. */
static inline espl__graph *wide_graph(espl_context *ctx, int64_t channels, int64_t size, bool loss)
{
    small_net n = { .ctx = ctx };
    espl__dense wide = { .units = 6000 / channels, .bias = true }, dense = { .units = 5, .bias = true };

    small_check(ctx, espl__graph_open(ctx, espl__shape_planes(3, size, size), &n.graph));
    int at = small_add(&n, "flatten", NULL, small_add(&n, "relu", NULL, small_conv(&n, 0, channels, 3, 1), -1), -1);
    at = small_add(&n, "relu", NULL, small_add(&n, "dense", &wide, at, -1), -1);
    at = small_add(&n, "dense", &dense, at, -1);
    if (loss)
        small_add(&n, "softmax_cross_entropy", NULL, at, -1);
    return n.graph;
}

/* The same through a densely connected block, whose concatenations need no copies, to widths that no vector divides. */
static inline espl__graph *dense_block_graph(espl_context *ctx, int64_t channels, int64_t size, bool loss)
{
    small_net n = { .ctx = ctx };
    espl__dense dense = { .units = 5, .bias = true };

    small_check(ctx, espl__graph_open(ctx, espl__shape_planes(3, size, size), &n.graph));
    int at = small_conv(&n, 0, channels, 3, 1);
    for (int layer = 0; layer < 3; layer++) {
        const int grown = small_add(&n, "relu", NULL, small_add(&n, "batch_norm", NULL, at, -1), -1);
        at = small_add(&n, "concat", NULL, at, small_conv(&n, grown, 12, 3, 1));
    }
    at = small_add(&n, "relu", NULL, small_add(&n, "batch_norm", NULL, at, -1), -1);
    at = small_add(&n, "dense", &dense, small_add(&n, "global_avg_pool", NULL, at, -1), -1);
    if (loss)
        small_add(&n, "softmax_cross_entropy", NULL, at, -1);
    return n.graph;
}

#endif
