/* The list of everything that a checkpoint holds. */
#include "train/checkpoint.h"

#include <stdio.h>

const espl_field espl__progress_fields[] = {
    ESPL_KEEP(espl__progress, step),
    ESPL_KEEP(espl__progress, epoch),
    ESPL_KEEP(espl__progress, batch),
    ESPL_KEEP(espl__progress, sums),
    ESPL_KEEP(espl__progress, scorings),
    ESPL_KEEP(espl__progress, scored),
    ESPL_KEEP(espl__progress, best_known),
    ESPL_KEEP(espl__progress, best_epoch),
    ESPL_KEEP(espl__progress, best_loss),
    ESPL_KEEP(espl__progress, best_top1),
    ESPL_KEEP(espl__progress, best_top5),
    ESPL_KEEP(espl__progress, last_loss),
    ESPL_KEEP(espl__progress, last_top1),
    ESPL_KEEP(espl__progress, last_top5),
    ESPL_KEEP(espl__progress, rate),
    ESPL_KEEP(espl__progress, found_rate),
    ESPL_KEEP_END
};

static espl_status grow(espl__items *items)
{
    const int capacity = items->capacity ? 2 * items->capacity : 64;
    const espl_status s = espl__resize(items->ctx, (size_t)items->count, (size_t)capacity,
                                       sizeof *items->all, &items->all);

    if (!s)
        items->capacity = capacity;
    return s;
}

static espl_status add(espl__items *items, espl__dtype dtype, int64_t count, void *values,
                       const char *format, ...) ESPL__PRINTF(5, 6);

static espl_status add(espl__items *items, espl__dtype dtype, int64_t count, void *values,
                       const char *format, ...)
{
    char name[512];
    va_list arguments;
    espl_status s;

    if (items->count == items->capacity && (s = grow(items)))
        return s;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    espl__item *item = &items->all[items->count];
    *item = (espl__item){ .dtype = dtype, .count = count, .values = values };
    s = espl__copy_text(items->ctx, name, &item->name);
    items->count += !s;
    return s;
}

static espl_status add_fields(espl__items *items, const char *prefix, const espl_field *fields, void *holder)
{
    espl_status s = ESPL_OK;

    for (; fields && fields->name && !s; fields++)
        s = add(items, ESPL__U8, (int64_t)fields->size, (char *)holder + fields->offset, "%s/%s", prefix,
                fields->name);
    return s;
}

static espl_status add_net(espl_run *run, espl__items *items)
{
    espl__updater *u = run->fit.updater;
    const espl_net *net = run->net;
    espl_status s = ESPL_OK;

    for (int i = 0; i < net->graph->parameter_count && !s; i++) {
        const char *name = net->graph->parameters[i].name;
        const int64_t count = net->parameters[i].count;
        s = add(items, ESPL__F32, count, net->parameters[i].value, "net/%s", name);
        for (int k = 0; k < espl__updater_states(u) && !s; k++)
            if (espl__updater_state(u, k, i))
                s = add(items, ESPL__F32, count, espl__updater_state(u, k, i), "optimizer/%s/%s",
                        run->recipe.optimizer->states[k], name);
    }
    if (s || (s = add(items, ESPL__U8, net->graph->parameter_count, run->fit.frozen, ESPL__FROZEN_ITEM)))
        return s;
    return add(items, ESPL__I64, net->graph->parameter_count, espl__updater_times(u), "optimizer/times");
}

static espl_status add_member(espl_run *run, int index, espl__items *items)
{
    const espl__member *member = &run->members[index];
    const espl__graph *graph = run->net->graph;
    const int parameters = graph->parameter_count;
    char prefix[128];
    espl_status s;

    snprintf(prefix, sizeof prefix, "technique/%d.%s", index, member->technique->name);
    s = add_fields(items, prefix, member->technique->kept, member->self);
    for (int i = 0; member->kept && i < member->technique->kept_per_parameter * parameters && !s; i++)
        if (member->kept[i])
            s = add(items, ESPL__F32, run->net->parameters[i % parameters].count, member->kept[i],
                    "%s/%d/%s", prefix, i / parameters, graph->parameters[i % parameters].name);
    return s;
}

espl_status espl__items_list(espl_run *run, espl__items *items)
{
    espl_status s;

    *items = (espl__items){ .ctx = run->ctx };
    s = add_net(run, items);
    for (int i = 0; i < run->member_count && !s; i++)
        s = add_member(run, i, items);
    for (int i = 0; i < run->kept_count && !s; i++)
        s = add(items, ESPL__F32, run->kept[i].count, run->kept[i].values, ESPL__KEPT_PREFIX "%s",
                run->kept[i].name);
    if (!s)
        s = add_fields(items, "run", espl__progress_fields, &run->progress);
    if (s)
        espl__items_free(items);
    return s;
}

void espl__items_free(espl__items *items)
{
    for (int i = 0; i < items->count; i++)
        espl__release(items->ctx, items->all[i].name);
    espl__release(items->ctx, items->all);
    *items = (espl__items){ 0 };
}
