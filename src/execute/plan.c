/* Opening, asking and freeing a plan. */
#include "execute/plan_parts.h"

#include <stdio.h>
#include <string.h>

#define SHARD_BYTES ((int64_t)1 << 20) /* of the largest activation of a shard */
#define SHARD_SAMPLES_MAX 32

/* How many samples one worker takes through a stage at a time: a property of the net alone. */
static int shard_samples(const espl__graph *graph)
{
    int64_t largest = 1;

    for (int i = 0; i < graph->node_count; i++) {
        const int64_t size = espl__shape_size(graph->nodes[i].shape) * (int64_t)sizeof(float);
        largest = size > largest ? size : largest;
    }
    const int64_t samples = SHARD_BYTES / largest;
    return samples < 1 ? 1 : samples > SHARD_SAMPLES_MAX ? SHARD_SAMPLES_MAX
                                                         : (int)samples;
}

static void find_answer(espl__plan *plan)
{
    const espl__node *last = &plan->graph->nodes[plan->graph->output];
    const bool is_loss = last->op && last->op->flags & ESPL__IS_LOSS;

    plan->loss = is_loss ? plan->graph->output : -1;
    plan->answer = is_loss ? last->inputs[0] : plan->graph->output;
    plan->learns = is_loss && plan->settings.training && !plan->settings.forward;
}

static espl_status take_parameters(espl__plan *plan)
{
    const espl_status s = espl__allocate(plan->ctx, (size_t)plan->parameter_count + 1,
                                         sizeof *plan->parameters, &plan->parameters);
    if (!s)
        for (int i = 0; i < plan->parameter_count; i++)
            plan->parameters[i] = plan->net->parameters[i].value;
    return s;
}

static espl_status name_streams(espl__plan *plan)
{
    char name[256];
    const espl_status s = espl__allocate(plan->ctx, (size_t)plan->graph->node_count, sizeof *plan->streams,
                                         &plan->streams);
    if (!s)
        for (int i = 0; i < plan->graph->node_count; i++) {
            snprintf(name, sizeof name, "op/%s", plan->graph->nodes[i].name);
            plan->streams[i] = espl__stream_of(espl__seed(plan->ctx), name);
        }
    return s;
}

static espl_status count_samples(espl__plan *plan)
{
    const size_t samples = (size_t)plan->shards * (size_t)plan->samples;
    espl_status s;

    if ((s = espl__allocate(plan->ctx, samples, sizeof *plan->counted, &plan->counted)) ||
        (s = espl__allocate(plan->ctx, (size_t)plan->shards, sizeof *plan->valid, &plan->valid)) ||
        (s = espl__allocate(plan->ctx, (size_t)plan->workers * espl__timed_count(plan), sizeof *plan->seconds,
                            &plan->seconds)))
        return s;
    for (size_t i = 0; i < samples; i++)
        plan->counted[i] = (int64_t)i;
    return ESPL_OK;
}

static espl_status point_at_sums(espl__plan *plan)
{
    for (int i = 0; i < plan->binding_count; i++) {
        binding *b = &plan->bindings[i];
        if (!b->kernel->sums)
            continue;
        const espl_status s = espl__allocate(plan->ctx, (size_t)plan->shards, sizeof *b->sum_pointers,
                                             &b->sum_pointers);
        if (s)
            return s;
        for (int k = 0; k < plan->shards; k++)
            b->sum_pointers[k] = plan->arena + b->sums + (b->needs.sums + 63) / 64 * 64 * (size_t)k;
    }
    return ESPL_OK;
}

static espl_status point_at_pieces(espl__plan *plan, int index, float ***result)
{
    const buffer *b = &plan->buffers[index];
    const espl_status s = espl__allocate(plan->ctx, (size_t)plan->shards, sizeof **result, result);

    for (int k = 0; !s && k < plan->shards; k++)
        (*result)[k] = (float *)(plan->arena + b->offset + b->stride * (size_t)k);
    return s;
}

static espl_status point_at_parts(espl__plan *plan)
{
    espl_status s = ESPL_OK;

    for (int i = 0; !s && i < plan->merge_count; i++) {
        merge *m = &plan->merges[i];
        const binding *b = &plan->bindings[m->binding];
        if (b->needs.parts &&
            !(s = point_at_pieces(plan, espl__value_on_way_back(plan, b->at.node->inputs[0]), &m->inputs)))
            s = point_at_pieces(plan, plan->grad[b->at.node - plan->graph->nodes], &m->grad_outputs);
    }
    return s;
}

