/* Lays everything a plan touches into one arena: what lasts for the whole plan first, then the buffers
 * that live over several stages (largest first, wherever no living buffer is in the way), then for
 * each worker the buffers that live within one stage. */
#include "execute/plan_parts.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT ((size_t)64)
/* Pieces of a power of two apart would fight for the same sets of the first cache. */
#define SKEW ((size_t)64 * 5)

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t take(size_t *end, size_t bytes)
{
    const size_t offset = *end;

    *end += aligned(bytes);
    return offset;
}

/* ---- gradients ---- */

/* The binding that makes the gradient of this node's parameters, or -1. */
static int maker(const espl__plan *plan, int node)
{
    for (int i = 0; i < 2; i++) {
        const int b = plan->backward[i][node];
        if (b >= 0 && plan->bindings[b].grads_parameters)
            return b;
    }
    return -1;
}

static void find_gradients(espl__plan *plan)
{
    for (int i = 1; i < plan->graph->node_count; i++) {
        const espl__node *node = &plan->graph->nodes[i];
        const int b = maker(plan, i);
        if (b < 0)
            continue;
        for (int k = 0; k < node->parameter_count; k++) {
            const int p = node->parameters[k];
            gradient *g = &plan->gradients[p];
            if (plan->net->parameters[p].frozen || plan->graph->parameters[p].spec.kind == ESPL_BUFFER)
                continue;
            g->wanted = true;
            g->lanes = plan->bindings[b].kernel->merge == NULL;
            g->binding = b;
            g->slot = k;
            g->lane_bytes = plan->bindings[b].needs.gradient[k]
                                ? plan->bindings[b].needs.gradient[k]
                                : (size_t)plan->net->parameters[p].count * sizeof(float);
        }
    }
}

/* More lanes let more workers go their own way; fewer save memory. The number follows from the sizes
 * alone, so that sums come out the same on every machine. */
static int choose_lanes(const espl__plan *plan)
{
    size_t bytes = 0;

    for (int p = 0; p < plan->parameter_count; p++)
        if (plan->gradients[p].wanted && plan->gradients[p].lanes)
            bytes += plan->gradients[p].lane_bytes;
    const int most = bytes <= (size_t)4 << 20 ? 16 : bytes <= (size_t)64 << 20 ? 8
                                                                               : 4;
    return plan->shards < most ? plan->shards : most;
}

static void place_gradients(espl__plan *plan, size_t *end)
{
    for (int p = 0; p < plan->parameter_count; p++) {
        gradient *g = &plan->gradients[p];
        if (!g->wanted)
            continue;
        const size_t lanes = g->lanes ? (size_t)plan->lanes : 1;
        g->lane_offset = take(end, aligned(g->lane_bytes) * lanes);
        g->offset = plan->bindings[g->binding].needs.gradient[g->slot]
                        ? take(end, (size_t)plan->net->parameters[p].count * sizeof(float))
                        : g->lane_offset;
    }
}

/* ---- what lasts ---- */

static void place_bindings(espl__plan *plan, size_t *end)
{
    size_t workspace = 0;

    for (int i = 0; i < plan->binding_count; i++) {
        binding *b = &plan->bindings[i];
        b->packed = take(&plan->packed_bytes, b->needs.packed);
        b->shared = take(end, b->needs.shared);
        b->sums = take(end, aligned(b->needs.sums) * (size_t)plan->shards);
        if (b->needs.workspace > workspace)
            workspace = b->needs.workspace;
    }
    plan->workspace_bytes = aligned(workspace) + SKEW;
    plan->workspace_offset = take(end, plan->workspace_bytes * (size_t)plan->workers);
}

/* ---- buffers over stages ---- */

typedef struct piece {
    buffer *buffer;
    size_t bytes, offset;
    int first, last;
} piece;

static int largest_first(const void *a, const void *b)
{
    const piece *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->buffer < y->buffer ? -1 : x->buffer > y->buffer;
}

static bool live_together(const piece *a, const piece *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at which `pieces[index]` meets none of the placed pieces before it. */
static size_t lowest(const piece *pieces, int index)
{
    size_t offset = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (int i = 0; i < index; i++) {
            const piece *other = &pieces[i];
            if (live_together(other, &pieces[index]) && offset < other->offset + other->bytes &&
                other->offset < offset + pieces[index].bytes) {
                offset = other->offset + other->bytes;
                moved = true;
            }
        }
    }
    return offset;
}

/* Places the pieces and returns the bytes that hold all of them. */
static size_t pack(piece *pieces, int count)
{
    size_t end = 0;

    qsort(pieces, (size_t)count, sizeof *pieces, largest_first);
    for (int i = 0; i < count; i++) {
        pieces[i].offset = lowest(pieces, i);
        if (pieces[i].offset + pieces[i].bytes > end)
            end = pieces[i].offset + pieces[i].bytes;
    }
    return end;
}

static size_t place_whole(espl__plan *plan, piece *pieces, size_t base)
{
    int count = 0;

    for (int i = 0; i < plan->buffer_count; i++) {
        buffer *b = &plan->buffers[i];
        if (!b->used || b->local)
            continue;
        b->stride = aligned(b->bytes);
        pieces[count++] = (piece){ .buffer = b,
                                   .bytes = b->stride * (size_t)plan->shards + SKEW,
                                   .first = b->first_stage,
                                   .last = b->last_stage };
    }
    const size_t bytes = pack(pieces, count);
    for (int i = 0; i < count; i++)
        pieces[i].buffer->offset = base + pieces[i].offset;
    return bytes;
}

/* Every stage begins anew with the same memory. */
static size_t place_local(espl__plan *plan, piece *pieces, int stage)
{
    int count = 0;

    for (int i = 0; i < plan->buffer_count; i++) {
        buffer *b = &plan->buffers[i];
        if (b->used && b->local && b->first_stage == stage)
            pieces[count++] = (piece){ .buffer = b,
                                       .bytes = aligned(b->bytes) + SKEW,
                                       .first = b->first_task,
                                       .last = b->last_task };
    }
    const size_t bytes = pack(pieces, count);
    for (int i = 0; i < count; i++)
        pieces[i].buffer->offset = pieces[i].offset;
    return bytes;
}

espl_status espl__place_memory(espl__plan *plan)
{
    piece *pieces = NULL;
    size_t end = 0, local = 0;
    espl_status s;

    if ((s = espl__allocate(plan->ctx, (size_t)plan->parameter_count + 1, sizeof *plan->gradients,
                            &plan->gradients)) ||
        (s = espl__allocate(plan->ctx, (size_t)plan->buffer_count, sizeof *pieces, &pieces)))
        return s;
    if (plan->learns)
        find_gradients(plan);
    plan->lanes = choose_lanes(plan);
    place_bindings(plan, &end);
    if (!espl__find_packed(plan))
        plan->packed_offset = take(&end, plan->packed_bytes);
    place_gradients(plan, &end);
    end += place_whole(plan, pieces, end);
    for (int stage = 0; stage < plan->stages; stage++) {
        const size_t bytes = place_local(plan, pieces, stage);
        local = bytes > local ? bytes : local;
    }
    plan->local_offset = aligned(end);
    plan->local_bytes = aligned(local) + SKEW;
    for (int i = 0; i < plan->buffer_count; i++)
        if (plan->buffers[i].local) {
            plan->buffers[i].offset += plan->local_offset;
            plan->buffers[i].stride = plan->local_bytes;
        }
    plan->total_bytes = plan->local_offset + plan->local_bytes * (size_t)plan->workers;
    espl__release(plan->ctx, pieces);
    return ESPL_OK;
}
