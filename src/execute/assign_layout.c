/* One layout through the whole graph, so that nothing is reordered between the input and the answer:
 * blocks of the vector width where every channel count divides, else channels last. */
#include "execute/plan_parts.h"

static int64_t vector_block(void)
{
    return espl__isa_here() == ESPL__ISA_AVX512 ? 16 : 8;
}

static bool is_picture(const espl__plan *plan, int node)
{
    const espl__shape shape = espl__node_shape(plan, node);

    return shape.rank == 3 && espl__shape_pixels(shape) > 1;
}

espl_status espl__assign_layout(espl__plan *plan)
{
    const int64_t width = vector_block();
    bool blocked = true;
    espl_status s = espl__allocate(plan->ctx, (size_t)plan->graph->node_count, sizeof *plan->block,
                                   &plan->block);

    if (s)
        return s;
    for (int i = 1; i < plan->graph->node_count; i++)
        if (is_picture(plan, i) && espl__node_shape(plan, i).dim[0] % width)
            blocked = false;
    for (int i = 0; i < plan->graph->node_count; i++) {
        const int64_t channels = espl__node_shape(plan, i).dim[0];
        if (!is_picture(plan, i))
            plan->block[i] = 1;
        else if (!blocked)
            plan->block[i] = channels;
        else
            plan->block[i] = channels % width ? 1 : width; /* the input of a few channels stays plain */
    }
    return ESPL_OK;
}
