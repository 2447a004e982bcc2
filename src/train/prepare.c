/* What a fit needs: the graph with its loss, the plans, the optimizer's tensors, the techniques' own. */
#include "train/features.h"
#include "train/scorer.h"
#include "train/stages.h"
#include "train/statistics.h"
#include "train/train.h"

#define SMALLEST_SCORING_BATCH 32

/* Where the parts that are computed at a time leave one sample over. */
static espl_status check_left_over(espl_run *run, int64_t count)
{
    const int64_t micro = run->fit.micro, batch = run->recipe.options.batch < count ? run->recipe.options.batch : count;

    espl__stages_let_go(run, true);
    const espl__node *node = espl__needs_two(run->net, run->fit.graph);
    espl__stages_let_go(run, false);
    if (!node || micro == 1 || (batch % micro != 1 && count % batch % micro != 1))
        return ESPL_OK;
    return espl__fail(run->ctx, ESPL_BAD_OPTION,
                      "batch: %lld samples in batches of %lld leave one sample over that is computed alone, of which "
                      "%s \"%s\" has no variance to take: set another batch",
                      (long long)count, (long long)batch, node->op->name, node->name);
}

static espl_status open_scorer(espl_run *run)
{
    const int64_t count = espl_data_count(run->data, ESPL_HELD_OUT);
    int64_t batch = run->fit.micro > SMALLEST_SCORING_BATCH ? run->fit.micro : SMALLEST_SCORING_BATCH;

    if (!count)
        return ESPL_OK;
    batch = batch < count ? batch : count;
    const espl_status s = espl__scorer_open(run->net, run->recipe.loss, batch,
                                            run->recipe.options.algorithm == ESPL__ALGORITHM_DIRECT,
                                            run->fit.features ? espl__features_cut(run->fit.features) : 0, &run->fit.scorer);
    return s || !run->fit.teacher.apart ? s : espl__scorer_within(run->fit.scorer, run->data, ESPL_HELD_OUT);
}

/* Also the loader, which may be reading what the frozen part gave. */
static void free_plans(espl_run *run)
{
    espl__fit *fit = &run->fit;

    fit->waited += fit->loader ? espl__loader_waited(fit->loader) : 0;
    espl__loader_free(fit->loader);
    espl__scorer_free(fit->scorer);
    espl__plan_free(fit->plan);
    espl__graph_free(fit->fused);
    espl__graph_free(fit->whole);
    espl__features_free(fit->features);
    fit->loader = NULL;
    fit->scorer = NULL;
    fit->plan = NULL;
    fit->fused = fit->whole = NULL;
    fit->features = NULL;
}

espl_status espl__fit_open_plans(espl_run *run)
{
    espl__fit *fit = &run->fit;
    espl_status s;

    free_plans(run);
    if ((s = espl__fuse(run->net, fit->graph, true, &fit->whole)) || (s = espl__features_open(run)))
        return s;
    const espl__graph *part = fit->features ? espl__features_rest(fit->features) : fit->graph;
    if ((s = espl__fuse(run->net, part, true, &fit->fused)))
        return s;
    fit->plan_settings.part_of = fit->whole;
    if ((s = espl__plan_open(run->net, fit->fused, &fit->plan_settings, &fit->plan)))
        return s;
    return open_scorer(run);
}

static espl_status open_plan(espl_run *run)
{
    espl__fit *fit = &run->fit;
    const espl__recipe *r = &run->recipe;
    const int64_t parts = r->options.accumulate;
    espl_status s;

    fit->micro = (r->options.batch + parts - 1) / parts;
    const int64_t count = espl_data_count(run->data, ESPL_TRAIN);
    if (fit->micro > count)
        fit->micro = count;
    fit->plan_settings = (espl__plan_settings){
        .batch = fit->micro,
        .training = true,
        .direct_only = r->options.algorithm == ESPL__ALGORITHM_DIRECT,
    };
    if ((s = espl__teacher_loss_graph(run, &fit->graph)) || (s = check_left_over(run, count)))
        return s;
    return espl__fit_open_plans(run);
}

/* Only averages ask for other statistics than the run's own. */
espl_status espl__fit_open_statistics(espl_run *run)
{
    bool wanted = false;

    for (int i = 0; i < run->member_count; i++)
        wanted |= run->members[i].technique->family == ESPL_AVERAGE;
    if (!wanted)
        return ESPL_OK;
    return espl__statistics_open(run->net, run->fit.micro,
                                 run->recipe.options.algorithm == ESPL__ALGORITHM_DIRECT, &run->fit.statistics);
}

/* Gradients come from the plan, or are gathered over the parts of a batch. */
static espl_status open_gradients(espl_run *run)
{
    espl__fit *fit = &run->fit;
    const int count = run->net->graph->parameter_count;
    espl_status s;

    if ((s = espl__allocate(run->ctx, (size_t)count, sizeof *fit->gradients, &fit->gradients)) ||
        run->recipe.options.accumulate == 1)
        return s;
    if ((s = espl__allocate(run->ctx, (size_t)count, sizeof *fit->total, &fit->total)))
        return s;
    return espl__stage_match_total(run);
}

static espl_status open_kept(espl_run *run, espl__member *member)
{
    const int parameters = run->net->graph->parameter_count, each = member->technique->kept_per_parameter;
    espl_status s;

    if (each > ESPL__KEPT_MAX)
        return espl__fail(run->ctx, ESPL_BAD_OPTION, "%s: keeps %d tensors for each parameter but %d are most",
                          member->technique->name, each, ESPL__KEPT_MAX);
    if (!each)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, (size_t)each * (size_t)parameters, sizeof *member->kept, &member->kept)))
        return s;
    return espl__stage_match_kept(run, member, false);
}

