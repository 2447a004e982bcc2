/* Cuts the work into stages. A stage ends only where a kernel needs sums over the whole batch; all the
 * rest of a shard's way is done in one go by one worker. Forward tasks begin as early as their inputs
 * allow where they feed such sums, and as late as their consumers allow otherwise, so that values are
 * made and used while they are in cache. Then follows the way back, as early as it can. */
#include "execute/plan_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    espl__plan *plan;
    int *ready;      /* stage from which a node's value may be read */
    int *first;      /* stage of a node's first forward task */
    int *run;        /* index of a node's forward RUN task */
    int *grad_ready; /* stage from which a node's gradient is complete */
} walk;

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static espl_status grow(espl_context *ctx, int count, int *capacity, size_t size, void *array)
{
    if (count < *capacity)
        return ESPL_OK;
    const int wider = *capacity ? 2 * *capacity : 128;
    const espl_status s = espl__resize(ctx, (size_t)count, (size_t)wider, size, array);
    if (!s)
        *capacity = wider;
    return s;
}

static espl_status add_task(espl__plan *plan, task_kind kind, int bound, int stage, task **result)
{
    const espl_status s = grow(plan->ctx, plan->task_count, &plan->task_capacity, sizeof *plan->tasks,
                               &plan->tasks);
    if (s)
        return s;
    task *t = &plan->tasks[plan->task_count];
    *t = (task){ .kind = kind, .binding = bound, .stage = stage, .order = plan->task_count, .from = -1, .to = -1 };
    for (int i = 0; i < ESPL__INPUTS_MAX; i++)
        t->grad_inputs[i] = -1;
    plan->task_count++;
    if (stage >= plan->stages)
        plan->stages = stage + 1;
    if (result)
        *result = t;
    return ESPL_OK;
}

static espl_status add_merge(espl__plan *plan, int bound, int stage, int part)
{
    const espl_status s = grow(plan->ctx, plan->merge_count, &plan->merge_capacity, sizeof *plan->merges,
                               &plan->merges);
    if (!s)
        plan->merges[plan->merge_count++] = (merge){ .binding = bound, .stage = stage, .part = part };
    if (stage >= plan->stages)
        plan->stages = stage + 1;
    return s;
}

static espl_status add_buffer(espl__plan *plan, size_t bytes, bool bf16, int *index)
{
    const espl_status s = grow(plan->ctx, plan->buffer_count, &plan->buffer_capacity,
                               sizeof *plan->buffers, &plan->buffers);
    if (s)
        return s;
    *index = plan->buffer_count++;
    plan->buffers[*index] = (buffer){ .bytes = bytes, .bf16 = bf16 };
    return ESPL_OK;
}

/* For the value of a node, or for its gradient. */
static espl_status add_value(espl__plan *plan, int node, int *index)
{
    return add_buffer(plan, espl__shard_bytes(plan, node), plan->bf16[node], index);
}

/* Values that are parts of another lie in its buffer. */
static espl_status add_node_value(espl__plan *plan, int node)
{
    const int whole = plan->within[node] >= 0 ? plan->within[node] : node;
    const espl_status s = plan->value[whole] < 0 ? add_value(plan, whole, &plan->value[whole]) : ESPL_OK;

    plan->value[node] = plan->value[whole];
    return s;
}

/* ---- forward ---- */

static espl_status add_forward(walk *w, int index)
{
    espl__plan *plan = w->plan;
    const espl__node *node = &plan->graph->nodes[index];
    const int b = plan->forward[index];
    const bool sums = plan->bindings[b].kernel->sums != NULL;
    int stage = w->ready[node->inputs[0]];
    espl_status s;

    w->first[index] = stage;
    if (sums) { /* they read the first input alone */
        if ((s = add_task(plan, TASK_SUMS, b, stage, NULL)) || (s = add_merge(plan, b, stage + 1, 0)))
            return s;
        stage++;
    }
    for (int i = 1; i < node->input_count; i++)
        stage = larger(stage, w->ready[node->inputs[i]]);
    if (!sums)
        w->first[index] = stage;
    w->run[index] = plan->task_count;
    w->ready[index] = stage;
    if ((s = add_task(plan, TASK_RUN, b, stage, NULL)) ||
        (s = add_node_value(plan, index)))
        return s;
    if (plan->bindings[b].needs.saved)
        s = add_buffer(plan, plan->bindings[b].needs.saved, false, &plan->saved[index]);
    return s;
}

