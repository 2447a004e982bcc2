/* What each part of a trained net gives to a task; see espalier/contribution.h. Every training is a run in a folder of
 * its own, an ordinary one with transfer-cut or transfer-freeze; what was done is read off the runs' logs. */
#include "net/average_nets.h"
#include "train/train.h"

#include <espalier/contribution.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RATE_USUAL 0.1
#define ALL (ESPL_CONTRIBUTION_CUTS | ESPL_CONTRIBUTION_PROBES | ESPL_CONTRIBUTION_RESETS)
#define TRAININGS_MAX (3 * ESPL_CONTRIBUTION_GROUPS_MAX + 1)

/* One training, and where its accuracy goes. */
typedef struct training {
    int copied;
    enum { CUT_FROZEN,
           CUT_TRAINED,
           PROBE } kind;
    double *top1;
} training;

typedef struct work {
    espl_context *ctx;
    const char *recipe;
    const espl_contribution_settings *settings;
    int measures;
    double rate;
    espl_run *base;
    char *folder;
    int *group; /* of each node of the net, 0 the head */
    training training[TRAININGS_MAX];
    int count;
    espl_contribution *result;
} work;

/* ---- one training ---- */

static void training_folder(const work *w, const training *t, char path[ESPL__PATH_MAX])
{
    snprintf(path, ESPL__PATH_MAX, "%s/%s-%d%s", w->folder, t->kind == PROBE ? "probe" : "cut", t->copied,
             t->kind == CUT_TRAINED ? "-trained" : "");
}

/* The last node of a group counted from the input, which has 1; the input itself before all. */
static int last_node(const work *w, int copied, bool with_parameters)
{
    const espl__graph *graph = w->base->net->graph;
    int last = 0;

    for (int i = 1; i < graph->node_count; i++)
        if (w->result->groups - w->group[i] == copied && (!with_parameters || graph->nodes[i].parameter_count))
            last = i;
    return last;
}

/* The technique that the recipe gets, and for a probe the head. */
static espl_status write_changes(const work *w, const training *t, espl__text *with, espl__text *head)
{
    espl_status s;

    if (t->kind != PROBE)
        return espl__text_add(w->ctx, with, "transfer-cut: {groups: %d, copied: %d, rate: %.17g}", w->settings->groups,
                              t->copied, t->kind == CUT_TRAINED ? w->rate : 0);
    if ((s = espl__text_add(w->ctx, with, "transfer-freeze")) || (s = espl__text_add(w->ctx, head, "head={after: ")) ||
        (s = espl__text_add_quoted(w->ctx, head, w->base->net->graph->nodes[last_node(w, t->copied, false)].name)))
        return s;
    return espl__text_add(w->ctx, head, "}");
}

/* `list` with `more` behind it, NULLs left out; to be released. */
static espl_status extend(espl_context *ctx, const char *const *list, const char *const more[2], const char ***result)
{
    int count = 0;

    while (list && list[count])
        count++;
    const espl_status s = espl__allocate(ctx, (size_t)count + 3, sizeof **result, result);
    if (s)
        return s;
    for (int i = 0; i < count; i++)
        (*result)[i] = list[i];
    for (int i = 0; i < 2; i++)
        if (more[i])
            (*result)[count++] = more[i];
    return ESPL_OK;
}

static espl_status fit(work *w, const training *t, const char *folder)
{
    const espl_contribution_settings *o = w->settings;
    const char **set = NULL, **with = NULL;
    char checkpoint[ESPL__PATH_MAX + ESPL__FILE_NAME_MAX];
    espl__text technique = { 0 }, head = { 0 };
    espl_run *run = NULL;
    espl_status s;

    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", folder);
    if (!(s = write_changes(w, t, &technique, &head)) &&
        !(s = extend(w->ctx, o->set, (const char *const[]){ "keep=last", head.data }, &set)) &&
        !(s = extend(w->ctx, o->with, (const char *const[]){ technique.data, NULL }, &with)) &&
        !(s = espl_run_load(w->ctx, w->recipe, &(espl_run_settings){ .folder = folder, .resume = access(checkpoint, F_OK) == 0, .set = set, .with = with }, &run))) {
        espl_run_watch(run, o->watch, o->user);
        s = espl_run_fit(run);
    }
    espl_run_free(run);
    espl__release(w->ctx, set);
    espl__release(w->ctx, with);
    espl__text_free(w->ctx, &technique);
    espl__text_free(w->ctx, &head);
    return s;
}

/* Did it come to its end, now or in an earlier call? */
static espl_status find(const work *w, const char *folder, double *top1, bool *found)
{
    char path[ESPL__PATH_MAX + ESPL__FILE_NAME_MAX];
    double loss;

    *found = false;
    snprintf(path, sizeof path, "%s/net.safetensors", folder);
    if (access(path, F_OK) != 0)
        return ESPL_OK;
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    return espl__log_find_epoch(w->ctx, path, w->base->recipe.options.epochs, &loss, top1, found);
}

