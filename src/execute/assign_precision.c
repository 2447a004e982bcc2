/* Which values are kept in bf16: with `precision: bf16` all but the answer and the loss, which are read as they
 * are, and what dense layers read and write: it is little beside their weights, which stay f32, and the products are
 * bound by reading those. Where the gradient of an input is the very memory of the output's (op->passes), both are of one kind. */
#include "execute/plan_parts.h"

/* One pass over the graph; true if something changed. */
static bool agree(espl__plan *plan)
{
    bool changed = false;

    for (int i = plan->graph->node_count - 1; i > 0; i--) {
        const espl__node *node = &plan->graph->nodes[i];
        for (int k = 0; k < node->input_count; k++) {
            bool *input = &plan->bf16[node->inputs[k]];
            if (node->op->passes >> k & 1u && *input != plan->bf16[i]) {
                *input = plan->bf16[i] = false;
                changed = true;
            }
        }
    }
    return changed;
}

espl_status espl__assign_precision(espl__plan *plan)
{
    const espl_status s = espl__allocate(plan->ctx, (size_t)plan->graph->node_count, sizeof *plan->bf16, &plan->bf16);

    if (s || plan->net->precision != ESPL_BF16)
        return s;
    if (!espl__bf16_here())
        return espl__fail(plan->ctx, ESPL_UNSUPPORTED,
                          "precision: bf16: this processor has no AVX-512 instructions for bf16 numbers; "
                          "use `precision: f32`");
    for (int i = 0; i < plan->graph->node_count; i++) {
        const espl__node *node = &plan->graph->nodes[i];
        const bool dense = i > 0 && espl__text_equal(node->op->name, "dense");
        plan->bf16[i] = i != plan->answer && i != plan->loss && !dense;
        if (dense)
            plan->bf16[node->inputs[0]] = false;
    }
    while (agree(plan))
        continue;
    return ESPL_OK;
}
