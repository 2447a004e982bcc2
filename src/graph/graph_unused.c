/* Nodes that are computed for nothing: almost certainly a mistake of whoever wrote the net. */
#include "graph/graph.h"

espl_status espl__graph_unused(const espl__graph *graph, int *node)
{
    bool *used = NULL;
    const espl_status s = espl__allocate(graph->ctx, (size_t)graph->node_count, sizeof *used, &used);

    *node = -1;
    if (s)
        return s;
    used[graph->output] = true;
    for (int i = graph->node_count - 1; i >= 0; i--) /* inputs come before the nodes that read them */
        for (int k = 0; used[i] && k < graph->nodes[i].input_count; k++)
            used[graph->nodes[i].inputs[k]] = true;
    for (int i = graph->node_count - 1; i >= 0; i--)
        if (!used[i])
            *node = i;
    espl__release(graph->ctx, used);
    return ESPL_OK;
}