/* When does somebody first read this node? The stage of the node itself if nobody does. */
static int first_reading(const walk *w, int index)
{
    const espl__graph *graph = w->plan->graph;
    int stage = -1;

    for (int i = index + 1; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++)
            if (graph->nodes[i].inputs[k] == index) {
                /* a residual is read by the run, not by the sums */
                const int reads = k == 0 ? w->first[i] : w->ready[i];
                if (stage < 0 || reads < stage)
                    stage = reads;
            }
    return stage < 0 ? w->ready[index] : stage;
}

static void run_as_late_as_possible(walk *w)
{
    for (int i = w->plan->graph->node_count - 1; i > 0; i--) {
        const int stage = first_reading(w, i);
        if (!w->plan->bindings[w->plan->forward[i]].kernel->sums)
            w->first[i] = larger(w->first[i], stage);
        w->ready[i] = stage;
        w->plan->tasks[w->run[i]].stage = stage;
    }
}

/* ---- backward ---- */

/* A gradient of `node` lies in buffer `from` at `stage`: it becomes the node's, or is added to it. */
static espl_status contribute(walk *w, int node, int from, int stage)
{
    espl__plan *plan = w->plan;
    task *t;

    w->grad_ready[node] = larger(stage, w->grad_ready[node]);
    if (plan->grad[node] < 0) {
        plan->grad[node] = from;
        return ESPL_OK;
    }
    const espl_status s = add_task(plan, TASK_ADD, -1, w->grad_ready[node], &t);
    if (!s) {
        t->from = from;
        t->to = plan->grad[node];
    }
    return s;
}

static espl_status contribute_copy(walk *w, int node, int from, int stage)
{
    int to;
    task *t;
    espl_status s;

    if ((s = add_buffer(w->plan, w->plan->buffers[from].bytes, w->plan->buffers[from].bf16, &to)) ||
        (s = add_task(w->plan, TASK_COPY, -1, stage, &t)))
        return s;
    t->from = from;
    t->to = to;
    return contribute(w, node, to, stage);
}

/* The inputs whose gradient is the node's own. One of them may be lent the memory, if all others have
 * taken what they need by then. */
static espl_status pass_on(walk *w, int index, int stage)
{
    espl__plan *plan = w->plan;
    const espl__node *node = &plan->graph->nodes[index];
    const int from = plan->grad[index];
    int borrower = -1;
    bool late = false;
    espl_status s = ESPL_OK;

    for (int k = 0; !s && k < node->input_count; k++) {
        const int input = node->inputs[k];
        if (!(node->op->passes >> k & 1u) || !plan->needs_gradient[input])
            continue;
        if (plan->grad[input] >= 0) {
            late = late || w->grad_ready[input] > stage;
            s = contribute(w, input, from, stage);
        } else if (borrower < 0) {
            borrower = input;
        } else if (input == borrower) {
            late = true;
            s = contribute_copy(w, input, from, stage);
        } else {
            s = contribute_copy(w, input, from, stage);
        }
    }
    if (s || borrower < 0)
        return s;
    return late ? contribute_copy(w, borrower, from, stage) : contribute(w, borrower, from, stage);
}

/* A kernel that takes the whole batch at once, when all shards of this stage are done. */
static espl_status add_parts(espl__plan *plan, int b, int stage)
{
    espl_status s = ESPL_OK;

    for (int part = 0; !s && part < plan->bindings[b].needs.parts; part++)
        s = add_merge(plan, b, stage + 1, part);
    return s;
}

/* Is this value better computed again than kept? Not if it adds a residual, which would have to be kept
 * in its place, or if the caller wants it. */
static bool worth_repeating(const espl__plan *plan, int index)
{
    const espl__node *node = &plan->graph->nodes[index];

    return index > 0 && node->op->flags & ESPL__IS_CHEAP && node->input_count == 1 &&
           index != plan->answer && plan->forward[index] >= 0;
}

/* Called for every value that a backward task of this stage reads. */
static espl_status repeat(espl__plan *plan, int index, int stage)
{
    espl_status s;

    if (!worth_repeating(plan, index) || plan->again[index] >= 0)
        return ESPL_OK;
    if ((s = add_task(plan, TASK_AGAIN, plan->forward[index], stage, NULL)))
        return s;
    return add_value(plan, index, &plan->again[index]);
}

