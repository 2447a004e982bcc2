/* The resolved recipe (every default written out) and the explanation of who acts when. */
#include "train/train.h"

static const char *const isa_names[] = { "plain", "avx2", "avx512" };

static espl_status write_notes(espl_run *run, espl__text *text)
{
    const espl__plan *plan = run->fit.plan;
    espl_status s = espl__text_add(run->ctx, text, "# espalier %s, instruction set %s\n", espl_version(),
                                   isa_names[espl__isa_here()]);

    if (!s)
        s = espl__text_add(run->ctx, text, "# net %s: %lld parameters, %lld multiply-accumulates a sample\n",
                           run->net->name, (long long)espl_net_parameters(run->net),
                           (long long)espl_net_macs(run->net));
    if (!s && plan)
        s = espl__text_add(run->ctx, text, "# shards of %d samples, %d lanes, planned %.1f MB\n",
                           espl__plan_shard_samples(plan), espl__plan_lanes(plan),
                           (double)espl__plan_bytes(plan) / 1e6);
    return s;
}

/* "name: value" for each option of the table. */
static espl_status write_lines(espl_run *run, const espl_option *options, const void *target,
                               espl__text *text)
{
    char key[ESPL__KEY_MAX];
    espl_status s = ESPL_OK;

    for (; options->name && !s; options++) {
        espl__option_key(options, key);
        if (!(s = espl__text_add(run->ctx, text, "%s: ", key)) &&
            !(s = espl__option_write(run->ctx, options, target, text)))
            s = espl__text_add(run->ctx, text, "\n");
    }
    return s;
}

/* "before{name: {options}}after" */
static espl_status write_named(espl_run *run, const char *before, const char *name,
                               const espl_option *options, const void *target, const char *after,
                               espl__text *text)
{
    espl_status s = espl__text_add(run->ctx, text, "%s%s: ", before, name);

    if (!s && options && options->name)
        s = espl__options_write(run->ctx, options, target, text);
    else if (!s)
        s = espl__text_add(run->ctx, text, "{}");
    return s ? s : espl__text_add(run->ctx, text, "%s\n", after);
}

static espl_status write_parts(espl_run *run, espl__text *text)
{
    const espl__recipe *r = &run->recipe;
    espl_status s;

    if (!r->net)
        return espl__text_add(run->ctx, text, "# net and data are given by the program\n");
    if ((s = espl__text_add(run->ctx, text, "net: ")) || (s = espl__tree_write(run->ctx, r->net, text)) ||
        (s = espl__text_add(run->ctx, text, "\ndata: ")) ||
        (s = espl__options_write(run->ctx, espl__recipe_data_table, &r->data, text)))
        return s;
    return espl__text_add(run->ctx, text, "\n");
}

/* What is about the net's file, where the recipe says it. */
static espl_status write_net_file(espl_run *run, espl__text *text)
{
    const espl__recipe *r = &run->recipe;
    espl_status s = ESPL_OK;

    if (r->weights && ((s = espl__text_add(run->ctx, text, "weights: ")) ||
                       (s = espl__tree_write(run->ctx, r->weights, text)) || (s = espl__text_add(run->ctx, text, "\n"))))
        return s;
    if (r->prepare && ((s = espl__text_add(run->ctx, text, "prepare: ")) ||
                       (s = espl__tree_write(run->ctx, r->prepare, text)) || (s = espl__text_add(run->ctx, text, "\n"))))
        return s;
    if (r->new_head && !(s = espl__text_add(run->ctx, text, "head: ")) &&
        !(s = espl__options_write(run->ctx, espl__head_options, &r->head, text)))
        s = espl__text_add(run->ctx, text, "\n");
    return s;
}

static espl_status write_normalize(espl_run *run, espl__text *text)
{
    const espl__recipe *r = &run->recipe;
    espl_status s = espl__text_add(run->ctx, text, "normalize: ");

    if (s || r->normalize != ESPL__NORMALIZE_GIVEN)
        return s ? s
                 : espl__text_add(run->ctx, text,
                                  r->normalize == ESPL__NORMALIZE_NONE ? "none\n" : "measured\n");
    s = espl__options_write(run->ctx, espl__recipe_normalize_table, &r->normalization, text);
    return s ? s : espl__text_add(run->ctx, text, "\n");
}

