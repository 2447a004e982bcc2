/* The head of a net: where its features end and its answer about classes begins. A net that was trained
 * for other classes gets a new one; everything before it is kept to the bit. */
#include "net/head.h"

#include "ops/conv2d.h"
#include "ops/dense.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CLASSES_MAX (1 << 24)

enum { START_ZERO,
       START_HE };

const espl_option espl__head_options[] = {
    ESPL_TEXT(espl__head, after, "auto",
              "the layer whose values the new head takes, such as \"avg_pool\"; auto: what the old head took, or the "
              "output of a net without one"),
    ESPL_CHOICE(espl__head, start, "zero", "zero|he",
                "first weights; zero: all classes alike at first, he: drawn as those of any other layer"),
    ESPL_CHOICE(espl__head, classes, "new", "new|added",
                "new: those of the data take the place of the old ones; added: the old ones stay, and with them what "
                "the old head knows about them, and those that the data has beside them come after"),
    ESPL_OPTIONS_END
};

int espl__net_head(const espl__graph *graph)
{
    for (int i = graph->node_count - 1; i > 0; i--)
        for (int k = 0; k < graph->nodes[i].parameter_count; k++)
            if (graph->parameters[graph->nodes[i].parameters[k]].spec.kind == ESPL_WEIGHT)
                return i;
    return graph->output;
}

int espl__logits_node(const espl__graph *graph)
{
    const espl__node *last = &graph->nodes[graph->output];

    return last->op && espl__text_equal(last->op->name, "softmax") ? last->inputs[0] : graph->output;
}

/* ---- where it begins ---- */

static bool is(const espl__node *node, const char *op)
{
    return node->op && strcmp(node->op->name, op) == 0;
}

/* Does it mix all channels of one place, as a layer that tells classes apart does? */
static bool mixes_channels(const espl__node *node)
{
    if (is(node, "dense"))
        return true;
    if (!is(node, "conv2d"))
        return false;
    const espl__conv2d *a = node->attributes;
    bool one = a->groups == 1;
    for (int i = 0; i < a->kernel.count; i++)
        one &= a->kernel.item[i] == 1;
    return one;
}

/* The last layer with weights is a head if it gives one value (or plane) for each value of the answer, and
 * nothing with parameters follows. Otherwise the net ends in features: it was stored without a head. */
static bool is_head(const espl__graph *graph, int node)
{
    const espl__shape answer = graph->nodes[graph->output].shape;

    for (int i = node + 1; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].parameter_count; k++)
            if (graph->parameters[graph->nodes[i].parameters[k]].spec.kind != ESPL_BIAS)
                return false;
    return mixes_channels(&graph->nodes[node]) &&
           espl__shape_size(answer) == espl__shape_channels(graph->nodes[node].shape);
}

static espl_status find_after(const espl_net *net, const char *after, int *node)
{
    const espl__graph *graph = net->graph;
    const int head = espl__net_head(graph);

    if (espl__text_equal(after, "auto")) {
        *node = is_head(graph, head) ? graph->nodes[head].inputs[0] : graph->output;
        return ESPL_OK;
    }
    if ((*node = espl__graph_find(graph, after)) > 0)
        return ESPL_OK;
    return espl__fail(net->ctx, ESPL_BAD_OPTION,
                      "after: the net \"%s\" has no layer \"%s\"; its last one is \"%s\", and `espalier inspect` lists "
                      "all",
                      net->name, after, graph->nodes[graph->output].name);
}

/* ---- the new graph ---- */

/* What leads to `node`, in order; `*last` is where `node` has come to be. */
static espl_status copy_body(const espl__graph *graph, int node, espl__graph *copy, int *last)
{
    int *place = NULL, inputs[ESPL__INPUTS_MAX];
    espl_status s = espl__allocate(graph->ctx, (size_t)graph->node_count, sizeof *place, &place);

    if (s)
        return s;
    place[node] = 1;
    for (int i = node; i > 0; i--) /* inputs come before the nodes that read them */
        for (int k = 0; place[i] && k < graph->nodes[i].input_count; k++)
            place[graph->nodes[i].inputs[k]] = 1;
    for (int i = 1; i <= node && !s; i++) {
        const espl__node *n = &graph->nodes[i];
        if (!place[i])
            continue;
        for (int k = 0; k < n->input_count; k++)
            inputs[k] = n->inputs[k] ? place[n->inputs[k]] : 0;
        s = espl__graph_add(copy, n->op, n->name, n->attributes, inputs, n->input_count, &place[i]);
    }
    *last = place[node];
    espl__release(graph->ctx, place);
    return s;
}

static espl_status add(espl__graph *graph, const char *op, const char *name, const void *attributes, int *last)
{
    char free_name[64];

    snprintf(free_name, sizeof free_name, "%s", name);
    for (int i = 1; espl__graph_find(graph, free_name) >= 0; i++)
        snprintf(free_name, sizeof free_name, "%s_%d", name, i);
    return espl__graph_add(graph, espl__op_find(op), free_name, attributes, last, 1, last);
}

