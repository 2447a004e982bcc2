/* Runs a plan over one batch: every worker takes its shards through stage after stage; sums meet in
 * one fixed tree, whoever computed the parts. */
#include "execute/plan_parts.h"

#include "kernels/bf16.h"
#include "kernels/wide.h"

#include <string.h>

#define CHUNK 8192 /* floats of a gradient that one worker sums at a time */

static void *at(const espl__plan *plan, size_t offset)
{
    return plan->arena + offset;
}

/* The piece of a buffer that belongs to a shard (or, if it lives within a stage, to the worker). */
static float *piece_of(const espl__plan *plan, int index, int shard, int worker)
{
    if (index < 0)
        return NULL;
    if (plan->direct && index == plan->value[0])
        return (float *)plan->feed->values + (int64_t)shard * plan->samples * espl__shape_size(espl__node_shape(plan, 0));
    const buffer *b = &plan->buffers[index];
    return at(plan, b->offset + b->stride * (size_t)(b->local ? worker : shard));
}

static ESPL__WIDE_BODY void add_body(float *to, const float *from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += from[i];
}
ESPL__WIDE(add, add_body, (float *to, const float *from, int64_t count), (to, from, count))

/* ---- one task ---- */

/* The same in bf16. */
static void feed_bf16(const espl__plan *plan, const float *from, int64_t valid, uint16_t *to)
{
    const espl__shape shape = espl__node_shape(plan, 0);
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape), block = plan->block[0];

    if (block == 1 || pixels == 1)
        espl__bf16_from_floats(to, from, valid * size);
    for (int64_t n = 0; n < valid && block != 1 && pixels != 1; n++)
        for (int64_t c = 0; c < shape.dim[0]; c++)
            for (int64_t p = 0; p < pixels; p++)
                to[n * size + espl__place(c, p, pixels, block)] = espl__bf16_of(from[n * size + c * pixels + p]);
    memset(to + valid * size, 0, (size_t)((plan->samples - valid) * size) * sizeof *to);
}

/* Brings the samples of a shard from the caller's planes into the input's layout; filler is zero. */
static void feed(const espl__plan *plan, int shard, int worker)
{
    const espl__shape shape = espl__node_shape(plan, 0);
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape);
    const int64_t channels = shape.dim[0], block = plan->block[0];
    const int valid = plan->valid[shard];
    float *to = piece_of(plan, plan->value[0], shard, worker);
    const float *from = plan->feed->values + (int64_t)shard * plan->samples * size;

    if (plan->bf16[0]) {
        feed_bf16(plan, from, valid, (uint16_t *)(void *)to);
        return;
    }
    if (block == 1 || pixels == 1) {
        memcpy(to, from, (size_t)(valid * size) * sizeof *to);
    } else {
        for (int64_t n = 0; n < valid; n++)
            for (int64_t c = 0; c < channels; c++)
                for (int64_t p = 0; p < pixels; p++)
                    to[n * size + espl__place(c, p, pixels, block)] = from[n * size + c * pixels + p];
    }
    memset(to + valid * size, 0, (size_t)((plan->samples - valid) * size) * sizeof *to);
}

static espl__targets targets_of(const espl__plan *plan, int shard)
{
    const espl__feed *f = plan->feed;
    const int64_t first = (int64_t)shard * plan->samples;
    const int64_t classes = espl__shape_size(espl__node_shape(plan, plan->answer));

    return (espl__targets){
        .labels = f->labels ? f->labels + first : NULL,
        .soft = f->soft ? f->soft + first * classes : NULL,
        .weight = f->weight ? f->weight + first : NULL,
        .total_weight = plan->total_weight,
        .index = (f->index ? f->index : plan->counted) + first,
        .epoch = f->epoch,
        .step = f->step,
        .seed = espl__seed(plan->ctx),
    };
}

