/* Making one net of several. Nodes that do the same with the same - operation, attributes, inputs and the values of
 * every parameter - become one, whichever members they come from. So a frozen prefix is stored and run once. */
#include "net/alike.h"
#include "ops/combine.h"
#include <espalier/ensemble.h>

#include <stdio.h>
#include <string.h>

/* A node of the ensemble to be: which member it is taken from, and how many members use it. */
typedef struct branch_node {
    int member, node, users;
} branch_node;

typedef struct joining {
    espl_context *ctx;
    espl_net *const *members;
    int count;
    int *first;          /* in `map`, of each member's nodes */
    int *map;            /* node of a member -> index within `nodes` */
    branch_node *nodes;  /* 0 is the input */
    int node_count;
    int *made;           /* index within `nodes` -> node of the graph */
    espl__graph *graph;
} joining;

static const espl__node *node_of(const joining *j, const branch_node *n)
{
    return &j->members[n->member]->graph->nodes[n->node];
}

static int mapped(const joining *j, int member, int node)
{
    return j->map[j->first[member] + node];
}

static bool same_values(const joining *j, int a_member, const espl__node *a, int b_member, const espl__node *b)
{
    for (int i = 0; i < a->parameter_count; i++) {
        const espl__parameter *p = &j->members[a_member]->parameters[a->parameters[i]];
        const espl__parameter *q = &j->members[b_member]->parameters[b->parameters[i]];
        if (p->count != q->count || memcmp(p->value, q->value, (size_t)p->count * sizeof(float)) != 0)
            return false;
    }
    return true;
}

static bool same(const joining *j, const branch_node *old, int member, int node)
{
    const espl__node *a = node_of(j, old), *b = &j->members[member]->graph->nodes[node];

    if (a->op != b->op || a->input_count != b->input_count || a->parameter_count != b->parameter_count ||
        !espl__shape_equal(a->shape, b->shape) || memcmp(a->attributes, b->attributes, a->op->size) != 0)
        return false;
    for (int i = 0; i < a->input_count; i++)
        if (mapped(j, old->member, a->inputs[i]) != mapped(j, member, b->inputs[i]))
            return false;
    return same_values(j, old->member, a, member, b);
}

/* The nodes of all members up to their logits, each once. */
static void join(joining *j)
{
    j->node_count = 1;
    for (int m = 0; m < j->count; m++)
        for (int i = 1; i <= espl__logits_node(j->members[m]->graph); i++) {
            int at = 1;
            while (at < j->node_count && !same(j, &j->nodes[at], m, i))
                at++;
            if (at == j->node_count)
                j->nodes[j->node_count++] = (branch_node){ .member = m, .node = i };
            j->nodes[at].users++;
            j->map[j->first[m] + i] = at;
        }
}

/* What all share keeps its name, what belongs to some is called after the first of them. */
static void name_node(const joining *j, const branch_node *n, char name[256])
{
    const char *own = node_of(j, n)->name;

    if (n->users >= j->count && espl__graph_find(j->graph, own) < 0)
        snprintf(name, 256, "%s", own);
    else
        snprintf(name, 256, "member_%d.%s", n->member + 1, own);
}

static espl_status write_nodes(joining *j)
{
    espl_status s = ESPL_OK;

    for (int at = 1; at < j->node_count && !s; at++) {
        const branch_node *n = &j->nodes[at];
        const espl__node *node = node_of(j, n);
        int inputs[ESPL__INPUTS_MAX];
        char name[256];
        for (int i = 0; i < node->input_count; i++)
            inputs[i] = j->made[mapped(j, n->member, node->inputs[i])];
        name_node(j, n, name);
        s = espl__graph_add(j->graph, node->op, name, node->attributes, inputs, node->input_count, &j->made[at]);
    }
    return s;
}

