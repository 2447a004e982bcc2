/* Small nets written as tables of layers, and the context they live in. Include after cmocka.h. */
#ifndef ESPL_LAYERS_RIG_H
#define ESPL_LAYERS_RIG_H

#include "net/net.h"

#define SIDE 8
#define SIZE (3 * SIDE * SIDE)

static espl_context *ctx;

static inline int setup(void **state)
{
    (void)state;
    return espl_context_open(&(espl_context_settings){ .seed = 7, .threads = 2, .oversubscribe = true }, &ctx);
}

/* Whatever a test has made, it has freed. */
static inline int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

/* What espl_builder_add takes. A table ends with an empty one. */
typedef struct rig_layer {
    const char *op, *attributes, *name, *from;
} rig_layer;

/* A net for pictures of 3 x SIDE x SIDE. */
static inline espl_status build_layers(espl_context *context, const rig_layer *layers, espl_net **net)
{
    espl_builder *b = NULL;
    espl_status s = espl_builder_open(context, 3, SIDE, SIDE, &b);

    for (; !s && layers->op; layers++)
        s = espl_builder_add(b, layers->op, layers->attributes, layers->name, layers->from);
    if (!s)
        s = espl_net_build(b, "tiny", net);
    espl_builder_free(b);
    return s;
}

static inline espl_net *make_net(const rig_layer *layers)
{
    espl_net *net = NULL;

    if (build_layers(ctx, layers, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

#endif
