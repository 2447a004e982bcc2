/* Saving and restoring a run's state in memory; see saved_state.h. The list of what belongs to it is the
 * checkpoint's own, so nothing can be in one and not in the other. */
#include "train/saved_state.h"

#include <string.h>

struct espl__saved_state {
    espl_run *run;
    espl__progress progress;
    espl__items items;
    char *copy; /* of the items' values, one after the other */
};

static size_t item_bytes(const espl__item *item)
{
    return (size_t)item->count * espl__dtype_size(item->dtype);
}

/* Calls for each item with its place in the copy. */
static void walk(espl__saved_state *state, void (*move)(void *values, void *copy, size_t bytes))
{
    size_t at = 0;

    for (int i = 0; i < state->items.count; i++) {
        const espl__item *item = &state->items.all[i];
        move(item->values, state->copy + at, item_bytes(item));
        at += item_bytes(item);
    }
}

static void to_copy(void *values, void *copy, size_t bytes)
{
    memcpy(copy, values, bytes);
}

static void from_copy(void *values, void *copy, size_t bytes)
{
    memcpy(values, copy, bytes);
}

static espl_status save(espl__saved_state *state)
{
    size_t bytes = 1;
    espl_status s = espl__items_list(state->run, &state->items);

    for (int i = 0; i < state->items.count && !s; i++)
        bytes += item_bytes(&state->items.all[i]);
    if (s || (s = espl__allocate(state->run->ctx, bytes, 1, &state->copy)))
        return s;
    state->progress = state->run->progress;
    walk(state, to_copy);
    return ESPL_OK;
}

espl_status espl__state_save(espl_run *run, espl__saved_state **result)
{
    espl__saved_state *state = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(run->ctx, 1, sizeof *state, &state)))
        return s;
    state->run = run;
    if ((s = save(state))) {
        espl__state_free(state);
        return s;
    }
    *result = state;
    return ESPL_OK;
}

void espl__state_restore(espl__saved_state *state)
{
    walk(state, from_copy);
    state->run->progress = state->progress;
}

void espl__state_free(espl__saved_state *state)
{
    if (!state)
        return;
    espl_context *ctx = state->run->ctx;
    espl__items_free(&state->items);
    espl__release(ctx, state->copy);
    espl__release(ctx, state);
}

uint64_t espl__state_hash(const espl__saved_state *state)
{
    uint64_t hash = 0;

    for (int i = 0; i < state->items.count; i++)
        hash = espl__hash(state->items.all[i].values, item_bytes(&state->items.all[i]), hash);
    return hash;
}
