/* Which kernel computes which node: the first in kernels.def that fits and can be prepared. A pure
 * function of shapes, mode and instruction set, never of a timing. */
#include "execute/plan_parts.h"

#include <string.h>

/* A sample on its own is computed operation by operation; below this much work (about a tenth of a
 * millisecond) waking other threads costs more than they bring. */
#define MACS_FOR_THREADS ((int64_t)4 << 20)

static void describe_case(const espl__plan *plan, int index, espl__role role, bool training, espl__case *at)
{
    const espl__node *node = &plan->graph->nodes[index];

    memset(at, 0, sizeof *at);
    at->node = node;
    at->role = role;
    at->training = training;
    at->samples = plan->samples;
    at->shards = plan->shards;
    at->isa = espl__isa_here();
    at->direct_only = plan->settings.direct_only;
    at->input_count = node->input_count;
    for (int i = 0; i < node->input_count; i++) {
        at->input[i] = espl__node_shape(plan, node->inputs[i]);
        at->input_block[i] = plan->block[node->inputs[i]];
    }
    at->output = node->shape;
    at->output_block = plan->block[index];
    for (int i = 0; i < node->parameter_count; i++)
        at->parameter[i] = &plan->graph->parameters[node->parameters[i]].spec;
    at->bf16 = plan->bf16[index];
    for (int i = 0; i < node->input_count; i++)
        at->bf16 = at->bf16 && plan->bf16[node->inputs[i]];
    at->threads = plan->alone && node->macs >= MACS_FOR_THREADS ? plan->workers : 1;
    at->workers = plan->workers;
}

static bool all_frozen(const espl__plan *plan, const espl__node *node)
{
    for (int i = 0; i < node->parameter_count; i++)
        if (!plan->net->parameters[node->parameters[i]].frozen)
            return false;
    return true;
}

static espl_status add_binding(espl__plan *plan, int *index)
{
    if (plan->binding_count == plan->binding_capacity) {
        const int capacity = plan->binding_capacity ? 2 * plan->binding_capacity : 64;
        const espl_status s = espl__resize(plan->ctx, (size_t)plan->binding_count, (size_t)capacity,
                                           sizeof *plan->bindings, &plan->bindings);
        if (s)
            return s;
        plan->binding_capacity = capacity;
    }
    *index = plan->binding_count++;
    memset(&plan->bindings[*index], 0, sizeof plan->bindings[*index]);
    plan->bindings[*index].forward = -1;
    return ESPL_OK;
}

static bool any_bf16(const espl__plan *plan, int index)
{
    const espl__node *node = &plan->graph->nodes[index];
    bool any = plan->bf16[index];

    for (int i = 0; i < node->input_count; i++)
        any = any || plan->bf16[node->inputs[i]];
    return any;
}

/* Binds a kernel; `*index` stays -1 if it cannot be prepared for this case. */
static espl_status try_kernel(espl__plan *plan, const espl__kernel *kernel, const espl__case *at, int *index)
{
    espl__needs needs = { 0 };
    void *state = NULL;
    espl_status s = kernel->prepare ? kernel->prepare(plan->ctx, at, &needs, &state) : ESPL_OK;

    if (s == ESPL_UNSUPPORTED)
        return ESPL_OK;
    if (s)
        return espl__fail_within(plan->ctx, s, "%s", at->node->name);
    if ((s = add_binding(plan, index))) {
        if (kernel->release)
            kernel->release(plan->ctx, state);
        return s;
    }
    binding *b = &plan->bindings[*index];
    b->kernel = kernel;
    b->at = *at;
    b->needs = needs;
    b->state = state;
    b->fixed = plan->settings.training && all_frozen(plan, at->node);
    return ESPL_OK;
}

/* The kernel that another plan of the same graph has chosen, or NULL. */
static const espl__kernel *choice_of(const espl__plan *other, int node, espl__role role)
{
    if (!other)
        return NULL;
    const int list[] = { other->forward[node], other->backward[0][node], other->backward[1][node] };
    for (int i = 0; i < ESPL__COUNT(list); i++)
        if (list[i] >= 0 && other->bindings[list[i]].at.role == role)
            return other->bindings[list[i]].kernel;
    return NULL;
}

/* A name without the instruction set: "winograd_conv2d_forward". */
static size_t algorithm_length(const char *name)
{
    static const char *const endings[] = { "_bf16", "_avx512", "_avx2", "_plain" };
    const size_t length = strlen(name);

    for (int i = 0; i < ESPL__COUNT(endings); i++)
        if (length > strlen(endings[i]) && strcmp(name + length - strlen(endings[i]), endings[i]) == 0)
            return length - strlen(endings[i]);
    return length;
}

/* Fast, and not what `best` does in another instruction set. */
static bool is_another(const espl__kernel *kernel, const espl__kernel *best)
{
    const size_t length = algorithm_length(kernel->name);

    return strncmp(kernel->name, "reference_", strlen("reference_")) != 0 &&
           (length != algorithm_length(best->name) || strncmp(kernel->name, best->name, length) != 0);
}

/* Tries every kernel of the role that is for the numbers of `at` and another than `best`, if there is one;
 * `*index` is -1 if none of them will do. `converts`: what the node reads or writes is of another kind, so the
 * kernel must take one shard at a time. */