/* Everything a kernel may look at; pointers of one call live on the worker's stack. */
typedef struct arguments {
    espl__call call;
    espl__targets targets;
    const float *inputs[ESPL__INPUTS_MAX];
    float *grad_inputs[ESPL__INPUTS_MAX];
    float *parameters[ESPL__NODE_PARAMETERS];
    float *grad_parameters[ESPL__NODE_PARAMETERS];
} arguments;

static float *lane_of(const espl__plan *plan, int parameter, int lane)
{
    const gradient *g = &plan->gradients[parameter];
    const size_t stride = (g->lane_bytes + 63) / 64 * 64;

    return g->wanted ? at(plan, g->lane_offset + stride * (size_t)lane) : NULL;
}

static void fill_common(const espl__plan *plan, const binding *b, arguments *a)
{
    const espl__node *node = b->at.node;

    a->call = (espl__call){
        .node = node,
        .at = &b->at,
        .state = b->state,
        .samples = plan->samples,
        .inputs = a->inputs,
        .grad_inputs = a->grad_inputs,
        .parameters = a->parameters,
        .grad_parameters = a->grad_parameters,
        .packed = espl__packed_base(plan) + b->packed,
        .shared = at(plan, b->shared),
        .forward_shared = b->forward >= 0 ? at(plan, plan->bindings[b->forward].shared) : NULL,
        .stream = plan->streams[node - plan->graph->nodes],
    };
    for (int k = 0; k < node->parameter_count; k++)
        a->parameters[k] = plan->parameters[node->parameters[k]];
}

static void fill_call(const espl__plan *plan, const task *t, int shard, int worker, arguments *a)
{
    const binding *b = &plan->bindings[t->binding];
    const espl__node *node = b->at.node;
    const int index = (int)(node - plan->graph->nodes);
    const bool backward = b->at.role != ESPL__FORWARD, back = backward || t->kind == TASK_AGAIN;

    fill_common(plan, b, a);
    a->targets = targets_of(plan, shard);
    a->call.targets = &a->targets;
    a->call.worker = worker;
    a->call.valid = plan->valid[shard];
    a->call.add = shard >= plan->lanes;
    a->call.workspace = at(plan, plan->workspace_offset + plan->workspace_bytes * (size_t)worker);
    a->call.sums = at(plan, b->sums + (b->needs.sums + 63) / 64 * 64 * (size_t)shard);
    a->call.saved = piece_of(plan, plan->saved[index], shard, worker);
    a->call.output = piece_of(plan, back ? espl__value_on_way_back(plan, index) : plan->value[index], shard,
                              worker);
    a->call.grad_output = backward ? piece_of(plan, plan->grad[index], shard, worker) : NULL;
    for (int k = 0; k < node->input_count; k++) {
        const bool hidden = backward && (node->op->passes >> k & 1u);
        const int input = node->inputs[k];
        const int from = backward ? espl__value_on_way_back(plan, input) : plan->value[input];
        a->inputs[k] = hidden ? NULL : piece_of(plan, from, shard, worker);
        a->grad_inputs[k] = piece_of(plan, t->grad_inputs[k], shard, worker);
    }
    for (int k = 0; k < node->parameter_count; k++)
        a->grad_parameters[k] = backward && b->grads_parameters
                                    ? lane_of(plan, node->parameters[k], shard % plan->lanes)
                                    : NULL;
}

