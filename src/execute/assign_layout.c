/* One layout through the whole graph, so that nothing is reordered between the input and the answer:
 * blocks of the vector width where every channel count divides, else channels last. */
#include "execute/plan_parts.h"

static int64_t vector_block(void)
{
    return espl__isa_here() == ESPL__ISA_AVX512 ? 16 : 8;
}

static bool is_picture(const espl__graph *graph, int node)
{
    const espl__shape shape = graph->nodes[node].shape;

    return shape.rank == 3 && espl__shape_pixels(shape) > 1;
}

static bool all_divide(const espl__graph *graph, int64_t width)
{
    for (int i = 1; i < graph->node_count; i++)
        if (is_picture(graph, i) && graph->nodes[i].shape.dim[0] % width)
            return false;
    return true;
}

espl_status espl__assign_layout(espl__plan *plan)
{
    const int64_t width = vector_block();
    const bool blocked = all_divide(plan->settings.part_of ? plan->settings.part_of : plan->graph, width);
    const espl_status s = espl__allocate(plan->ctx, (size_t)plan->graph->node_count, sizeof *plan->block,
                                         &plan->block);

    if (s)
        return s;
    for (int i = 0; i < plan->graph->node_count; i++) {
        const int64_t channels = espl__node_shape(plan, i).dim[0];
        if (!is_picture(plan->graph, i))
            plan->block[i] = 1;
        else if (!blocked)
            plan->block[i] = channels;
        else
            plan->block[i] = channels % width ? 1 : width; /* the input of a few channels stays plain */
    }
    return ESPL_OK;
}