static espl_status bind_first(espl__plan *plan, const espl__case *at, const espl__kernel *best, bool converts,
                              int *index)
{
    const espl__kernel *kernel;

    *index = -1;
    for (int i = 0; *index < 0 && (kernel = espl__kernel_at(i)); i++) {
        if (kernel->role != at->role || (converts && !kernel->run) ||
            strcmp(kernel->op, at->node->op->name) != 0 || !espl__kernel_fits(kernel, at) ||
            (kernel->pays && !kernel->pays(at)) || (best && !is_another(kernel, best)))
            continue;
        const espl_status s = try_kernel(plan, kernel, at, index);
        if (s)
            return s;
    }
    return ESPL_OK;
}

/* A kernel for bf16 numbers where the values are, else one for floats, with conversions around it. */
static espl_status bind_numbers(espl__plan *plan, int node, espl__role role, const espl__kernel *best, int *index)
{
    espl__case at;
    espl_status s;

    describe_case(plan, node, role, plan->settings.training && !plan->still[node], &at);
    if (at.bf16 && ((s = bind_first(plan, &at, best, false, index)) || *index >= 0))
        return s;
    const bool converts = any_bf16(plan, node);
    at.bf16 = false;
    if ((s = bind_first(plan, &at, best, converts, index)) || *index < 0 || !converts)
        return s;
    binding *b = &plan->bindings[*index];
    b->converts = true;
    b->edge = (b->needs.workspace + 63) / 64 * 64;
    b->needs.workspace = b->edge + espl__edge_bytes(plan, at.node, role);
    return ESPL_OK;
}

static espl_status bind(espl__plan *plan, int node, espl__role role, int *index)
{
    const espl__kernel *best = choice_of(plan->settings.instead_of, node, role);
    const espl_status s = bind_numbers(plan, node, role, best, index);

    return s || *index >= 0 || !best ? s : bind_numbers(plan, node, role, NULL, index);
}

static espl_status no_kernel(const espl__plan *plan, int node, const char *direction)
{
    return espl__fail(plan->ctx, ESPL_UNSUPPORTED, "%s: no kernel of this build computes %s %s",
                      plan->graph->nodes[node].name, plan->graph->nodes[node].op->name, direction);
}

/* Does an input want a gradient that the plan cannot hand on by itself (op->passes)? */
static bool input_asks(const espl__plan *plan, const espl__node *node)
{
    for (int k = 0; k < node->input_count; k++)
        if (plan->needs_gradient[node->inputs[k]] && !(node->op->passes >> k & 1u))
            return true;
    return false;
}

static espl_status bind_backward(espl__plan *plan, int index)
{
    const espl__node *node = &plan->graph->nodes[index];
    const bool inputs = input_asks(plan, node), parameters = espl__own_parameter_trains(plan->net, plan->graph, node);
    int *both = plan->backward[0], *second = plan->backward[1];
    espl_status s;

    if (!inputs && !parameters)
        return ESPL_OK;
    if ((s = bind(plan, index, ESPL__BACKWARD, &both[index])))
        return s;
    if (both[index] >= 0) {
        plan->bindings[both[index]].grads_inputs = inputs;
        plan->bindings[both[index]].grads_parameters = parameters;
        plan->bindings[both[index]].forward = plan->forward[index];
        return ESPL_OK;
    }
    if (parameters) {
        if ((s = bind(plan, index, ESPL__BACKWARD_PARAMETERS, &both[index])))
            return s;
        if (both[index] < 0)
            return no_kernel(plan, index, "backward");
        plan->bindings[both[index]].grads_parameters = true;
        plan->bindings[both[index]].forward = plan->forward[index];
    }
    if (inputs) {
        if ((s = bind(plan, index, ESPL__BACKWARD_INPUTS, &second[index])))
            return s;
        if (second[index] < 0)
            return no_kernel(plan, index, "backward");
        plan->bindings[second[index]].grads_inputs = true;
        plan->bindings[second[index]].forward = plan->forward[index];
    }
    return ESPL_OK;
}

espl_status espl__choose_kernels(espl__plan *plan)
{
    const size_t nodes = (size_t)plan->graph->node_count;
    espl_status s;

    if ((s = espl__allocate(plan->ctx, nodes, sizeof *plan->forward, &plan->forward)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof *plan->forward, &plan->backward[0])) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof *plan->forward, &plan->backward[1])) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof *plan->still, &plan->still)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof *plan->needs_gradient, &plan->needs_gradient)))
        return s;
    if (plan->learns)
        espl__find_needs(plan->net, plan->graph, plan->needs_gradient);
    if (plan->settings.training)
        espl__find_still(plan->net, plan->graph, plan->needs_gradient, plan->still);
    for (size_t i = 0; i < nodes; i++)
        plan->forward[i] = plan->backward[0][i] = plan->backward[1][i] = -1;
    for (int i = 1; i < plan->graph->node_count; i++) {
        if ((s = bind(plan, i, ESPL__FORWARD, &plan->forward[i])))
            return s;
        if (plan->forward[i] < 0)
            return no_kernel(plan, i, "forward");
    }
    if (!plan->learns)
        return ESPL_OK;
    for (int i = 1; i < plan->graph->node_count; i++)
        if (plan->needs_gradient[i] && (s = bind_backward(plan, i)))
            return s;
    return ESPL_OK;
}
