/* The head of a net: where its features end and its answer about classes begins. */
#include "net/net.h"

int espl__net_head(const espl__graph *graph)
{
    for (int i = graph->node_count - 1; i > 0; i--)
        for (int k = 0; k < graph->nodes[i].parameter_count; k++)
            if (graph->parameters[graph->nodes[i].parameters[k]].spec.kind == ESPL_WEIGHT)
                return i;
    return graph->output;
}
