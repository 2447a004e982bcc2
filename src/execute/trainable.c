/* What of a graph trains while other parameters are frozen. A frozen layer computes as in inference: its
 * statistics stand still, and where nothing in front of it trains either, it can be fused as for
 * inference and no gradient comes back to it. */
#include "execute/plan.h"

bool espl__own_parameter_trains(const espl_net *net, const espl__graph *graph, const espl__node *node)
{
    for (int i = 0; i < node->parameter_count; i++) {
        const int p = node->parameters[i];
        if (!net->parameters[p].frozen && graph->parameters[p].spec.kind != ESPL_BUFFER)
            return true;
    }
    return false;
}

/* Does it normalize by the batch, and so change its running statistics? */
static bool takes_statistics(const espl_net *net, const espl__graph *graph, const espl__node *node)
{
    for (int i = 0; i < node->parameter_count; i++) {
        const int p = node->parameters[i];
        if (graph->parameters[p].spec.kind == ESPL_BUFFER && !net->parameters[p].frozen)
            return node->op->flags & ESPL__USES_BATCH;
    }
    return false;
}

void espl__find_needs(const espl_net *net, const espl__graph *graph, bool *needs)
{
    for (int i = 0; i < graph->node_count; i++) {
        const espl__node *node = &graph->nodes[i];
        needs[i] = espl__own_parameter_trains(net, graph, node);
        for (int k = 0; k < node->input_count && !needs[i]; k++)
            needs[i] = needs[node->inputs[k]];
    }
}

static bool is_random(const espl__node *node)
{
    return node->op && node->op->flags & ESPL__IS_RANDOM;
}

void espl__find_still(const espl_net *net, const espl__graph *graph, const bool *needs, bool *still)
{
    /* first: does the value lead, past nodes without parameters, to a frozen layer? */
    for (int i = graph->node_count - 1; i >= 0; i--)
        still[i] = false;
    for (int i = graph->node_count - 1; i > 0; i--) {
        const espl__node *node = &graph->nodes[i];
        const bool leads = node->parameter_count ? !espl__own_parameter_trains(net, graph, node) : still[i];
        for (int k = 0; k < node->input_count && leads; k++)
            still[node->inputs[k]] = true;
    }
    for (int i = 0; i < graph->node_count; i++) {
        const espl__node *node = &graph->nodes[i];
        if (is_random(node))
            still[i] = still[i] && !needs[i];
        else
            still[i] = node->parameter_count > 0 && !takes_statistics(net, graph, node);
    }
}

const espl__node *espl__needs_two(const espl_net *net, const espl__graph *graph)
{
    for (int i = 1; i < graph->node_count; i++) {
        const espl__node *node = &graph->nodes[i];
        if (takes_statistics(net, graph, node) &&
            espl__shape_size(node->shape) == espl__shape_channels(node->shape))
            return node;
    }
    return NULL;
}
