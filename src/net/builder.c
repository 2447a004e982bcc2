/* Nets built by a C program, layer by layer. Attributes are what a description would say, so they are
 * read by the same code. */
#include "net/layout.h"
#include "net/net.h"

#include <string.h>

struct espl_builder {
    espl_context *ctx;
    espl__layout layout;
};

espl_status espl_builder_open(espl_context *ctx, int64_t channels, int64_t height, int64_t width,
                              espl_builder **result)
{
    espl_builder *builder = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *builder, &builder);

    *result = NULL;
    if (s)
        return s;
    builder->ctx = ctx;
    if ((s = espl__layout_open(ctx, NULL, &builder->layout)) ||
        (s = espl__graph_open(ctx, espl__shape_planes(channels, height, width), &builder->layout.graph))) {
        espl_builder_free(builder);
        return s;
    }
    *result = builder;
    return ESPL_OK;
}

void espl_builder_free(espl_builder *builder)
{
    if (!builder)
        return;
    espl__layout_free(&builder->layout);
    espl__release(builder->ctx, builder);
}

static espl_status find_op(espl_context *ctx, const char *name, const espl__op **op)
{
    const char *names[128];
    int count = 0;

    *op = espl__op_find(name);
    if (*op)
        return ESPL_OK;
    for (; espl__op_at(count) && count < ESPL__COUNT(names); count++)
        names[count] = espl__op_at(count)->name;
    const char *nearest = espl__text_nearest(name, names, count);
    return nearest ? espl__fail(ctx, ESPL_BAD_OPTION, "there is no operation \"%.100s\"; did you mean \"%s\"?", name,
                                nearest)
                   : espl__fail(ctx, ESPL_BAD_OPTION, "there is no operation \"%.100s\"", name);
}

/* "conv2, input" as nodes. */
static espl_status find_inputs(espl_builder *builder, const char *from, int inputs[ESPL__INPUTS_MAX], int *count)
{
    *count = 0;
    if (!from) {
        inputs[(*count)++] = builder->layout.current;
        return ESPL_OK;
    }
    for (const char *at = from; at; at = strchr(at, ','), at = at ? at + 1 : NULL) {
        char name[256];
        at += strspn(at, " ");
        size_t length = strcspn(at, ",");
        while (length && at[length - 1] == ' ')
            length--;
        if (length >= sizeof name || *count == ESPL__INPUTS_MAX)
            return espl__fail(builder->ctx, ESPL_BAD_OPTION, "\"%.100s...\" is too long a list of layers", from);
        memcpy(name, at, length);
        name[length] = 0;
        inputs[*count] = espl__graph_find(builder->layout.graph, name);
        if (inputs[(*count)++] < 0)
            return espl__fail(builder->ctx, ESPL_BAD_OPTION, "no layer is named \"%s\"", name);
    }
    return ESPL_OK;
}

/* A map, or a plain value for the first attribute. */
static espl_status parse(espl_builder *builder, const char *where, const char *attributes, espl__document **document)
{
    if (!attributes || !*attributes || strchr(attributes, ':'))
        return espl__document_parse_settings(builder->ctx, where, attributes, document);
    return espl__document_parse(builder->ctx, where, attributes, strlen(attributes), document);
}

static espl_status add(espl_builder *builder, const espl__op *op, const char *attributes, const char *name,
                       const int *inputs, int count)
{
    espl__layout *layout = &builder->layout;
    espl__document *document;
    espl_status s = parse(builder, name ? name : op->name, attributes, &document);

    if (s)
        return s;
    layout->document = document;
    s = espl__layout_op(layout, document->root, op, document->root, name ? name : "", inputs, count);
    layout->document = NULL;
    espl__document_free(document);
    return s;
}

espl_status espl_builder_add(espl_builder *builder, const char *op_name, const char *attributes, const char *name,
                             const char *from)
{
    const espl__op *op;
    int inputs[ESPL__INPUTS_MAX], count;
    espl_status s;

    if (!builder->layout.graph)
        return espl__fail(builder->ctx, ESPL_BAD_STATE, "the net is already built; open another builder");
    if ((s = find_op(builder->ctx, op_name, &op)) || (s = find_inputs(builder, from, inputs, &count)))
        return s;
    return add(builder, op, attributes, name, inputs, count);
}

espl_status espl_net_build(espl_builder *builder, const char *name, espl_net **result)
{
    espl__graph *graph = builder->layout.graph;
    int unused = 0;
    espl_status s;

    *result = NULL;
    if (!graph || graph->node_count == 1)
        return espl__fail(builder->ctx, ESPL_BAD_STATE,
                          graph ? "%s: has no layers yet" : "%s: the builder has already built its net", name);
    if ((s = espl__graph_unused(graph, &unused)))
        return s;
    if (unused >= 0)
        return espl__fail(builder->ctx, ESPL_BAD_STATE,
                          "%s: the layer \"%s\" does not lead to the last one; nothing uses what it computes", name,
                          graph->nodes[unused].name);
    builder->layout.graph = NULL;
    return espl__net_open(graph, name, result);
}
