/* A graph as JSON and back, for net files:
 *
 *     {"version": 1, "input": [3, 32, 32], "output": "fc", "nodes": [
 *         {"name": "conv", "op": "conv2d", "inputs": ["input"], "attributes": {"channels": "16", ...}}, ...]}
 *
 * Attributes are text in the grammar of recipes and go through the option table of their op, so a file
 * is checked exactly as a recipe is. All of them are written out: a file must not change its meaning
 * when a default does. */
#include "base/tree.h"
#include "graph/graph.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

/* ---- writing ---- */

/* json_object_set_new and json_array_append_new own the value also when they fail, and fail when it or
 * the owner is NULL. So everything made can be handed over in one expression that is always evaluated
 * to the end ("|", not "||"), and what could not be made is noticed there. */
static espl_status no_memory(const espl__graph *graph)
{
    return espl__fail(graph->ctx, ESPL_NO_MEMORY, "not enough memory to write the graph");
}

static espl_status write_attributes(const espl__graph *graph, const espl__node *node, json_t *map)
{
    for (const espl_option *o = node->op->attributes; o && o->name; o++) {
        espl__text text = { 0 };
        espl_status s = espl__option_write(graph->ctx, o, node->attributes, &text);
        if (!s && json_object_set_new(map, o->name, json_string(text.data)))
            s = no_memory(graph);
        espl__text_free(graph->ctx, &text);
        if (s)
            return s;
    }
    return ESPL_OK;
}

static espl_status write_node(const espl__graph *graph, const espl__node *node, json_t *entry)
{
    json_t *inputs = json_array(), *attributes = json_object();

    if (json_object_set_new(entry, "name", json_string(node->name)) |
        json_object_set_new(entry, "op", json_string(node->op->name)) |
        json_object_set_new(entry, "inputs", inputs) |
        json_object_set_new(entry, "attributes", attributes))
        return no_memory(graph);
    for (int i = 0; i < node->input_count; i++)
        if (json_array_append_new(inputs, json_string(graph->nodes[node->inputs[i]].name)))
            return no_memory(graph);
    return write_attributes(graph, node, attributes);
}

static espl_status write_nodes(const espl__graph *graph, json_t *list)
{
    for (int i = 1; i < graph->node_count; i++) {
        json_t *entry = json_object();
        if (json_array_append_new(list, entry))
            return no_memory(graph);
        const espl_status s = write_node(graph, &graph->nodes[i], entry);
        if (s)
            return s;
    }
    return ESPL_OK;
}

static espl_status write_graph(const espl__graph *graph, json_t *root)
{
    const espl__shape *input = &graph->nodes[0].shape;
    json_t *shape = json_array(), *nodes = json_array();

    if (json_object_set_new(root, "version", json_integer(VERSION)) |
        json_object_set_new(root, "input", shape) |
        json_object_set_new(root, "output", json_string(graph->nodes[graph->output].name)) |
        json_object_set_new(root, "nodes", nodes))
        return no_memory(graph);
    for (int i = 0; i < input->rank; i++)
        if (json_array_append_new(shape, json_integer(input->dim[i])))
            return no_memory(graph);
    return write_nodes(graph, nodes);
}

espl_status espl__graph_write(const espl__graph *graph, espl__text *json)
{
    json_t *root = json_object();
    espl_status s = write_graph(graph, root);

    if (!s) {
        char *text = json_dumps(root, JSON_COMPACT);
        s = text ? espl__text_add_bytes(graph->ctx, json, text, strlen(text)) : no_memory(graph);
        free(text);
    }
    json_decref(root);
    return s;
}

/* ---- reading ---- */

static espl_status read_input(espl_context *ctx, json_t *list, espl__graph **graph)
{
    espl__shape shape = { .rank = (int)json_array_size(list) };

    if (json_array_size(list) < 1 || json_array_size(list) > ESPL__RANK_MAX)
        return espl__fail(ctx, ESPL_BAD_FILE, "\"input\" must be a list of 1 to %d sizes", ESPL__RANK_MAX);
    for (int i = 0; i < shape.rank; i++) {
        json_t *item = json_array_get(list, (size_t)i);
        if (!json_is_integer(item))
            return espl__fail(ctx, ESPL_BAD_FILE, "\"input\" holds something else than sizes");
        shape.dim[i] = json_integer_value(item);
    }
    return espl__graph_open(ctx, shape, graph);
}

static espl_status read_op(espl_context *ctx, json_t *value, const espl__op **op)
{
    const char *name = json_string_value(value);

    if (!name)
        return espl__fail(ctx, ESPL_BAD_FILE, "\"op\" is missing or no text");
    *op = espl__op_find(name);
    if (!*op)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "this version of espalier knows no operation \"%.100s\"; a newer one may", name);
    return ESPL_OK;
}

