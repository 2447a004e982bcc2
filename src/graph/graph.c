/* Building, copying and asking a graph. */
#include "graph/graph.h"

#include "base/tree.h"

#include <stdio.h>
#include <string.h>

static void node_free(espl_context *ctx, espl__node *node)
{
    espl__release(ctx, node->name);
    espl__release(ctx, node->attributes);
    espl__release(ctx, node->inputs);
    memset(node, 0, sizeof *node);
}

void espl__graph_free(espl__graph *graph)
{
    if (!graph)
        return;
    for (int i = 0; i < graph->node_count; i++)
        node_free(graph->ctx, &graph->nodes[i]);
    for (int i = 0; i < graph->parameter_count; i++)
        espl__release(graph->ctx, graph->parameters[i].name);
    espl__release(graph->ctx, graph->nodes);
    espl__release(graph->ctx, graph->parameters);
    espl__release(graph->ctx, graph);
}

/* Makes room for one more node and `parameters` more parameters. */
static espl_status reserve(espl__graph *graph, int parameters)
{
    espl_status s;

    if (graph->node_count == graph->node_capacity) {
        const int capacity = graph->node_capacity ? 2 * graph->node_capacity : 32;
        if ((s = espl__resize(graph->ctx, (size_t)graph->node_count, (size_t)capacity,
                              sizeof *graph->nodes, &graph->nodes)))
            return s;
        graph->node_capacity = capacity;
    }
    if (graph->parameter_count + parameters > graph->parameter_capacity) {
        const int capacity = 2 * (graph->parameter_count + parameters) + 32;
        if ((s = espl__resize(graph->ctx, (size_t)graph->parameter_count, (size_t)capacity,
                              sizeof *graph->parameters, &graph->parameters)))
            return s;
        graph->parameter_capacity = capacity;
    }
    return ESPL_OK;
}

espl_status espl__graph_open(espl_context *ctx, espl__shape input, espl__graph **result)
{
    espl__graph *graph = NULL;
    espl_status s;
    char text[96];

    *result = NULL;
    if (!espl__shape_valid(input))
        return espl__fail(ctx, ESPL_BAD_SHAPE, "the input cannot have the shape %s: every side must be at least 1",
                          espl__shape_text(input, text));
    if ((s = espl__allocate(ctx, 1, sizeof *graph, &graph)))
        return s;
    graph->ctx = ctx;
    if ((s = reserve(graph, 0)) || (s = espl__copy_text(ctx, "input", &graph->nodes[0].name))) {
        espl__graph_free(graph);
        return s;
    }
    graph->nodes[0].shape = input;
    graph->node_count = 1;
    *result = graph;
    return ESPL_OK;
}

int espl__graph_find(const espl__graph *graph, const char *name)
{
    for (int i = 0; i < graph->node_count; i++)
        if (strcmp(graph->nodes[i].name, name) == 0)
            return i;
    return -1;
}

/* The name of a nameless node: the op and the first number that is free. */
static void make_name(const espl__graph *graph, const espl__op *op, char name[96])
{
    int number = 0;

    do
        snprintf(name, 96, "%s_%d", op->name, ++number);
    while (espl__graph_find(graph, name) >= 0);
}

static espl_status check_inputs(const espl__graph *graph, const espl__op *op, const char *name,
                                const int *inputs, int count)
{
    if (count < op->inputs_min || count > op->inputs_max)
        return espl__fail(graph->ctx, ESPL_BAD_SHAPE, "%s: %s takes %d to %d inputs, not %d", name, op->name,
                          op->inputs_min, op->inputs_max, count);
    for (int i = 0; i < count; i++)
        if (inputs[i] < 0 || inputs[i] >= graph->node_count)
            return espl__fail(graph->ctx, ESPL_BAD_SHAPE, "%s: input %d is not a node of the graph", name, i);
    return ESPL_OK;
}

/* Copies attributes and inputs into `node`, or the defaults of the op. */
static espl_status fill_node(espl_context *ctx, espl__node *node, const espl__op *op, const char *name,
                             const void *attributes, const int *inputs, int count)
{
    espl_status s;

    if ((s = espl__copy_text(ctx, name, &node->name)) ||
        (s = espl__allocate(ctx, op->size ? op->size : 1, 1, &node->attributes)) ||
        (s = espl__allocate(ctx, (size_t)count + 1, sizeof *node->inputs, &node->inputs)))
        return s;
    node->op = op;
    node->input_count = count;
    memcpy(node->inputs, inputs, (size_t)count * sizeof *inputs);
    if (attributes && op->size)
        memcpy(node->attributes, attributes, op->size);
    else if (op->attributes)
        return espl__options_begin(ctx, op->attributes, node->attributes);
    return ESPL_OK;
}

/* Lets the op find the output shape and the parameters. */
static espl_status infer(const espl__graph *graph, espl__node *node, espl__shape_call *call)
{
    espl_status s;
    char text[96];

    memset(call, 0, sizeof *call);
    call->ctx = graph->ctx;
    call->attributes = node->attributes;
    call->input_count = node->input_count;
    for (int i = 0; i < node->input_count; i++)
        call->input[i] = graph->nodes[node->inputs[i]].shape;
    if ((s = node->op->shape(call)))
        return espl__fail_within(graph->ctx, s, "%s", node->name);
    if (!espl__shape_valid(call->output))
        return espl__fail(graph->ctx, ESPL_BAD_SHAPE, "%s: the output would have the shape %s", node->name,
                          espl__shape_text(call->output, text));
    node->shape = call->output;
    node->macs = call->macs;
    node->parameter_count = call->parameter_count;
    return ESPL_OK;
}

