/* The part of a net that gives the same values for the same sample as long as a run lasts, so that they need
 * to be computed once only. */
#include "execute/plan.h"

/* Does the node give another value when it is asked again? */
static bool changes(const espl__graph *graph, const bool *needs, const bool *still, int i)
{
    const espl__node *node = &graph->nodes[i];

    return needs[i] || (node->op->flags & (ESPL__IS_RANDOM | ESPL__USES_BATCH) && !still[i]);
}

/* The last node that all ways pass before `end`, with something to compute before it; 0: none. */
static int last_passage(const espl__graph *graph, int end)
{
    int64_t macs = 0;
    int found = 0;

    for (int i = 1; i < end; i++) {
        macs += graph->nodes[i].macs;
        if (macs && espl__graph_passes(graph, i))
            found = i;
    }
    return found;
}

espl_status espl__frozen_prefix(const espl_net *net, const espl__graph *graph, int *node, int *obstacle)
{
    bool *needs = NULL, *still = NULL;
    espl_status s;

    *node = 0;
    *obstacle = 1;
    if (!(s = espl__allocate(graph->ctx, (size_t)graph->node_count, sizeof *needs, &needs)) &&
        !(s = espl__allocate(graph->ctx, (size_t)graph->node_count, sizeof *still, &still))) {
        espl__find_needs(net, graph, needs);
        espl__find_still(net, graph, needs, still);
        while (*obstacle < graph->output && !changes(graph, needs, still, *obstacle))
            ++*obstacle;
        *node = last_passage(graph, *obstacle);
    }
    espl__release(graph->ctx, needs);
    espl__release(graph->ctx, still);
    return s;
}