static espl_status check_batch(const espl__plan *plan)
{
    const espl__node *node = espl__needs_two(plan->net, plan->graph);

    if (!node || !plan->settings.training || plan->settings.batch > 1)
        return ESPL_OK;
    return espl__fail(plan->ctx, ESPL_BAD_OPTION,
                      "%s: \"%s\" has one value of each channel in a batch of one sample, and that has no "
                      "variance: train it with two samples or more at a time",
                      node->op->name, node->name);
}

static espl_status prepare(espl__plan *plan, const espl__graph *graph)
{
    espl_status s;

    if ((s = espl__fuse(plan->net, graph, plan->settings.training, &plan->graph)) || (s = check_batch(plan)))
        return s;
    const espl__graph *whole = plan->settings.part_of ? plan->settings.part_of : plan->graph;
    plan->alone = plan->settings.batch == 1 && !plan->settings.training && !plan->settings.samples &&
                  !plan->settings.part_of;
    plan->samples = plan->settings.samples ? plan->settings.samples
                    : plan->alone          ? 1
                                           : shard_samples(whole);
    plan->shards = (int)((plan->settings.batch + plan->samples - 1) / plan->samples);
    plan->parameter_count = plan->graph->parameter_count;
    find_answer(plan);
    if ((s = take_parameters(plan)) || (s = name_streams(plan)) || (s = espl__assign_layout(plan)) ||
        (s = espl__assign_precision(plan)) ||
        (s = espl__choose_kernels(plan)) || (s = espl__share_concats(plan)) || (s = espl__schedule(plan)) || (s = count_samples(plan)) ||
        (s = espl__place_memory(plan)) || plan->settings.measure ||
        (s = espl__arena_open(plan->ctx, plan->total_bytes, (void **)&plan->arena)))
        return s;
    if ((s = point_at_sums(plan)) || (s = point_at_parts(plan)))
        return s;
    espl__keep_packed(plan);
    return ESPL_OK;
}

espl_status espl__plan_open(espl_net *net, const espl__graph *graph, const espl__plan_settings *settings,
                            espl__plan **result)
{
    espl__plan *plan = NULL;
    espl_status s;

    *result = NULL;
    if (settings->batch < 1 || settings->batch > (int64_t)1 << 24)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "a batch has 1 to 16777216 samples, not %lld",
                          (long long)settings->batch);
    if ((s = espl__allocate(net->ctx, 1, sizeof *plan, &plan)))
        return s;
    plan->ctx = net->ctx;
    plan->net = net;
    plan->settings = *settings;
    plan->workers = espl__worker_count(net->ctx);
    if ((s = prepare(plan, graph))) {
        espl__plan_free(plan);
        return s;
    }
    *result = plan;
    return ESPL_OK;
}

void espl__plan_free(espl__plan *plan)
{
    if (!plan)
        return;
    espl_context *ctx = plan->ctx;
    for (int i = 0; i < plan->binding_count; i++) {
        if (plan->bindings[i].kernel->release)
            plan->bindings[i].kernel->release(ctx, plan->bindings[i].state);
        espl__release(ctx, plan->bindings[i].sum_pointers);
    }
    for (int i = 0; i < plan->merge_count; i++) {
        espl__release(ctx, plan->merges[i].inputs);
        espl__release(ctx, plan->merges[i].grad_outputs);
    }
    void *const owned[] = { plan->block, plan->bf16, plan->needs_gradient, plan->still, plan->forward, plan->backward[0],
                            plan->backward[1], plan->within, plan->bindings, plan->tasks, plan->merges, plan->buffers,
                            plan->value, plan->saved, plan->grad, plan->again, plan->gradients, plan->parameters,
                            plan->streams, plan->counted, plan->seconds, plan->valid };
    for (int i = 0; i < ESPL__COUNT(owned); i++)
        espl__release(ctx, owned[i]);
    espl__store_free(ctx, &plan->stored, true);
    espl__arena_free(ctx, plan->arena, plan->total_bytes);
    espl__graph_free(plan->graph);
    espl__release(ctx, plan);
}

/* ---- after a run ---- */

static const float *sample_of(const espl__plan *plan, int node, int64_t sample)
{
    const buffer *b = &plan->buffers[plan->value[node]];
    const int64_t size = espl__shape_size(espl__node_shape(plan, node));

    return (const float *)(plan->arena + b->offset + b->stride * (size_t)(sample / plan->samples)) +
           sample % plan->samples * size;
}

const float *espl__plan_output(const espl__plan *plan, int64_t sample)
{
    return sample_of(plan, plan->answer, sample);
}

void espl__plan_read_output(const espl__plan *plan, int64_t sample, float *values)
{
    const espl__shape shape = espl__node_shape(plan, plan->answer);
    const int64_t pixels = espl__shape_pixels(shape), block = plan->block[plan->answer];
    const float *from = espl__plan_output(plan, sample);

    if (block == 1 || pixels == 1) {
        memcpy(values, from, (size_t)espl__shape_size(shape) * sizeof *values);
        return;
    }
    for (int64_t c = 0; c < shape.dim[0]; c++)
        for (int64_t p = 0; p < pixels; p++)
            values[c * pixels + p] = from[espl__place(c, p, pixels, block)];
}

