/* Concatenation without copies. Where pixels lie one after the other with all their channels, the first input of a
 * concatenation can be the first channels of its output: each piece of a densely connected block (Huang et al. 2017)
 * is then written once, into the value that the whole block ends with, and its gradient is gathered in that of the
 * same value. Only kernels that know a distance between pixels may look at such an input; if any other does, the
 * concatenation copies. */
#include "execute/plan_parts.h"

static bool is_concat(const espl__node *node)
{
    return espl__text_equal(node->op->name, "concat");
}

static bool strided(const espl__plan *plan, int b)
{
    return b < 0 || (plan->bindings[b].kernel->strided && !plan->bindings[b].converts);
}

static bool kernels_strided(const espl__plan *plan, int node)
{
    return strided(plan, plan->forward[node]) && strided(plan, plan->backward[0][node]) &&
           strided(plan, plan->backward[1][node]);
}

/* May the value of this node be part of another? The caller wants it in one piece; a loss has nothing to share. */
static bool may_share(const espl__plan *plan, int node)
{
    return is_concat(&plan->graph->nodes[node]) && node != plan->answer && node != plan->loss &&
           espl__node_shape(plan, node).rank == 3 && plan->block[node] == espl__node_shape(plan, node).dim[0] &&
           kernels_strided(plan, node);
}

/* The concatenation that the value of `node` can be the beginning of, or -1. It must be the last to read it, so that
 * on the way back its gradient is there before anything is added to it. */
static int continued_by(const espl__plan *plan, int node)
{
    int last = -1, concats = 0;

    if (!may_share(plan, node))
        return -1;
    for (int i = node + 1; i < plan->graph->node_count; i++) {
        const espl__node *reader = &plan->graph->nodes[i];
        for (int k = 0; k < reader->input_count; k++) {
            if (reader->inputs[k] != node)
                continue;
            if (k > 0 || !kernels_strided(plan, i))
                return -1;
            last = i;
            concats += is_concat(reader);
        }
    }
    return concats == 1 && is_concat(&plan->graph->nodes[last]) && plan->bf16[last] == plan->bf16[node] &&
                   plan->block[last] == espl__node_shape(plan, last).dim[0]
               ? last
               : -1;
}

/* Tells the kernels how far pixels lie apart. */
static void set_strides(espl__plan *plan)
{
    for (int i = 0; i < plan->binding_count; i++) {
        espl__case *at = &plan->bindings[i].at;
        const int node = (int)(at->node - plan->graph->nodes), input = at->node->inputs[0];
        if (plan->within[node] >= 0)
            at->output_stride = plan->block[plan->within[node]];
        if (plan->within[input] >= 0)
            at->input_stride = plan->block[plan->within[input]];
    }
}

espl_status espl__share_concats(espl__plan *plan)
{
    const int count = plan->graph->node_count;
    const espl_status s = espl__allocate(plan->ctx, (size_t)count, sizeof *plan->within, &plan->within);

    if (s)
        return s;
    plan->within[0] = -1; /* the input */
    for (int i = count - 1; i > 0; i--) {
        const int next = continued_by(plan, i);
        plan->within[i] = next >= 0 && plan->within[next] >= 0 ? plan->within[next] : next;
    }
    set_strides(plan);
    return ESPL_OK;
}
