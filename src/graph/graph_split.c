/* Cutting a graph in two at a node that every way from the input to the output passes. */
#include "graph/graph.h"

#include <string.h>

bool espl__graph_passes(const espl__graph *graph, int node)
{
    for (int i = node + 1; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].inputs[k] < node)
                return false;
    return true;
}

/* A copy of node `from` whose inputs are counted from the cut. */
static espl_status append(espl__graph *rest, const espl__node *from, int cut)
{
    int inputs[ESPL__INPUTS_MAX];
    espl__node node = *from;

    for (int i = 0; i < node.input_count; i++)
        inputs[i] = from->inputs[i] - cut;
    node.inputs = inputs;
    return espl__graph_append(rest, &node);
}

espl_status espl__graph_split(const espl__graph *graph, int node, espl__graph **before, espl__graph **behind)
{
    espl__graph *first = NULL, *rest = NULL;
    espl_status s = before ? espl__graph_copy(graph, &first) : ESPL_OK;

    if (!s && before)
        espl__graph_cut(first, node);
    if (!s && !(s = espl__graph_begin(graph, &rest))) {
        rest->nodes[0].shape = graph->nodes[node].shape;
        for (int i = node + 1; i < graph->node_count && !s; i++)
            s = append(rest, &graph->nodes[i], node);
        rest->output = graph->output - node;
    }
    if (s) {
        espl__graph_free(first);
        espl__graph_free(rest);
        first = rest = NULL;
    }
    if (before)
        *before = first;
    *behind = rest;
    return s;
}