static espl_status write_techniques(espl_run *run, espl__text *text)
{
    espl_status s = espl__text_add(run->ctx, text, run->member_count ? "techniques:\n" : "techniques: []\n");

    for (int i = 0; i < run->member_count && !s; i++)
        s = write_named(run, "  - ", run->members[i].technique->name, run->members[i].technique->options,
                        run->members[i].self, "", text);
    return s;
}

espl_status espl__resolve(espl_run *run, bool notes, espl__text *text)
{
    const espl__recipe *r = &run->recipe;
    espl_status s = notes ? write_notes(run, text) : ESPL_OK;

    if (s || (s = write_parts(run, text)) || (s = write_net_file(run, text)) ||
        (s = write_lines(run, espl__recipe_table, &r->options, text)) ||
        (s = write_named(run, "optimizer: {", r->optimizer->name, r->optimizer->options,
                         r->optimizer_options, "}", text)) ||
        (s = write_named(run, "loss: {", r->loss->name, r->loss->attributes, r->loss_options, "}", text)))
        return s;
    if (r->class_weights && ((s = espl__text_add(run->ctx, text, "class-weights: ")) ||
                             (s = espl__tree_write(run->ctx, r->class_weights, text)) ||
                             (s = espl__text_add(run->ctx, text, "\n"))))
        return s;
    if ((!r->prepare && (s = write_normalize(run, text))) || (s = write_techniques(run, text)) || !r->search)
        return s;
    if ((s = espl__text_add(run->ctx, text, "search: ")) || (s = espl__tree_write(run->ctx, r->search, text)))
        return s;
    return espl__text_add(run->ctx, text, "\n");
}

espl_status espl_run_resolved(espl_run *run, const char **text)
{
    espl__text fresh = { 0 };
    const espl_status s = espl__resolve(run, true, &fresh);

    *text = NULL;
    if (s) {
        espl__text_free(run->ctx, &fresh);
        return s;
    }
    espl__text_free(run->ctx, &run->resolved);
    run->resolved = fresh;
    *text = run->resolved.data;
    return ESPL_OK;
}

/* ---- who acts when ---- */

static bool at_moment(const espl_technique *technique, int moment)
{
    return technique->on[moment] != NULL;
}

static bool on_samples(const espl_technique *technique, int unused)
{
    (void)unused;
    return technique->augment != NULL;
}

static bool before_update(const espl_technique *technique, int unused)
{
    (void)unused;
    return technique->before_update != NULL;
}

static bool after_update(const espl_technique *technique, int unused)
{
    (void)unused;
    return technique->after_update != NULL;
}

static espl_status explain_line(espl_run *run, const char *when,
                                bool (*acts)(const espl_technique *technique, int moment), int moment,
                                espl__text *text)
{
    bool any = false;
    espl_status s = ESPL_OK;

    for (int i = 0; i < run->member_count && !s; i++) {
        const espl_technique *technique = run->members[run->order[i]].technique;
        if (!acts(technique, moment))
            continue;
        s = any ? espl__text_add(run->ctx, text, ", %s", technique->name)
                : espl__text_add(run->ctx, text, "%s: %s", when, technique->name);
        any = true;
    }
    return s || !any ? s : espl__text_add(run->ctx, text, "\n");
}

static espl_status explain(espl_run *run, espl__text *text)
{
    espl_status s = ESPL_OK;

    for (int moment = 0; moment < ESPL_MOMENT_COUNT && !s; moment++) {
        if (moment == ESPL_BATCH_READY)
            s = explain_line(run, "each training sample", on_samples, 0, text);
        if (!s)
            s = explain_line(run, espl__moment_name((espl_moment)moment), at_moment, moment, text);
        if (s || moment != ESPL_GRADIENTS_READY)
            continue;
        if ((s = explain_line(run, "each block before its update", before_update, 0, text)) ||
            (s = espl__text_add(run->ctx, text, "each block: %s\n", run->recipe.optimizer->name)))
            return s;
        s = explain_line(run, "each block after its update", after_update, 0, text);
    }
    return s;
}

espl_status espl_run_explained(espl_run *run, const char **text)
{
    espl__text fresh = { 0 };
    const espl_status s = explain(run, &fresh);

    *text = NULL;
    if (s) {
        espl__text_free(run->ctx, &fresh);
        return s;
    }
    espl__text_free(run->ctx, &run->explained);
    run->explained = fresh;
    *text = run->explained.data;
    return ESPL_OK;
}