float espl__plan_loss(const espl__plan *plan, int64_t sample)
{
    return *sample_of(plan, plan->loss, sample);
}

float *espl__plan_gradient(const espl__plan *plan, int parameter)
{
    const gradient *g = &plan->gradients[parameter];

    return g->wanted ? (float *)(plan->arena + g->offset) : NULL;
}

size_t espl__plan_bytes(const espl__plan *plan)
{
    return plan->total_bytes;
}

int espl__plan_shard_samples(const espl__plan *plan)
{
    return plan->samples;
}

int espl__plan_lanes(const espl__plan *plan)
{
    return plan->lanes;
}

/* ---- what runs ---- */

/* The merge that is step `index` behind the tasks: the parts of one are a step together. */
static int merge_of_step(const espl__plan *plan, int index)
{
    int found = -1;

    for (int i = 0; i < plan->merge_count && index >= 0; i++)
        if (plan->merges[i].part == 0) {
            found = i;
            index--;
        }
    return found;
}

int espl__plan_step_count(const espl__plan *plan)
{
    int count = plan->task_count;

    for (int i = 0; i < plan->merge_count; i++)
        count += plan->merges[i].part == 0;
    return count;
}

/* Values, gradients and parameters that a kernel reads or writes, each counted once. */
static double bytes_of(const espl__plan *plan, const binding *b)
{
    const espl__node *node = b->at.node;
    const bool forward = b->at.role == ESPL__FORWARD;
    int64_t inputs = 0, parameters = 0;

    for (int k = 0; k < node->input_count; k++)
        inputs += espl__shape_size(espl__node_shape(plan, node->inputs[k]));
    for (int k = 0; k < node->parameter_count; k++)
        parameters += plan->net->parameters[node->parameters[k]].count;
    const int64_t output = espl__shape_size(node->shape);
    const int64_t sides = b->at.role == ESPL__BACKWARD ? 2 * inputs + output : inputs + output;
    const int64_t copies = forward || !b->grads_parameters || !b->grads_inputs ? 1 : 2;
    return (double)sizeof(float) * ((double)plan->settings.batch * (double)sides + (double)(copies * parameters));
}

static const char *role_name(espl__role role)
{
    static const char *const roles[] = { "forward", "backward", "backward-inputs", "backward-parameters" };

    return roles[role];
}

static espl__plan_step step_of_task(const espl__plan *plan, const task *t)
{
    static const char *const plain[] = { "feed", "sums", "run", "again", "copy", "add" };
    const bool computes = t->kind == TASK_RUN || t->kind == TASK_SUMS || t->kind == TASK_AGAIN;
    const binding *b = computes ? &plan->bindings[t->binding] : NULL;
    espl__plan_step step = { .node = b ? b->at.node->name : "",
                             .kernel = b ? b->kernel->name : plain[t->kind],
                             .role = b && t->kind == TASK_RUN ? role_name(b->at.role) : plain[t->kind],
                             .stage = t->stage };

    if (b && t->kind == TASK_RUN) {
        step.macs = b->at.node->macs * plan->settings.batch;
        step.bytes = bytes_of(plan, b);
    }
    return step;
}

/* A merge in parts is the work itself; any other one only ends what its kernel began. */
static espl__plan_step step_of_merge(const espl__plan *plan, const merge *m)
{
    const binding *b = &plan->bindings[m->binding];
    espl__plan_step step = { .node = b->at.node->name, .kernel = b->kernel->name, .stage = m->stage,
                             .role = b->at.role == ESPL__FORWARD ? "forward-merge" : "backward-merge" };

    if (b->needs.parts) {
        step.role = role_name(b->at.role);
        step.macs = b->at.node->macs * plan->settings.batch;
        step.bytes = bytes_of(plan, b);
    }
    return step;
}

espl__plan_step espl__plan_step_at(const espl__plan *plan, int index)
{
    const int m = index < plan->task_count ? -1 : merge_of_step(plan, index - plan->task_count);
    espl__plan_step step = m < 0 ? step_of_task(plan, &plan->tasks[index]) : step_of_merge(plan, &plan->merges[m]);

    for (int w = 0; w < plan->workers; w++)
        step.seconds += *espl__timed(plan, w, m < 0 ? index : plan->task_count + m);
    return step;
}

void espl__plan_timing(espl__plan *plan, bool on)
{
    plan->timing = on;
    memset(plan->seconds, 0, (size_t)plan->workers * espl__timed_count(plan) * sizeof *plan->seconds);
}