static espl_status add_head(espl__graph *graph, int last, int classes)
{
    const espl__dense dense = { .units = classes, .bias = true };
    const espl__shape shape = graph->nodes[last].shape;
    const bool picture = shape.rank == 3 && espl__shape_pixels(shape) > 1;
    espl_status s = ESPL_OK;

    if (shape.rank > 1)
        s = add(graph, picture ? "global_avg_pool" : "flatten", "head_values", NULL, &last);
    return s ? s : add(graph, "dense", "head", &dense, &last);
}

static espl_status make_graph(const espl__graph *graph, int after, int classes, espl__graph **result)
{
    espl__graph *copy = NULL;
    int last = 0;
    espl_status s = espl__graph_open(graph->ctx, graph->nodes[0].shape, &copy);

    *result = NULL;
    if (s || (s = copy_body(graph, after, copy, &last)) || (s = add_head(copy, last, classes))) {
        espl__graph_free(copy);
        return s;
    }
    *result = copy;
    return ESPL_OK;
}

/* ---- values ---- */

static void fill_head(espl_net *net, int start)
{
    const espl__node *head = &net->graph->nodes[espl__net_head(net->graph)];

    for (int k = 0; k < head->parameter_count && start == START_HE; k++)
        espl__net_fill_parameter(net, head->parameters[k], espl__seed(net->ctx));
}

/* Parameters of the body change hands. */
static void move_values(espl_net *from, espl_net *to)
{
    const int head = espl__net_head(to->graph);
    int next = 0;

    for (int i = 0; i < to->graph->parameter_count; i++) {
        if (to->graph->parameters[i].node == head)
            continue;
        while (!espl__text_equal(from->graph->parameters[next].name, to->graph->parameters[i].name))
            next++;
        float *empty = to->parameters[i].value;
        to->parameters[i] = from->parameters[next];
        from->parameters[next].value = empty;
    }
}

/* Where classes are added, what the old head knows: its rows come first in the new one. */
static espl_status keep_rows(const espl_net *from, int after, espl_net *to)
{
    const int old_head = espl__net_head(from->graph), head = espl__net_head(to->graph);
    const espl__node *old = &from->graph->nodes[old_head], *node = &to->graph->nodes[head];
    const int64_t inputs = to->graph->parameters[node->parameters[0]].spec.shape.dim[1];
    bool same = is_head(from->graph, old_head) && after == old->inputs[0] &&
                espl__shape_size(from->graph->nodes[after].shape) == inputs &&
                from->graph->parameters[from->graph->parameter_count - 1].node == old_head;

    for (int k = 0; k < old->parameter_count && same; k++) {
        const espl__parameter *rows = &from->parameters[old->parameters[k]];
        espl__parameter *all = &to->parameters[node->parameters[k]];
        same = k < 2 && rows->count == espl_net_classes(from) * (k ? 1 : inputs) && rows->count <= all->count;
        if (same)
            memcpy(all->value, rows->value, (size_t)rows->count * sizeof(float));
    }
    if (same)
        return ESPL_OK;
    return espl__fail(from->ctx, ESPL_BAD_OPTION,
                      "classes: added: the old classes can stay where the net ends in a dense layer with a value for "
                      "each class, and \"%s\" is no such layer; use `classes: new`",
                      old->name);
}

/* `net` becomes what `other` is, and the other way round, except for what the net is called and how its
 * samples are prepared. */
static void swap_contents(espl_net *net, espl_net *other)
{
    const espl_net held = *net;

    net->graph = other->graph;
    net->parameters = other->parameters;
    net->classes = NULL;
    net->class_count = 0;
    other->graph = held.graph;
    other->parameters = held.parameters;
    other->classes = held.classes;
    other->class_count = held.class_count;
}

espl_status espl__net_replace_head(espl_net *net, const espl__head *head, int classes)
{
    espl__graph *graph = NULL;
    espl_net *fresh = NULL;
    int after = 0;
    espl_status s;

    if (classes < 2 || classes > CLASSES_MAX)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "a head tells 2 to %d classes apart, not %d", CLASSES_MAX, classes);
    if ((s = find_after(net, head->after, &after)) || (s = make_graph(net->graph, after, classes, &graph)) ||
        (s = espl__net_open_empty(graph, net->name, &fresh)))
        return s;
    fill_head(fresh, head->start);
    if (head->classes != ESPL__HEAD_ADDED || !(s = keep_rows(net, after, fresh))) {
        move_values(net, fresh);
        swap_contents(net, fresh);
    }
    espl_net_free(fresh);
    return s;
}

espl_status espl_net_replace_head(espl_net *net, int classes, const char *settings)
{
    espl__document *document = NULL;
    espl__head head;
    espl_status s = espl__document_parse_settings(net->ctx, "head", settings, &document);

    if (s)
        return s;
    if (!(s = espl__options_read(document, document->root, espl__head_options, NULL, &head)))
        s = espl__net_replace_head(net, &head, classes);
    espl__document_free(document);
    return s;
}