static espl_status write_end(joining *j, espl_combine by, const double *weights)
{
    espl__combine attributes = { .by = (int)by, .weights = { .count = 1, .item = { 1 } } };
    int inputs[ESPL_MEMBERS_MAX];

    for (int m = 0; m < j->count; m++) {
        inputs[m] = j->made[mapped(j, m, espl__logits_node(j->members[m]->graph))];
        if (weights)
            attributes.weights.item[m] = weights[m];
    }
    if (weights)
        attributes.weights.count = j->count;
    return espl__graph_add(j->graph, espl__op_find("combine"), "combine", &attributes, inputs, j->count, NULL);
}

static void copy_values(const joining *j, espl_net *net)
{
    for (int at = 1; at < j->node_count; at++) {
        const espl__node *from = node_of(j, &j->nodes[at]), *to = &net->graph->nodes[j->made[at]];
        const espl_net *member = j->members[j->nodes[at].member];
        for (int i = 0; i < from->parameter_count; i++) {
            const espl__parameter *p = &net->parameters[to->parameters[i]];
            memcpy(p->value, member->parameters[from->parameters[i]].value, (size_t)p->count * sizeof(float));
        }
    }
}

static espl_status open_net(joining *j, espl_net **result)
{
    const espl_net *first = j->members[0];
    espl__graph *graph = j->graph;
    char name[256];
    espl_status s;

    snprintf(name, sizeof name, "%.200s-ensemble-%d", first->name, j->count);
    j->graph = NULL; /* taken over, also after a failure */
    if ((s = espl__net_open_empty(graph, name, result)))
        return s;
    copy_values(j, *result);
    (*result)->preparation = first->preparation;
    return first->class_count ? espl__net_set_classes(*result, (const char *const *)first->classes, first->class_count)
                              : ESPL_OK;
}

static espl_status open_joining(joining *j)
{
    const espl__graph *graph = j->members[0]->graph;
    size_t total = 1;
    espl_status s;

    if ((s = espl__allocate(j->ctx, (size_t)j->count, sizeof *j->first, &j->first)))
        return s;
    for (int m = 0; m < j->count; m++) {
        j->first[m] = (int)total;
        total += (size_t)j->members[m]->graph->node_count;
    }
    if (total > ESPL__GRAPH_NODES_MAX)
        return espl__fail(j->ctx, ESPL_BAD_SHAPE,
                          "the members have %zu layers together, but a net may have %d: give fewer", total,
                          ESPL__GRAPH_NODES_MAX);
    if ((s = espl__allocate(j->ctx, total, sizeof *j->map, &j->map)) ||
        (s = espl__allocate(j->ctx, total, sizeof *j->nodes, &j->nodes)) ||
        (s = espl__allocate(j->ctx, total, sizeof *j->made, &j->made)))
        return s;
    return espl__graph_open(j->ctx, graph->nodes[0].shape, &j->graph);
}

static espl_status check(espl_net *const *members, int count, const double *weights)
{
    espl_context *ctx = members[0]->ctx;

    if (count > ESPL_MEMBERS_MAX)
        return espl__fail(ctx, ESPL_BAD_OPTION, "an ensemble has at most %d members, not %d", ESPL_MEMBERS_MAX, count);
    for (int m = 0; weights && m < count; m++)
        if (!(weights[m] >= 0 && weights[m] <= 1))
            return espl__fail(ctx, ESPL_BAD_OPTION, "the weight of member %d is %g, but 0..1 is expected", m + 1,
                              weights[m]);
    return espl__nets_answer_alike(members, count);
}

espl_status espl_ensemble_build(espl_net *const *members, int count, espl_combine by, const double *weights,
                                espl_net **result)
{
    joining j = { .members = members, .count = count };
    espl_status s;

    *result = NULL;
    if (count < 1)
        return ESPL_BAD_OPTION;
    j.ctx = members[0]->ctx;
    if (!(s = check(members, count, weights)) && !(s = open_joining(&j))) {
        join(&j);
        if (!(s = write_nodes(&j)) && !(s = write_end(&j, by, weights)))
            s = open_net(&j, result);
    }
    espl__graph_free(j.graph);
    espl__release(j.ctx, j.first);
    espl__release(j.ctx, j.map);
    espl__release(j.ctx, j.nodes);
    espl__release(j.ctx, j.made);
    if (s) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}