static void tell(const work *w, int number)
{
    static const char *const how[] = { "frozen, the rest trained", "trained on more slowly, the rest trained",
                                       "frozen, a linear classifier trained" };
    const training *t = &w->training[number];
    char text[256];

    snprintf(text, sizeof text, "net %d of %d: %d of %d groups copied%s%s", number + 1, w->count, t->copied,
             w->result->groups, t->copied ? " and " : "", t->copied ? how[t->kind] : ", all trained from first values");
    if (w->settings->watch)
        w->settings->watch(w->settings->user, &(espl_news){ .kind = ESPL_NEWS_NOTE, .text = text });
}

static espl_status train(work *w, int number)
{
    const training *t = &w->training[number];
    char folder[ESPL__PATH_MAX];
    bool found = false;
    espl_status s;

    training_folder(w, t, folder);
    if ((s = find(w, folder, t->top1, &found)) || found)
        return s;
    tell(w, number);
    s = fit(w, t, folder);
    if (s == ESPL_INTERRUPTED)
        return espl__fail(w->ctx, s, "the trainings were stopped; the same command goes on with them");
    *t->top1 = NAN;
    if (s)
        return s == ESPL_DIVERGED ? ESPL_OK : s;
    if ((s = find(w, folder, t->top1, &found)) || found)
        return s;
    return espl__fail(w->ctx, ESPL_BAD_STATE, "%s/log.jsonl: does not tell of the end of this training", folder);
}

/* ---- a group drawn anew ---- */

static espl_status score(const work *w, espl_net *net, double *top1)
{
    espl_score result;
    const espl_status s = espl_score_net(net, w->base->data, ESPL_HELD_OUT, 0, &result);

    if (s)
        return s;
    *top1 = result.top1;
    espl_score_free(&result);
    return ESPL_OK;
}

static espl_status score_reset(const work *w, const espl_net *net, int copied, double *top1)
{
    const uint64_t seed = (uint64_t)w->base->recipe.options.seed;
    espl_net *copy = NULL;
    espl_status s = espl__net_copy(net, &copy);

    if (s)
        return s;
    for (int p = 0; p < copy->graph->parameter_count; p++)
        if (w->result->groups - w->group[copy->graph->parameters[p].node] == copied)
            espl__net_fill_parameter(copy, p, seed);
    s = score(w, copy, top1);
    espl_net_free(copy);
    return s;
}

/* The net itself if it has its own head, else the one that was trained on from the last cut before the head. */
static espl_status open_whole(const work *w, espl_net **net)
{
    const int below = w->result->groups - 1;
    char path[ESPL__PATH_MAX + ESPL__FILE_NAME_MAX], folder[ESPL__PATH_MAX];

    if (!w->base->recipe.new_head)
        return espl__net_copy(w->base->net, net);
    training_folder(w, &(training){ .copied = below, .kind = below ? CUT_TRAINED : CUT_FROZEN }, folder);
    snprintf(path, sizeof path, "%s/net.safetensors", folder);
    return espl_net_load(w->ctx, path, net);
}

static espl_status measure_resets(work *w)
{
    espl_net *net = NULL;
    espl_status s = open_whole(w, &net);

    if (s)
        return s;
    s = score(w, net, &w->result->whole);
    for (int n = 1; n <= w->result->groups && !s; n++)
        s = score_reset(w, net, n, &w->result->cut[n].reset);
    espl_net_free(net);
    return s;
}

/* ---- the whole ---- */

static void add(work *w, int copied, int kind, double *top1)
{
    w->training[w->count++] = (training){ .copied = copied, .kind = copied || kind == PROBE ? kind : CUT_FROZEN, .top1 = top1 };
}

static void plan(work *w)
{
    espl_contribution_cut *cut = w->result->cut;
    const int below = w->result->groups - 1;
    const bool cuts = w->measures & ESPL_CONTRIBUTION_CUTS;

    for (int n = 0; n <= below && cuts; n++) {
        add(w, n, CUT_FROZEN, &cut[n].frozen);
        if (n)
            add(w, n, CUT_TRAINED, &cut[n].trained);
    }
    if (!cuts && w->measures & ESPL_CONTRIBUTION_RESETS && w->base->recipe.new_head)
        add(w, below, CUT_TRAINED, &cut[below].trained);
    for (int n = 1; n <= below && w->measures & ESPL_CONTRIBUTION_PROBES; n++)
        add(w, n, PROBE, &cut[n].probe);
}