static espl_status read_attributes(espl_context *ctx, const espl__op *op, json_t *map, void *attributes)
{
    const char *key;
    json_t *value;

    espl_status s = op->attributes ? espl__options_begin(ctx, op->attributes, attributes) : ESPL_OK;
    if (!s && map && !json_is_object(map))
        return espl__fail(ctx, ESPL_BAD_FILE, "\"attributes\" is not a JSON object");
    json_object_foreach(map, key, value)
    {
        const espl_option *o = espl__option_find(op->attributes, key);
        if (s)
            break;
        if (!o || !json_is_string(value))
            return espl__fail(ctx, ESPL_BAD_FILE, "%s has no attribute \"%.100s\" with such a value", op->name, key);
        s = espl__option_set(ctx, o, attributes, json_string_value(value));
    }
    return s;
}

static espl_status read_inputs(espl__graph *graph, json_t *list, int inputs[ESPL__INPUTS_MAX], int *count)
{
    if (!json_is_array(list) || json_array_size(list) > ESPL__INPUTS_MAX)
        return espl__fail(graph->ctx, ESPL_BAD_FILE, "\"inputs\" must be a list of at most %d names",
                          ESPL__INPUTS_MAX);
    *count = (int)json_array_size(list);
    for (int i = 0; i < *count; i++) {
        const char *name = json_string_value(json_array_get(list, (size_t)i));
        inputs[i] = name ? espl__graph_find(graph, name) : -1;
        if (inputs[i] < 0)
            return espl__fail(graph->ctx, ESPL_BAD_FILE, "the input \"%.100s\" is none of the nodes before",
                              name ? name : "");
    }
    return ESPL_OK;
}

static espl_status read_node(espl__graph *graph, json_t *entry)
{
    espl_context *ctx = graph->ctx;
    const char *name = json_string_value(json_object_get(entry, "name"));
    const espl__op *op = NULL;
    int inputs[ESPL__INPUTS_MAX], count = 0;
    void *attributes = NULL;
    espl_status s;

    if (!name || !*name)
        return espl__fail(ctx, ESPL_BAD_FILE, "\"name\" is missing or no text");
    if ((s = read_op(ctx, json_object_get(entry, "op"), &op)) ||
        (s = read_inputs(graph, json_object_get(entry, "inputs"), inputs, &count)) ||
        (s = espl__allocate(ctx, op->size ? op->size : 1, 1, &attributes)))
        return espl__fail_within(ctx, s, "\"%.100s\"", name);
    if ((s = read_attributes(ctx, op, json_object_get(entry, "attributes"), attributes)))
        s = espl__fail_within(ctx, s, "\"%.100s\"", name);
    else
        s = espl__graph_add(graph, op, name, attributes, inputs, count, NULL);
    espl__release(ctx, attributes);
    return s;
}

static espl_status read_nodes(espl__graph *graph, json_t *list)
{
    size_t index;
    json_t *entry;

    if (!json_is_array(list) || json_array_size(list) > ESPL__GRAPH_NODES_MAX)
        return espl__fail(graph->ctx, ESPL_BAD_FILE, "\"nodes\" must be a list of at most %d nodes",
                          ESPL__GRAPH_NODES_MAX);
    json_array_foreach(list, index, entry)
    {
        const espl_status s = read_node(graph, entry);
        if (s)
            return espl__fail_within(graph->ctx, s, "node %zu", index + 1);
    }
    return ESPL_OK;
}

static espl_status read_output(espl__graph *graph, json_t *value)
{
    const char *name = json_string_value(value);
    const int node = name ? espl__graph_find(graph, name) : -1;

    if (node <= 0) /* 0 is the input */
        return espl__fail(graph->ctx, ESPL_BAD_FILE, "\"output\" is missing or names no node");
    graph->output = node;
    int unused = 0;
    const espl_status s = espl__graph_unused(graph, &unused);
    if (!s && unused >= 0)
        return espl__fail(graph->ctx, ESPL_BAD_FILE, "node \"%s\" does not lead to the output",
                          graph->nodes[unused].name);
    return s;
}

static espl_status read_graph(espl_context *ctx, json_t *root, espl__graph **graph)
{
    json_t *version = json_object_get(root, "version");
    espl_status s;

    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        return espl__fail(ctx, ESPL_BAD_FILE, "its version is not %d, the only one this espalier reads", VERSION);
    if ((s = read_input(ctx, json_object_get(root, "input"), graph)) ||
        (s = read_nodes(*graph, json_object_get(root, "nodes"))) ||
        (s = read_output(*graph, json_object_get(root, "output"))))
        return s;
    return ESPL_OK;
}

espl_status espl__graph_read(espl_context *ctx, const char *json, size_t bytes, espl__graph **result)
{
    json_error_t error;
    espl__graph *graph = NULL;
    json_t *root = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &error);
    espl_status s;

    *result = NULL;
    if (!root)
        return espl__fail(ctx, json_error_code(&error) == json_error_out_of_memory ? ESPL_NO_MEMORY : ESPL_BAD_FILE,
                          "the graph is not valid JSON: byte %d: %s", error.position, error.text);
    s = read_graph(ctx, root, &graph);
    json_decref(root);
    if (s) {
        espl__graph_free(graph);
        /* whatever an op has against it, it is the file's fault */
        return espl__fail_within(ctx, s == ESPL_NO_MEMORY ? s : ESPL_BAD_FILE, "the graph");
    }
    *result = graph;
    return ESPL_OK;
}