static void run_task(const espl__plan *plan, const task *t, int shard, int worker)
{
    arguments a;

    if (t->kind == TASK_FEED) {
        if (!plan->direct)
            feed(plan, shard, worker);
    } else if (t->kind == TASK_COPY) {
        memcpy(piece_of(plan, t->to, shard, worker), piece_of(plan, t->from, shard, worker),
               plan->buffers[t->to].bytes);
    } else if (t->kind == TASK_ADD && plan->buffers[t->to].bf16) {
        espl__bf16_add((uint16_t *)(void *)piece_of(plan, t->to, shard, worker),
                       (const uint16_t *)(const void *)piece_of(plan, t->from, shard, worker),
                       (int64_t)(plan->buffers[t->to].bytes / sizeof(uint16_t)));
    } else if (t->kind == TASK_ADD) {
        add(piece_of(plan, t->to, shard, worker), piece_of(plan, t->from, shard, worker),
            (int64_t)(plan->buffers[t->to].bytes / sizeof(float)));
    } else {
        fill_call(plan, t, shard, worker, &a);
        if (plan->bindings[t->binding].converts) {
            espl__edge_call(plan, &plan->bindings[t->binding], t->kind == TASK_SUMS, &a.call);
            return;
        }
        (t->kind == TASK_SUMS ? plan->bindings[t->binding].kernel->sums
                              : plan->bindings[t->binding].kernel->run)(&a.call);
    }
}

/* ---- between the stages ---- */

static void run_merge(const espl__plan *plan, const merge *m)
{
    const binding *b = &plan->bindings[m->binding];
    const espl__node *node = b->at.node;
    arguments a;

    fill_common(plan, b, &a);
    for (int k = 0; k < node->parameter_count; k++)
        a.grad_parameters[k] = b->grads_parameters ? lane_of(plan, node->parameters[k], 0) : NULL;
    b->kernel->merge(&(espl__merge_call){
        .node = node,
        .at = &b->at,
        .state = b->state,
        .shards = plan->used_shards,
        .valid = plan->valid,
        .sums = b->sum_pointers,
        .shared = a.call.shared,
        .forward_shared = a.call.forward_shared,
        .parameters = a.parameters,
        .grad_parameters = a.grad_parameters,
        .part = m->part,
        .inputs = m->inputs,
        .grad_outputs = m->grad_outputs,
    });
}

/* The shard goes to the worker that owns its lane, so that a lane is summed in the order of shards. */
static bool is_mine(const espl__plan *plan, int shard, int worker, int workers)
{
    return shard % plan->lanes % workers == worker;
}

static void run_stage(espl__plan *plan, int begin, int end, int worker, int workers)
{
    for (int shard = 0; shard < plan->used_shards; shard++) {
        if (!is_mine(plan, shard, worker, workers))
            continue;
        for (int i = begin; i < end; i++) {
            const double start = plan->timing ? espl__now() : 0;
            run_task(plan, &plan->tasks[i], shard, worker);
            if (plan->timing)
                *espl__timed(plan, worker, i) += espl__now() - start;
        }
    }
}

static void run_stages(espl__plan *plan, int worker, int workers)
{
    int begin = 0, next = 0;

    for (int stage = 0; stage < plan->stages; stage++) {
        int end = begin, count = 0;
        while (end < plan->task_count && plan->tasks[end].stage == stage)
            end++;
        for (; next < plan->merge_count && plan->merges[next].stage == stage; next++)
            if (count++ % workers == worker) {
                const double start = plan->timing ? espl__now() : 0;
                run_merge(plan, &plan->merges[next]);
                if (plan->timing) /* parts of one merge are timed as one */
                    *espl__timed(plan, worker, plan->task_count + next - plan->merges[next].part) += espl__now() - start;
            }
        if (count)
            espl__meet();
        run_stage(plan, begin, end, worker, workers);
        espl__meet();
        begin = end;
    }
}

static void run_packs(espl__plan *plan, int worker, int workers)
{
    arguments a;

    for (int i = 0; i < plan->binding_count; i++) {
        const binding *b = &plan->bindings[i];
        if (!b->kernel->pack || i % workers != worker || (plan->packed && b->fixed))
            continue;
        fill_common(plan, b, &a);
        a.call.worker = worker;
        a.call.workspace = at(plan, plan->workspace_offset + plan->workspace_bytes * (size_t)worker);
        b->kernel->pack(&a.call);
    }
    espl__meet();
}

static void pack(void *argument, int worker, int workers)
{
    run_packs(argument, worker, workers);
}