static espl_status add_parameters(espl__graph *graph, espl__node *node, const espl__shape_call *call)
{
    for (int i = 0; i < call->parameter_count; i++) {
        espl__graph_parameter *p = &graph->parameters[graph->parameter_count + i];
        char name[256];

        snprintf(name, sizeof name, "%s.%s", node->name, call->parameter[i].name);
        const espl_status s = espl__copy_text(graph->ctx, name, &p->name);
        if (s) {
            while (i-- > 0)
                espl__release(graph->ctx, graph->parameters[graph->parameter_count + i].name);
            return s;
        }
        p->spec = call->parameter[i];
        p->node = graph->node_count;
        node->parameters[i] = graph->parameter_count + i;
    }
    return ESPL_OK;
}

espl_status espl__graph_add(espl__graph *graph, const espl__op *op, const char *name, const void *attributes,
                            const int *inputs, int input_count, int *result)
{
    char made[96];
    espl__shape_call call;
    espl__node node = { 0 };
    espl_status s;

    if (!name || !*name) {
        make_name(graph, op, made);
        name = made;
    }
    if (espl__graph_find(graph, name) >= 0)
        return espl__fail(graph->ctx, ESPL_BAD_STATE, "%s: the graph already has a node of this name", name);
    if (strlen(name) > 200)
        return espl__fail(graph->ctx, ESPL_BAD_STATE, "the name of a node may have 200 characters, not %zu",
                          strlen(name));
    if ((s = check_inputs(graph, op, name, inputs, input_count)))
        return s;
    if ((s = fill_node(graph->ctx, &node, op, name, attributes, inputs, input_count)) ||
        (s = infer(graph, &node, &call)) ||
        (s = reserve(graph, call.parameter_count)) ||
        (s = add_parameters(graph, &node, &call))) {
        node_free(graph->ctx, &node);
        return s;
    }
    graph->nodes[graph->node_count] = node;
    graph->output = graph->node_count++;
    graph->parameter_count += call.parameter_count;
    if (result)
        *result = graph->output;
    return ESPL_OK;
}

espl_status espl__graph_begin(const espl__graph *graph, espl__graph **result)
{
    espl_context *ctx = graph->ctx;
    espl__graph *copy;
    espl_status s = espl__graph_open(ctx, graph->nodes[0].shape, &copy);

    *result = NULL;
    if (s)
        return s;
    if (!(s = reserve(copy, graph->parameter_count)))
        for (int i = 0; !s && i < graph->parameter_count; i++) {
            copy->parameters[i] = graph->parameters[i];
            copy->parameters[i].name = NULL;
            copy->parameter_count = i + 1;
            s = espl__copy_text(ctx, graph->parameters[i].name, &copy->parameters[i].name);
        }
    if (s) {
        espl__graph_free(copy);
        return s;
    }
    *result = copy;
    return ESPL_OK;
}

espl_status espl__graph_append(espl__graph *graph, const espl__node *node)
{
    espl__node copy = { 0 };
    espl_status s = reserve(graph, 0);

    if (s || (s = fill_node(graph->ctx, &copy, node->op, node->name, node->attributes, node->inputs,
                            node->input_count))) {
        node_free(graph->ctx, &copy);
        return s;
    }
    copy.shape = node->shape;
    copy.macs = node->macs;
    copy.parameter_count = node->parameter_count;
    memcpy(copy.parameters, node->parameters, sizeof copy.parameters);
    graph->nodes[graph->node_count] = copy;
    graph->output = graph->node_count++;
    return ESPL_OK;
}

espl_status espl__graph_copy(const espl__graph *graph, espl__graph **result)
{
    espl__graph *copy;
    espl_status s = espl__graph_begin(graph, &copy);

    *result = NULL;
    if (s)
        return s;
    for (int i = 1; !s && i < graph->node_count; i++)
        s = espl__graph_append(copy, &graph->nodes[i]);
    if (s) {
        espl__graph_free(copy);
        return s;
    }
    copy->output = graph->output;
    *result = copy;
    return ESPL_OK;
}

int64_t espl__graph_macs(const espl__graph *graph)
{
    int64_t macs = 0;

    for (int i = 0; i < graph->node_count; i++)
        macs += graph->nodes[i].macs;
    return macs;
}

int64_t espl__graph_parameters(const espl__graph *graph)
{
    int64_t count = 0;

    for (int i = 0; i < graph->parameter_count; i++)
        if (graph->parameters[i].spec.kind != ESPL_BUFFER)
            count += espl__shape_size(graph->parameters[i].spec.shape);
    return count;
}

void espl__graph_cut(espl__graph *graph, int node)
{
    while (graph->node_count > node + 1)
        node_free(graph->ctx, &graph->nodes[--graph->node_count]);
    graph->output = node;
}