/* What the backward tasks of a node read: its own value, and those of its inputs. */
static espl_status repeat_for(espl__plan *plan, int index, int b, int stage)
{
    const espl__node *node = &plan->graph->nodes[index];
    espl_status s = ESPL_OK;

    if (node->op->reads & ESPL__READS_OUTPUT)
        s = repeat(plan, index, stage);
    for (int k = 0; !s && espl__backward_reads_inputs(&plan->bindings[b]) && k < node->input_count; k++)
        if (!(node->op->passes >> k & 1u))
            s = repeat(plan, node->inputs[k], stage);
    return s;
}

/* The gradient of an input that is part of another value: the concatenation's own is it, all others add to that.
 * Returns the buffer that the kernel is given. */
static int gather_in_place(walk *w, int index, int input, int stage)
{
    espl__plan *plan = w->plan;
    const bool begins = plan->grad[input] < 0;

    if (begins)
        plan->grad[input] = plan->grad[index];
    w->grad_ready[input] = larger(stage, w->grad_ready[input]);
    return begins ? -1 : plan->grad[input];
}

static espl_status run_backward(walk *w, int index, int b, int stage)
{
    espl__plan *plan = w->plan;
    const espl__node *node = &plan->graph->nodes[index];
    const int at = plan->task_count;
    espl_status s = add_task(plan, TASK_RUN, b, stage, NULL);

    if (!plan->bindings[b].grads_inputs)
        return s;
    for (int k = 0; !s && k < node->input_count; k++) {
        const int input = node->inputs[k];
        int to;
        if ((node->op->passes >> k & 1u) || !plan->needs_gradient[input])
            continue;
        if (plan->within[input] >= 0) {
            plan->tasks[at].grad_inputs[k] = gather_in_place(w, index, input, stage);
            continue;
        }
        if ((s = add_value(plan, input, &to)))
            return s;
        plan->tasks[at].grad_inputs[k] = to;
        s = contribute(w, input, to, stage);
    }
    return s;
}

static espl_status add_backward(walk *w, int index)
{
    espl__plan *plan = w->plan;
    int stage = index == plan->loss ? w->ready[index] : w->grad_ready[index];
    espl_status s = ESPL_OK;

    for (int i = 0; !s && i < 2; i++) {
        const int b = plan->backward[i][index];
        if (b < 0)
            continue;
        if ((s = repeat_for(plan, index, b, stage)))
            return s;
        if (plan->bindings[b].kernel->sums) {
            if ((s = add_task(plan, TASK_SUMS, b, stage, NULL)) ||
                (s = add_merge(plan, b, stage + 1, 0)))
                return s;
            stage++;
        }
        s = plan->bindings[b].kernel->run ? run_backward(w, index, b, stage)
                                          : add_parts(plan, b, stage);
    }
    if (!s && index != plan->loss)
        s = pass_on(w, index, stage);
    return s;
}

/* ---- lives of buffers ---- */

static int by_stage(const void *a, const void *b)
{
    const task *x = a, *y = b;

    return x->stage != y->stage ? x->stage - y->stage : x->order - y->order;
}

static int by_merge_stage(const void *a, const void *b)
{
    const merge *x = a, *y = b;

    if (x->stage != y->stage)
        return x->stage - y->stage;
    return x->binding != y->binding ? x->binding - y->binding : x->part - y->part;
}

static void touch(espl__plan *plan, int index, int task_index)
{
    if (index < 0)
        return;
    buffer *b = &plan->buffers[index];
    const int stage = plan->tasks[task_index].stage;
    if (!b->used) {
        b->used = true;
        b->first_stage = b->last_stage = stage;
        b->first_task = b->last_task = task_index;
    }
    b->last_stage = stage; /* tasks come in order */
    b->last_task = task_index;
}

static void touch_forward(espl__plan *plan, const task *t, int i)
{
    const espl__node *node = plan->bindings[t->binding].at.node;
    const int index = (int)(node - plan->graph->nodes);
    const int read = t->kind == TASK_SUMS ? 1 : node->input_count;

    for (int k = 0; k < read; k++)
        touch(plan, plan->value[node->inputs[k]], i);
    if (t->kind == TASK_SUMS)
        return;
    touch(plan, t->kind == TASK_AGAIN ? plan->again[index] : plan->value[index], i);
    touch(plan, plan->saved[index], i);
}

