/* Groups of layers by depth: what transfer learning gives rates to, or lets train, together. Blocks that
 * the net runs through one after the other (a residual block, say) stay whole where that leaves enough
 * groups. */
#include "net/net.h"
#include <espalier/report.h>

static bool has_weights(const espl__graph *graph, int node)
{
    for (int k = 0; k < graph->nodes[node].parameter_count; k++)
        if (graph->parameters[graph->nodes[node].parameters[k]].spec.kind == ESPL_WEIGHT)
            return true;
    return false;
}

static int count_layers(const espl__graph *graph, int end)
{
    int count = 0;

    for (int i = 0; i < end; i++)
        count += has_weights(graph, i);
    return count;
}

/* For each node: does everything behind it come through it alone? There a block ends. */
static void find_ends(const espl__graph *graph, int *last_use, bool *ends)
{
    int reach = 0;

    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            last_use[graph->nodes[i].inputs[k]] = i;
    for (int i = 0; i < graph->node_count; i++) {
        ends[i] = reach <= i;
        reach = last_use[i] > reach ? last_use[i] : reach;
    }
}

/* Numbers the groups of the body from the input, `wanted` at most; returns how many there are. A block lies
 * where its first layer with weights does, what has none goes with the layer before it. `ends` NULL: every
 * node is a block. */
static int place(const espl__graph *graph, int head, int wanted, const bool *ends, int *group)
{
    const int layers = count_layers(graph, head);
    int before = 0, found = 0, last = -1;

    for (int begin = 0; begin < head;) {
        int end = begin + 1, inside = has_weights(graph, begin);
        while (end < head && ends && !ends[end - 1])
            inside += has_weights(graph, end++);
        const int at = inside || last < 0 ? (int)((int64_t)before * wanted / layers) : last;
        found += at != last;
        last = at;
        for (int i = begin; i < end; i++)
            group[i] = found - 1;
        before += inside;
        begin = end;
    }
    return found;
}

static void count_from_the_top(const espl__graph *graph, int head, int found, int *group)
{
    for (int i = 0; i < graph->node_count; i++)
        group[i] = i < head ? found - group[i] : 0;
}

espl_status espl__net_groups(const espl__graph *graph, int count, int *group, int *found)
{
    const int head = espl__net_head(graph), layers = count_layers(graph, head);
    const size_t nodes = (size_t)graph->node_count;
    int *last_use = NULL;
    bool *ends = NULL;
    espl_status s;

    *found = 0;
    if (count > layers + 1)
        return espl__fail(graph->ctx, ESPL_BAD_OPTION, "groups: %d, but the net has %d layers with weights", count,
                          layers + 1);
    const int wanted = (count ? count : layers < 3 ? layers + 1
                                                   : 4) -
                       1;
    if ((s = espl__allocate(graph->ctx, nodes, sizeof *last_use, &last_use)) ||
        (s = espl__allocate(graph->ctx, nodes, sizeof *ends, &ends))) {
        espl__release(graph->ctx, last_use);
        return s;
    }
    find_ends(graph, last_use, ends);
    int bodies = wanted ? place(graph, head, wanted, ends, group) : 0;
    if (bodies < wanted)
        bodies = place(graph, head, wanted, NULL, group);
    count_from_the_top(graph, wanted ? head : 0, bodies, group);
    *found = bodies + 1;
    espl__release(graph->ctx, ends);
    espl__release(graph->ctx, last_use);
    return ESPL_OK;
}

espl_status espl_net_group_layers(espl_net *net, int count, int *group)
{
    int found = 0;

    return espl__net_groups(net->graph, count, group, &found);
}
