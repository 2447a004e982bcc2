/* A kernel for floats at a node whose values are kept in bf16: what it reads is converted before the call and what
 * it wrote behind it, within the shard, in memory of the worker. */
#include "execute/plan_parts.h"

#include "kernels/bf16.h"

/* One call on its way: where the next tensor of floats goes. */
typedef struct edge {
    const espl__plan *plan;
    const espl__node *node;
    int samples;
    float *next;
} edge;

static int64_t floats_of(const espl__plan *plan, int node)
{
    return (plan->samples * espl__shape_size(espl__node_shape(plan, node)) + 15) / 16 * 16;
}

size_t espl__edge_bytes(const espl__plan *plan, const espl__node *node, espl__role role)
{
    int64_t floats = floats_of(plan, (int)(node - plan->graph->nodes));

    for (int k = 0; k < node->input_count; k++)
        floats += floats_of(plan, node->inputs[k]);
    return (size_t)(role == ESPL__FORWARD ? floats : 2 * floats) * sizeof(float);
}

/* The tensor of `node` as floats: itself if it is, else memory of the worker, filled if `read`. */
static float *as_floats(edge *e, int node, float *tensor, bool read)
{
    float *floats = e->next;

    if (!tensor || !e->plan->bf16[node])
        return tensor;
    e->next += floats_of(e->plan, node);
    if (read)
        espl__bf16_to_floats(floats, (const uint16_t *)(const void *)tensor,
                             e->samples * espl__shape_size(espl__node_shape(e->plan, node)));
    return floats;
}

static void write_back(const edge *e, int node, const float *floats, float *tensor)
{
    if (tensor && e->plan->bf16[node])
        espl__bf16_from_floats((uint16_t *)(void *)tensor, floats,
                               e->samples * espl__shape_size(espl__node_shape(e->plan, node)));
}

void espl__edge_call(const espl__plan *plan, const binding *b, bool sums, const espl__call *call)
{
    const espl__node *node = call->node;
    const int index = (int)(node - plan->graph->nodes);
    const bool forward = b->at.role == ESPL__FORWARD, after_sums = !sums && b->kernel->sums;
    const bool reads_inputs = forward || espl__backward_reads_inputs(b);
    const bool reads_output = !forward && node->op->reads & ESPL__READS_OUTPUT && !after_sums;
    edge e = { plan, node, call->samples, (float *)((char *)call->workspace + b->edge) };
    const float *inputs[ESPL__INPUTS_MAX] = { 0 };
    float *grad_inputs[ESPL__INPUTS_MAX] = { 0 };
    espl__call own = *call;

    own.inputs = inputs;
    own.grad_inputs = grad_inputs;
    for (int k = 0; reads_inputs && k < (forward && sums ? 1 : node->input_count); k++)
        inputs[k] = as_floats(&e, node->inputs[k], (float *)call->inputs[k], true);
    if (forward || reads_output)
        own.output = as_floats(&e, index, call->output, !forward);
    own.grad_output = as_floats(&e, index, call->grad_output, true);
    for (int k = 0; !forward && k < node->input_count; k++)
        grad_inputs[k] = as_floats(&e, node->inputs[k], call->grad_inputs[k], false);
    (sums ? b->kernel->sums : b->kernel->run)(&own);
    if (forward && !sums)
        write_back(&e, index, own.output, call->output);
    if (sums || (node->op->passes && !b->kernel->sums)) /* it may hold what others will read now */
        write_back(&e, index, own.grad_output, call->grad_output);
    for (int k = 0; !sums && k < node->input_count; k++)
        write_back(&e, node->inputs[k], grad_inputs[k], grad_inputs[k] ? call->grad_inputs[k] : NULL);
}
