/* Checkpoints: one safetensors file with everything a run needs to go on as if it had never stopped. It is
 * written beside the old one and then takes its place, so a kill at any moment leaves a whole one. */
#include "train/checkpoint.h"
#include "train/stages.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "espalier checkpoint 1"

static const char *const isa_names[] = { "plain", "avx2", "avx512" };

/* The texts that say which run the checkpoint belongs to. */
typedef struct identity {
    espl__text recipe, graph;
    char data[24];
} identity;

static void free_identity(espl_run *run, identity *id)
{
    espl__text_free(run->ctx, &id->recipe);
    espl__text_free(run->ctx, &id->graph);
}

static espl_status identify(espl_run *run, identity *id)
{
    espl_status s;

    *id = (identity){ 0 };
    snprintf(id->data, sizeof id->data, "%016llx", (unsigned long long)espl__data_hash(run->data));
    if ((s = espl__resolve(run, false, &id->recipe)) || (s = espl__graph_write(run->net->graph, &id->graph)))
        free_identity(run, id);
    return s;
}

/* ---- writing ---- */

static espl_status write_items(espl_run *run, const char *path, const espl__items *items, const identity *id)
{
    const espl__note notes[] = {
        { "format", FORMAT },
        { "version", espl_version() },
        { "isa", isa_names[espl__isa_here()] },
        { "data", id->data },
        { "graph", id->graph.data },
        { "recipe", id->recipe.data },
    };
    espl__to_store *stored = NULL;
    espl_status s = espl__allocate(run->ctx, (size_t)items->count, sizeof *stored, &stored);

    for (int i = 0; i < items->count && !s; i++)
        stored[i] = (espl__to_store){ .name = items->all[i].name, .dtype = items->all[i].dtype, .rank = 1, .dim = { items->all[i].count }, .values = items->all[i].values };
    if (!s)
        s = espl__safetensors_write(run->ctx, path, stored, items->count, notes, ESPL__COUNT(notes));
    espl__release(run->ctx, stored);
    return s;
}

espl_status espl__checkpoint_write(espl_run *run)
{
    char path[ESPL__PATH_MAX];
    espl__items items;
    identity id;
    espl_status s;

    if (!run->folder)
        return ESPL_OK;
    espl__folder_path(run, "checkpoint.safetensors", path);
    if ((s = espl__net_write_kept(run)) || (s = identify(run, &id)))
        return s;
    if (!(s = espl__items_list(run, &items))) {
        s = write_items(run, path, &items, &id);
        espl__items_free(&items);
    }
    free_identity(run, &id);
    return s;
}

/* ---- reading ---- */

static espl_status check_identity(espl_run *run, espl__safetensors *file, const identity *id)
{
    const char *path = espl__safetensors_path(file);
    const char *format = espl__safetensors_note(file, "format"), *data = espl__safetensors_note(file, "data");
    const char *recipe = espl__safetensors_note(file, "recipe"), *graph = espl__safetensors_note(file, "graph");
    espl_status s;

    if (!format || strcmp(format, FORMAT) != 0 || !recipe || !data || !graph)
        return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: is not a checkpoint of this version (\"%s\")", path,
                          FORMAT);
    if ((s = espl__recipe_compare(run->ctx, path, recipe, id->recipe.data)))
        return s;
    if (strcmp(data, id->data) != 0)
        return espl__fail(run->ctx, ESPL_BAD_STATE,
                          "%s: was made with other data: its fingerprint is %s there and %s here", path, data,
                          id->data);
    if (strcmp(graph, id->graph.data) != 0)
        return espl__fail(run->ctx, ESPL_BAD_STATE,
                          "%s: was made with another net: the layers differ although the recipe is the same",
                          path);
    return ESPL_OK;
}

/* Other versions and processors may compute other bits; that is worth a line, not a refusal. */
static void warn(espl_run *run, espl__safetensors *file)
{
    const char *here[] = { espl_version(), isa_names[espl__isa_here()] };
    const char *const keys[] = { "version", "isa" };

    for (int i = 0; i < ESPL__COUNT(keys); i++) {
        const char *there = espl__safetensors_note(file, keys[i]);
        if (there && strcmp(there, here[i]) != 0)
            espl__log(run->ctx, ESPL_WARNING,
                      "%s: was written with %s %s, this is %s; results may differ in the last bits",
                      espl__safetensors_path(file), keys[i], there, here[i]);
    }
}