static espl_status open_hooks(espl_run *run)
{
    espl__fit *fit = &run->fit;
    espl_status s = espl__allocate(run->ctx, (size_t)run->member_count, sizeof *fit->hooks, &fit->hooks);

    for (int i = 0; i < run->member_count && !s; i++) {
        espl__member *member = &run->members[run->order[i]];
        if (!(s = open_kept(run, member)) && espl__member_acts_on_blocks(member))
            fit->hooks[fit->hook_count++] =
                (espl__block_hook){ member->technique, member->self, member->kept };
    }
    return s;
}

static espl_status open_augmentations(espl_run *run)
{
    espl__fit *fit = &run->fit;
    const espl_status s = espl__allocate(run->ctx, (size_t)run->member_count, sizeof *fit->augmentations,
                                         &fit->augmentations);

    for (int i = 0; i < run->member_count && !s; i++) {
        const espl__member *member = &run->members[run->order[i]];
        if (member->technique->augment)
            fit->augmentations[fit->augmentation_count++] =
                (espl__augmentation){ .technique = member->technique, .self = member->self };
    }
    return s;
}

espl_status espl__fit_open(espl_run *run)
{
    espl__fit *fit = &run->fit;
    bool changed;
    espl_status s;

    fit->factor = 1;
    fit->norm = -1;
    if ((s = espl__frozen_remember(run)) || (s = espl__stages_open(run)) || (s = espl__moment(run, ESPL_NET_READY)) ||
        (s = espl__frozen_check(run)) || (s = espl__stage_begin(run, &changed)) || (s = open_augmentations(run)) ||
        (s = open_plan(run)) || (s = espl__teacher_open_plan(run)) || (s = espl__fit_open_statistics(run)) ||
        (s = espl__updater_open(run->net, run->recipe.optimizer, run->recipe.optimizer_options,
                                &fit->updater)) ||
        (s = open_gradients(run)) || (s = open_hooks(run)))
        return s;
    if (run->class_weight)
        s = espl__allocate(run->ctx, (size_t)run->recipe.options.batch, sizeof(float), &fit->weights);
    return s;
}

espl_status espl__fit_open_loader(espl_run *run)
{
    const espl__recipe_options *o = &run->recipe.options;
    const bool whole = run->progress.batch == run->steps_per_epoch; /* stopped between batches and score */
    espl__loader_settings settings = {
        .part = ESPL_TRAIN,
        .batch = o->batch,
        .shuffle = true,
        .balanced = run->recipe.options.sampling == ESPL__SAMPLING_BALANCED,
        .seed = (uint64_t)o->seed,
        .first_epoch = run->progress.epoch + whole,
        .first_batch = whole ? 0 : run->progress.batch,
        .epochs = o->epochs,
        .augmentations = run->fit.augmentations,
        .augmentation_count = run->fit.augmentation_count,
        .variants = o->variants,
        .threads = espl__worker_count(run->ctx),
    };

    if (settings.first_epoch >= settings.epochs)
        return ESPL_OK; /* nothing is left to load */
    espl__loader_prepare(run->net, &settings);
    if (run->fit.features)
        espl__features_serve(run->fit.features, &settings);
    return espl__loader_open(run->data, &settings, &run->fit.loader);
}

/* A copy of the best net; of what stays frozen none is made where there is a folder. */
static size_t copy_bytes(const espl_run *run)
{
    size_t bytes = 0;

    if (!run->fit.scorer || run->recipe.options.keep != ESPL__KEEP_BEST)
        return 0;
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        if (!run->folder || !run->net->parameters[i].frozen || run->fit.held[i])
            bytes += (size_t)run->net->parameters[i].count * sizeof(float);
    return bytes;
}

/* Everything is open by now except what scoring and keeping the best net will take. */
size_t espl__fit_bytes(const espl_run *run)
{
    const size_t size = (size_t)espl__shape_size(run->fit.fused->nodes[0].shape);
    size_t bytes = espl__bytes_now(run->ctx);

    if (run->fit.scorer)
        bytes += espl__scorer_loader_bytes(run->fit.scorer, size);
    return bytes + copy_bytes(run);
}

void espl__fit_free(espl_run *run)
{
    espl__fit *fit = &run->fit;
    const int parameters = run->net ? run->net->graph->parameter_count : 0;

    free_plans(run);
    espl__frozen_restore(run);
    espl__stages_free(run);
    for (int i = 0; fit->total && i < parameters; i++)
        espl__release(run->ctx, fit->total[i]);
    espl__release(run->ctx, fit->total);
    espl__release(run->ctx, fit->gradients);
    espl__release(run->ctx, fit->weights);
    espl__release(run->ctx, fit->hooks);
    espl__release(run->ctx, fit->group);
    espl__release(run->ctx, fit->rates);
    espl__release(run->ctx, fit->augmentations);
    espl__updater_free(fit->updater);
    espl__teacher_free(run);
    espl__statistics_free(fit->statistics);
    espl__graph_free(fit->graph);
    for (int m = 0; m < run->member_count; m++) {
        espl__member *member = &run->members[m];
        for (int i = 0; member->kept && i < member->technique->kept_per_parameter * parameters; i++)
            espl__release(run->ctx, member->kept[i]);
        espl__release(run->ctx, member->kept);
        member->kept = NULL;
    }
    *fit = (espl__fit){ 0 };
}