static void describe(work *w)
{
    const espl__graph *graph = w->base->net->graph;
    espl_contribution *r = w->result;

    for (int n = 0; n <= r->groups; n++) {
        espl_contribution_cut *cut = &r->cut[n];
        *cut = (espl_contribution_cut){ .frozen = NAN, .trained = NAN, .probe = NAN, .reset = NAN };
        if (n)
            snprintf(cut->layer, sizeof cut->layer, "%s", graph->nodes[last_node(w, n, true)].name);
    }
    for (int p = 0; p < graph->parameter_count; p++)
        if (graph->parameters[p].spec.kind != ESPL_BUFFER)
            r->cut[r->groups - w->group[graph->parameters[p].node]].parameters += w->base->net->parameters[p].count;
}

/* Other techniques that freeze or copy would make all cuts alike. */
static espl_status check(const work *w)
{
    const espl__recipe *r = &w->base->recipe;

    for (int i = 0; i < w->base->member_count; i++) {
        const espl__member *member = &w->base->members[i];
        if (member->technique->family == ESPL_TRANSFER)
            return espl__tree_fail(member->document, member->options, ESPL_BAD_OPTION,
                                   "%s: what is copied, frozen and slowed down is decided for each cut: take it out of "
                                   "the recipe",
                                   member->technique->name);
    }
    if (espl_data_count(w->base->data, ESPL_HELD_OUT) == 0)
        return espl__fail(w->ctx, ESPL_BAD_OPTION, "%s: nothing is held out to take accuracies on; set held-out: 0.2",
                          w->recipe);
    if (r->search)
        return espl__tree_fail(r->document, r->search, ESPL_BAD_OPTION, "search: several values cannot be tried here; "
                                                                        "take the line out");
    return ESPL_OK;
}

static espl_status open(work *w)
{
    const espl_contribution_settings *o = w->settings;
    espl_contribution *r = w->result;
    espl_status s;

    if (o->groups < 0 || o->groups > ESPL_CONTRIBUTION_GROUPS_MAX || o->rate < 0 || !isfinite(o->rate))
        return espl__fail(w->ctx, ESPL_BAD_OPTION, "0 to %d groups and a rate of 0 or more were expected, not %d and %g",
                          ESPL_CONTRIBUTION_GROUPS_MAX, o->groups, o->rate);
    w->measures = o->measures ? o->measures : ALL;
    w->rate = o->rate > 0 ? o->rate : RATE_USUAL;
    if ((s = espl__folder_name(w->ctx, w->recipe, "-contribution", o->folder, &w->folder)) ||
        (s = espl_run_load(w->ctx, w->recipe, &(espl_run_settings){ .folder = w->folder, .set = o->set, .with = o->with }, &w->base)) ||
        (s = check(w)))
        return s;
    const espl__graph *graph = w->base->net->graph;
    if ((s = espl__allocate(w->ctx, (size_t)graph->node_count, sizeof *w->group, &w->group)) ||
        (s = espl__net_groups(graph, o->groups, w->group, &r->groups)))
        return s;
    snprintf(r->folder, sizeof r->folder, "%s", w->folder);
    r->held_out = espl_data_count(w->base->data, ESPL_HELD_OUT);
    r->whole = NAN;
    describe(w);
    plan(w);
    return ESPL_OK;
}

static espl_status claim(work *w)
{
    char more[96];

    snprintf(more, sizeof more, "groups: %d\ncopied-rate: %.17g\n", w->settings->groups, w->rate);
    return espl__folder_claim(w->base, w->folder, "contribution.yaml", more);
}

static espl_status measure(work *w)
{
    espl_contribution *r = w->result;
    espl_status s = claim(w);

    for (int i = 0; i < w->count && !s; i++)
        s = train(w, i);
    r->cut[0].trained = r->cut[0].frozen;
    if (!s && w->measures & ESPL_CONTRIBUTION_CUTS && !w->base->recipe.new_head)
        s = score(w, w->base->net, &r->cut[r->groups].frozen);
    if (!s && w->measures & ESPL_CONTRIBUTION_RESETS)
        s = measure_resets(w);
    return s;
}

espl_status espl_contribution_find(espl_context *ctx, const char *recipe, const espl_contribution_settings *settings,
                                   espl_contribution *result)
{
    static const espl_contribution_settings none = { 0 };
    work *w = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *w, &w);

    *result = (espl_contribution){ 0 };
    if (s)
        return s;
    *w = (work){ .ctx = ctx, .recipe = recipe, .settings = settings ? settings : &none, .result = result };
    if (!(s = open(w)))
        s = measure(w);
    espl_run_free(w->base);
    espl__release(ctx, w->folder);
    espl__release(ctx, w->group);
    espl__release(ctx, w);
    return s;
}