/* Tensors kept by name come into being here; their techniques find them when they ask. */
static espl_status make_kept(espl_run *run, espl__safetensors *file)
{
    const size_t prefix = strlen(ESPL__KEPT_PREFIX);
    espl__kept_tensor *kept = NULL;
    char *name = NULL;
    espl_status s = ESPL_OK;

    for (int i = 0; i < espl__safetensors_count(file) && !s; i++) {
        const espl__stored *stored = espl__safetensors_at(file, i);
        if (strncmp(stored->name, ESPL__KEPT_PREFIX, prefix) != 0)
            continue;
        if (!(s = espl__copy_text(run->ctx, stored->name + prefix, &name)))
            s = espl__keep_tensor(run, name, stored->count, &kept);
    }
    return s;
}

static espl_status read_items(espl_run *run, espl__safetensors *file, const espl__items *items)
{
    espl_status s = ESPL_OK;

    for (int i = 0; i < items->count && !s; i++) {
        const espl__item *item = &items->all[i];
        const espl__stored *stored = espl__safetensors_find(file, item->name);
        if (!stored || stored->count != item->count || stored->dtype != item->dtype)
            return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: %s is missing or has another size",
                              espl__safetensors_path(file), item->name);
        s = espl__safetensors_read_raw(file, stored, item->values);
    }
    return s;
}

/* What trains comes first: which tensors there are follows from it. */
static espl_status read_stage(espl_run *run, espl__safetensors *file)
{
    const char *path = espl__safetensors_path(file);
    const espl__stored *stored = espl__safetensors_find(file, ESPL__FROZEN_ITEM);
    espl_status s;

    if (!stored || stored->count != run->net->graph->parameter_count || stored->dtype != ESPL__U8)
        return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: %s is missing or has another size", path, ESPL__FROZEN_ITEM);
    if ((s = espl__safetensors_read_raw(file, stored, run->fit.frozen)))
        return s;
    return espl__stage_resume(run, path);
}

static espl_status check_progress(espl_run *run, const char *path)
{
    const espl__progress *p = &run->progress;
    const int64_t per_epoch = run->steps_per_epoch;

    if (p->epoch >= 0 && p->epoch <= run->recipe.options.epochs && p->batch >= 0 && p->batch <= per_epoch &&
        p->step == p->epoch * per_epoch + p->batch)
        return ESPL_OK;
    return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: stands at step %lld of epoch %lld, which cannot be", path,
                      (long long)p->step, (long long)p->epoch);
}

static espl_status restore(espl_run *run, espl__safetensors *file)
{
    espl__items items;
    identity id;
    espl_status s;

    if ((s = identify(run, &id)))
        return s;
    if (!(s = check_identity(run, file, &id)) && !(s = read_stage(run, file)) && !(s = make_kept(run, file)) &&
        !(s = espl__items_list(run, &items))) {
        s = read_items(run, file, &items);
        espl__items_free(&items);
    }
    free_identity(run, &id);
    return s ? s : check_progress(run, espl__safetensors_path(file));
}

espl_status espl__checkpoint_read(espl_run *run, bool *found)
{
    char path[ESPL__PATH_MAX];
    espl__safetensors *file = NULL;
    espl_status s;

    *found = false;
    if (!run->folder)
        return ESPL_OK;
    espl__folder_path(run, "checkpoint.safetensors", path);
    if (access(path, F_OK) != 0) {
        espl__log(run->ctx, ESPL_NOTE, "%s: is not there yet; the run begins at its beginning", path);
        return ESPL_OK;
    }
    if ((s = espl__safetensors_open(run->ctx, path, &file)))
        return s;
    if (!(s = restore(run, file))) {
        warn(run, file);
        *found = true;
    }
    espl__safetensors_free(file);
    return s;
}