static void touch_backward(espl__plan *plan, const task *t, int i)
{
    const espl__node *node = plan->bindings[t->binding].at.node;
    const int index = (int)(node - plan->graph->nodes);
    const binding *b = &plan->bindings[t->binding];
    const bool after_sums = t->kind == TASK_RUN && b->kernel->sums;

    if (node->op->reads & ESPL__READS_OUTPUT && !after_sums)
        touch(plan, espl__value_on_way_back(plan, index), i);
    for (int k = 0; k < node->input_count; k++) {
        if (espl__backward_reads_inputs(b) && !(node->op->passes >> k & 1u))
            touch(plan, espl__value_on_way_back(plan, node->inputs[k]), i);
        touch(plan, t->grad_inputs[k], i);
    }
    touch(plan, plan->grad[index], i);
    touch(plan, plan->saved[index], i);
}

static void outlive(espl__plan *plan, int index, int stage)
{
    buffer *b = &plan->buffers[index];

    if (b->last_stage < stage)
        b->last_stage = stage;
}

/* What a kernel of several parts reads must still be there when all shards are done. */
static void keep_for_parts(espl__plan *plan)
{
    for (int i = 0; i < plan->merge_count; i++) {
        const binding *b = &plan->bindings[plan->merges[i].binding];
        if (!b->needs.parts)
            continue;
        outlive(plan, espl__value_on_way_back(plan, b->at.node->inputs[0]), plan->merges[i].stage);
        outlive(plan, plan->grad[b->at.node - plan->graph->nodes], plan->merges[i].stage);
    }
}

static void find_lives(espl__plan *plan)
{
    for (int i = 0; i < plan->task_count; i++) {
        const task *t = &plan->tasks[i];
        if (t->kind == TASK_FEED) {
            touch(plan, plan->value[0], i);
        } else if (t->kind == TASK_COPY || t->kind == TASK_ADD) {
            touch(plan, t->from, i);
            touch(plan, t->to, i);
        } else if (plan->bindings[t->binding].at.role == ESPL__FORWARD) {
            touch_forward(plan, t, i);
        } else {
            touch_backward(plan, t, i);
        }
    }
    /* what is read when the run is over */
    const int kept[] = { plan->answer, plan->loss };
    for (int i = 0; i < 2; i++)
        if (kept[i] >= 0)
            plan->buffers[plan->value[kept[i]]].last_stage = plan->stages;
    keep_for_parts(plan);
    for (int i = 0; i < plan->buffer_count; i++)
        plan->buffers[i].local = plan->buffers[i].first_stage == plan->buffers[i].last_stage;
}

static espl_status open_walk(walk *w)
{
    espl__plan *plan = w->plan;
    const size_t nodes = (size_t)plan->graph->node_count;
    espl_status s;

    if ((s = espl__allocate(plan->ctx, nodes, sizeof(int), &w->ready)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &w->first)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &w->run)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &w->grad_ready)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &plan->value)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &plan->saved)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &plan->grad)) ||
        (s = espl__allocate(plan->ctx, nodes, sizeof(int), &plan->again)))
        return s;
    for (size_t i = 0; i < nodes; i++)
        plan->value[i] = plan->saved[i] = plan->grad[i] = plan->again[i] = -1;
    return ESPL_OK;
}

static espl_status walk_graph(walk *w)
{
    espl__plan *plan = w->plan;
    espl_status s;

    if ((s = add_task(plan, TASK_FEED, -1, 0, NULL)) ||
        (s = add_value(plan, 0, &plan->value[0])))
        return s;
    for (int i = 1; i < plan->graph->node_count; i++)
        if ((s = add_forward(w, i)))
            return s;
    run_as_late_as_possible(w);
    if (!plan->learns)
        return ESPL_OK;
    for (int i = plan->loss; i > 0; i--)
        if (plan->needs_gradient[i] && (i == plan->loss || plan->grad[i] >= 0) &&
            (s = add_backward(w, i)))
            return s;
    return ESPL_OK;
}

espl_status espl__schedule(espl__plan *plan)
{
    walk w = { .plan = plan };
    espl_status s = open_walk(&w);

    if (!s)
        s = walk_graph(&w);
    espl__release(plan->ctx, w.ready);
    espl__release(plan->ctx, w.first);
    espl__release(plan->ctx, w.run);
    espl__release(plan->ctx, w.grad_ready);
    if (s)
        return s;
    qsort(plan->tasks, (size_t)plan->task_count, sizeof *plan->tasks, by_stage);
    if (plan->merge_count)
        qsort(plan->merges, (size_t)plan->merge_count, sizeof *plan->merges, by_merge_stage);
    find_lives(plan);
    return ESPL_OK;
}
