/* The net that is kept: the best on the held-out data so far, or the last. With a folder it is a file
 * (net.safetensors), without one a copy in memory. Between checkpoints that short epochs share, the file is a copy in
 * memory too, since writing it may take longer than they do. */
#include "train/train.h"

#include <stdio.h>
#include <string.h>

static bool is_better(const espl__progress *p)
{
    return !p->best_known || p->last_top1 > p->best_top1 ||
           (p->last_top1 == p->best_top1 && p->last_loss < p->best_loss);
}

/* The score of an epoch, if the net is as it was scored. */
static espl_status write_score(espl_run *run, bool scored, espl__text *origin)
{
    if (!scored)
        return ESPL_OK;
    return espl__text_add(run->ctx, origin, ", \"held_out_top1\": %.9g, \"held_out_loss\": %.9g",
                          run->progress.last_top1, run->progress.last_loss);
}

/* Where a net of this run came from, kept in its file. */
static espl_status write_origin(espl_run *run, bool scored, char **result)
{
    const espl__progress *p = &run->progress;
    espl__text recipe = { 0 }, origin = { 0 };
    espl_status s = espl__resolve(run, false, &recipe);

    if (!s)
        s = espl__text_add(run->ctx, &origin,
                           "{\"version\": \"%s\", \"recipe\": \"%016llx\", \"seed\": %lld, \"epochs\": %lld, "
                           "\"steps\": %lld",
                           espl_version(),
                           (unsigned long long)espl__hash(recipe.data, recipe.length, 0),
                           (long long)run->recipe.options.seed, (long long)p->epoch, (long long)p->step);
    if (!s && !(s = write_score(run, scored, &origin)))
        s = espl__text_add(run->ctx, &origin, "}");
    espl__text_free(run->ctx, &recipe);
    if (s) {
        espl__text_free(run->ctx, &origin);
        return s;
    }
    espl__release(run->ctx, *result);
    *result = origin.data;
    return ESPL_OK;
}

static espl_status save(espl_run *run, espl_net *net, const char *name, bool scored)
{
    char path[ESPL__PATH_MAX];
    espl_status s = write_origin(run, scored, &net->origin);

    if (s)
        return s;
    espl__folder_path(run, name, path);
    return espl_net_save(net, path);
}

espl_status espl__net_save_as(espl_run *run, espl_net *net, const char *name, bool scored)
{
    char file[ESPL__FILE_NAME_MAX];
    espl_status s;

    if (!run->folder)
        return ESPL_OK;
    if (snprintf(file, sizeof file, "%s.safetensors", name) >= (int)sizeof file)
        return espl_run_fail(run, ESPL_BAD_STATE, "\"%s\" is too long for the name of a net", name);
    if ((s = espl__folder_make_for(run, file)))
        return s;
    return save(run, net, file, scored);
}

espl_status espl_run_save_net(espl_run *run, const char *name)
{
    /* within an epoch, nothing is known about the net that it has become */
    return espl__net_save_as(run, run->net, name, run->progress.scored && run->progress.batch == 0);
}

/* What is frozen need not be copied where there is a file for it. */
static espl_status copy_values(espl_run *run)
{
    const int count = run->net->graph->parameter_count;
    espl_status s = ESPL_OK;

    if (!run->best && (s = espl__allocate(run->ctx, (size_t)count, sizeof *run->best, &run->best)))
        return s;
    for (int i = 0; i < count && !s; i++) {
        const size_t values = (size_t)run->net->parameters[i].count;
        if (run->folder && run->net->parameters[i].frozen)
            continue;
        if (!run->best[i])
            s = espl__allocate(run->ctx, values, sizeof(float), &run->best[i]);
        if (!s)
            memcpy(run->best[i], run->net->parameters[i].value, values * sizeof(float));
    }
    return s;
}

static void swap_values(espl_run *run)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (run->best[i]) {
            float *held = run->net->parameters[i].value;
            run->net->parameters[i].value = run->best[i];
            run->best[i] = held;
        }
}

espl_status espl__net_write_kept(espl_run *run)
{
    char path[ESPL__PATH_MAX], *const origin = run->net->origin;

    if (!run->best_origin)
        return ESPL_OK;
    espl__folder_path(run, "net.safetensors", path);
    swap_values(run);
    run->net->origin = run->best_origin;
    const espl_status s = espl_net_save(run->net, path);
    run->net->origin = origin;
    swap_values(run);
    espl__release(run->ctx, run->best_origin);
    run->best_origin = NULL;
    return s;
}

espl_status espl__net_keep(espl_run *run, bool saves)
{
    espl__progress *p = &run->progress;
    espl_status s;

    if (run->recipe.options.keep != ESPL__KEEP_BEST || !p->scored || !is_better(p))
        return ESPL_OK;
    p->best_known = true;
    p->best_epoch = p->epoch;
    p->best_loss = p->last_loss;
    p->best_top1 = p->last_top1;
    p->best_top5 = p->last_top5;
    if (!run->folder)
        return copy_values(run);
    if (!saves)
        return (s = copy_values(run)) ? s : write_origin(run, true, &run->best_origin);
    espl__release(run->ctx, run->best_origin); /* of a net that is not the best any more */
    run->best_origin = NULL;
    return save(run, run->net, "net.safetensors", true);
}

static espl_status take_from(espl_run *run, const espl_net *kept, const char *path)
{
    const int count = run->net->graph->parameter_count;

    for (int i = 0; i < count; i++)
        if (kept->graph->parameter_count != count || kept->parameters[i].count != run->net->parameters[i].count)
            return espl__fail(run->ctx, ESPL_BAD_FILE, "%s: is not the net that this run kept", path);
    for (int i = 0; i < count; i++)
        memcpy(run->net->parameters[i].value, kept->parameters[i].value,
               (size_t)kept->parameters[i].count * sizeof(float));
    return ESPL_OK;
}

static espl_status load_kept(espl_run *run, const char *path)
{
    espl_net *kept = NULL;
    espl_status s = espl_net_load(run->ctx, path, &kept);

    if (s)
        return s;
    s = take_from(run, kept, path);
    if (!s) { /* the words go with the values */
        char *origin = run->net->origin;
        run->net->origin = kept->origin;
        kept->origin = origin;
    }
    espl_net_free(kept);
    return s;
}

espl_status espl__net_take_kept(espl_run *run)
{
    const bool best = run->progress.best_known;
    espl_status s;

    if (!run->folder) {
        for (int i = 0; best && i < run->net->graph->parameter_count; i++)
            memcpy(run->net->parameters[i].value, run->best[i],
                   (size_t)run->net->parameters[i].count * sizeof(float));
        return ESPL_OK;
    }
    espl__folder_path(run, "net.safetensors", run->result.net_path);
    if (!best)
        return save(run, run->net, "net.safetensors", run->progress.scored);
    if ((s = save(run, run->net, "last.safetensors", run->progress.scored)))
        return s;
    return load_kept(run, run->result.net_path);
}

void espl__net_keep_free(espl_run *run)
{
    for (int i = 0; run->best && i < run->net->graph->parameter_count; i++)
        espl__release(run->ctx, run->best[i]);
    espl__release(run->ctx, run->best);
    espl__release(run->ctx, run->best_origin);
}