void espl__pack(espl__plan *plan)
{
    if (plan->alone)
        pack(plan, 0, 1);
    else
        espl__workers_run(plan->ctx, pack, plan);
    plan->packed = true;
}

/* ---- gradients ---- */

/* Sums the lanes of one chunk pairwise into lane 0: (0+1)+(2+3), whoever made them. */
static void sum_lanes(const espl__plan *plan, int parameter, int64_t first, int64_t count)
{
    for (int step = 1; step < plan->used_lanes; step *= 2)
        for (int i = 0; i + step < plan->used_lanes; i += 2 * step)
            add(lane_of(plan, parameter, i) + first, lane_of(plan, parameter, i + step) + first, count);
}

static void sum_gradients(const espl__plan *plan, int worker, int workers)
{
    int64_t chunk = 0;

    for (int p = 0; p < plan->parameter_count; p++) {
        const gradient *g = &plan->gradients[p];
        if (!g->wanted || !g->lanes)
            continue;
        const int64_t count = (int64_t)(g->lane_bytes / sizeof(float));
        for (int64_t first = 0; first < count; first += CHUNK, chunk++)
            if (chunk % workers == worker)
                sum_lanes(plan, p, first, count - first < CHUNK ? count - first : CHUNK);
    }
    espl__meet();
}

static void unpack_gradients(const espl__plan *plan, int worker, int workers)
{
    int number = 0;

    for (int p = 0; p < plan->parameter_count; p++) {
        const gradient *g = &plan->gradients[p];
        if (!g->wanted || g->offset == g->lane_offset || number++ % workers != worker)
            continue;
        const binding *b = &plan->bindings[g->binding];
        b->kernel->unpack(&b->at, b->state, g->slot, lane_of(plan, p, 0), at(plan, g->offset));
    }
}

/* ---- the whole ---- */

static void work(void *argument, int worker, int workers)
{
    espl__plan *plan = argument;

    if (!plan->packed || plan->feed->parameters_changed)
        run_packs(plan, worker, workers);
    run_stages(plan, worker, workers);
    if (plan->learns) {
        sum_gradients(plan, worker, workers);
        unpack_gradients(plan, worker, workers);
    }
}

/* The caller's samples serve as they are where they lie as the net wants them and fill every shard: then nothing is
 * copied. */
static void find_direct(espl__plan *plan, const espl__feed *feed)
{
    const bool plain = !plan->bf16[0] && (plan->block[0] == 1 || espl__shape_pixels(espl__node_shape(plan, 0)) == 1);

    plan->direct = plain && feed->count % plan->samples == 0 && (uintptr_t)feed->values % 64 == 0;
    for (int i = 0; i < plan->merge_count; i++) {
        const merge *m = &plan->merges[i];
        const binding *b = &plan->bindings[m->binding];
        for (int k = 0; m->inputs && b->at.node->inputs[0] == 0 && k < plan->shards; k++)
            m->inputs[k] = piece_of(plan, plan->value[0], k, 0);
    }
}

void espl__plan_run(espl__plan *plan, const espl__feed *feed)
{
    int64_t left = feed->count;

    plan->feed = feed;
    plan->used_shards = 0;
    find_direct(plan, feed);
    for (int i = 0; i < plan->shards; i++) {
        plan->valid[i] = (int)(left < plan->samples ? left : plan->samples);
        left -= plan->valid[i];
        if (plan->valid[i])
            plan->used_shards = i + 1;
    }
    plan->used_lanes = plan->used_shards < plan->lanes ? plan->used_shards : plan->lanes;
    plan->total_weight = 0;
    for (int64_t i = 0; i < feed->count; i++)
        plan->total_weight += feed->weight ? (double)feed->weight[i] : 1.0;
    if (plan->alone)
        work(plan, 0, 1);
    else
        espl__workers_run(plan->ctx, work, plan);
    plan->packed = true;
}
