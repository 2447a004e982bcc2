/* What a checkpoint holds, as one list for writing and reading. */
#ifndef ESPL_CHECKPOINT_H
#define ESPL_CHECKPOINT_H

#include "formats/safetensors.h"
#include "train/train.h"

/* One tensor and where its values live. */
typedef struct espl__item {
    char *name;
    espl__dtype dtype;
    int64_t count;
    void *values;
} espl__item;

typedef struct espl__items {
    espl_context *ctx;
    espl__item *all;
    int count, capacity;
} espl__items;

/* Parameters, statistics, the optimizer's and the techniques' tensors, kept fields, progress. */
espl_status espl__items_list(espl_run *run, espl__items *items);
void espl__items_free(espl__items *items);

/* "kept/" in front of tensors that techniques keep by name; they are in the file but not in the list
 * of a run that begins. */
#define ESPL__KEPT_PREFIX "kept/"

/* Which parameters are frozen, one byte for each. */
#define ESPL__FROZEN_ITEM "run/frozen"

/* Compares two recipes as texts; fails naming the first key that differs. `path` is the checkpoint. */
espl_status espl__recipe_compare(espl_context *ctx, const char *path, const char *there, const char *here);

#endif
