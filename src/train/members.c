/* Techniques at work in a run: added by name with options, called moment by moment in the order of their
 * families, members of one family in recipe order. */
#include "train/train.h"

#define NAMES_MAX 256

static const espl_option no_options[] = { ESPL_OPTIONS_END };

bool espl__member_acts_on_blocks(const espl__member *member)
{
    return member->technique->before_update || member->technique->after_update;
}

/* Only one schedule can set the rate of a step. */
static espl_status check_schedules(espl_run *run, const espl_technique *technique,
                                   const espl__document *document, const espl__tree *options)
{
    if (technique->family != ESPL_SCHEDULE)
        return ESPL_OK;
    for (int i = 0; i < run->member_count; i++)
        if (run->members[i].technique->family == ESPL_SCHEDULE)
            return espl__tree_fail(document, options, ESPL_BAD_OPTION,
                                   "%s: the rate is already set by %s; a run takes one schedule",
                                   technique->name, run->members[i].technique->name);
    return ESPL_OK;
}

static void sort_members(espl_run *run)
{
    int count = 0;

    for (int family = 0; family < ESPL_FAMILY_COUNT; family++)
        for (int i = 0; i < run->member_count; i++)
            if ((int)run->members[i].technique->family == family)
                run->order[count++] = i;
}

static espl_status make_room(espl_run *run)
{
    const size_t count = (size_t)run->member_count;
    const espl_status s = espl__resize(run->ctx, count, count + 1, sizeof *run->members, &run->members);

    return s ? s : espl__resize(run->ctx, count, count + 1, sizeof *run->order, &run->order);
}

static espl_status add(espl_run *run, espl__member *member)
{
    const espl_technique *t = member->technique;
    espl_status s;

    if ((s = check_schedules(run, t, member->document, member->options)) ||
        (s = espl__allocate(run->ctx, 1, t->size, &member->self)) ||
        (s = espl__options_read(member->document, member->options, t->options ? t->options : no_options,
                                t->name, member->self)) ||
        (s = make_room(run)))
        return s;
    run->members[run->member_count++] = *member;
    sort_members(run);
    return ESPL_OK;
}

espl_status espl__member_add(espl_run *run, const espl_technique *technique, espl__document *document,
                             bool owns_document, const espl__tree *options)
{
    espl__member member = { .technique = technique, .document = document, .owns_document = owns_document, .options = options };
    const espl_status s = add(run, &member);

    if (s) {
        espl__release(run->ctx, member.self);
        if (owns_document)
            espl__document_free(document);
    }
    return s;
}

static espl_status fail_unknown(const espl__document *document, const espl__tree *place, const char *name)
{
    const char *names[NAMES_MAX], *nearest;
    int count = 0;

    for (; count < NAMES_MAX && espl__technique_at(count); count++)
        names[count] = espl__technique_at(count)->name;
    nearest = espl__text_nearest(name, names, count);
    if (nearest)
        return espl__tree_fail(document, place, ESPL_BAD_OPTION,
                               "there is no technique \"%s\"; did you mean \"%s\"?", name, nearest);
    return espl__tree_fail(document, place, ESPL_BAD_OPTION,
                           "there is no technique \"%s\"; `espalier list techniques` shows all", name);
}

espl_status espl__member_add_named(espl_run *run, const char *name, const espl__tree *place,
                                   espl__document *document, bool owns_document, const espl__tree *options)
{
    const espl_technique *technique = espl__technique_find(name);

    if (technique)
        return espl__member_add(run, technique, document, owns_document, options);
    const espl_status s = fail_unknown(document, place, name);
    if (owns_document)
        espl__document_free(document);
    return s;
}

espl_status espl__members_read(espl_run *run)
{
    const espl__tree *list = run->recipe.techniques, *options = NULL;
    espl__document *document = run->recipe.document;
    const char *name = NULL;
    espl_status s = ESPL_OK;

    for (const espl__tree *item = list ? list->first : NULL; item && !s; item = item->next)
        if (!(s = espl__recipe_named(document, item, "techniques", &name, &options)))
            s = espl__member_add_named(run, name, item, document, false, options);
    return s;
}

espl_status espl__moment(espl_run *run, espl_moment moment)
{
    espl_status s = ESPL_OK;

    for (int i = 0; i < run->member_count && !s; i++) {
        const espl__member *member = &run->members[run->order[i]];
        if (!member->technique->on[moment])
            continue;
        run->acting = member;
        s = member->technique->on[moment](member->self, run);
        run->acting = NULL;
    }
    return s;
}

void espl__members_free(espl_run *run)
{
    for (int i = 0; i < run->member_count; i++) {
        espl__release(run->ctx, run->members[i].self);
        if (run->members[i].owns_document)
            espl__document_free(run->members[i].document);
    }
    espl__release(run->ctx, run->members);
    espl__release(run->ctx, run->order);
    for (int i = 0; i < run->kept_count; i++) {
        espl__release(run->ctx, run->kept[i].name);
        espl__release(run->ctx, run->kept[i].values);
    }
    espl__release(run->ctx, run->kept);
}
