/* Which form of a net a file of another program stands for: the first of the description's "files"
 * whose names are the file's, no more and no less. */
#include "net/foreign.h"

#include "net/net.h"

#include <assert.h>
#include <string.h>

typedef struct search {
    espl_context *ctx;
    espl__source source;
    espl__wish wish;
    const char *const *layers; /* of the file */
    int count;
    char net_name[ESPL__NET_NAME_MAX];
    espl__graph *graph; /* of the form at hand, until the net owns it */
    espl__foreign *names;
    bool fits, followed;
} search;

/* ---- names ---- */

void espl__foreign_plain(char *name)
{
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '.';
}

void espl__foreign_free(espl__foreign *names)
{
    for (int i = 0; names->name && i < names->count; i++)
        espl__release(names->ctx, names->name[i]);
    if (names->ctx)
        espl__release(names->ctx, names->name);
    *names = (espl__foreign){ 0 };
}

static espl_status begin_names(const espl__graph *graph, espl__foreign *names)
{
    espl__foreign_free(names);
    *names = (espl__foreign){ .ctx = graph->ctx, .count = graph->node_count };
    return espl__allocate(graph->ctx, (size_t)names->count, sizeof *names->name, &names->name);
}

static espl_status own_names(const espl__graph *graph, espl__foreign *names)
{
    espl_status s = begin_names(graph, names);

    for (int i = 0; i < graph->node_count && !s; i++)
        if (graph->nodes[i].parameter_count && !(s = espl__copy_text(graph->ctx, graph->nodes[i].name, &names->name[i])))
            espl__foreign_plain(names->name[i]);
    return s;
}

espl_status espl__foreign_own(const espl_net *net, espl__foreign *names)
{
    return own_names(net->graph, names);
}

/* "layer{s}.{u - 1}.conv1" with the numbers that were found in our name. */
static espl_status translate(espl__layout *layout, const espl__tree *rule, const espl__given *given, char **theirs)
{
    const int before = layout->variables.count;
    char text[256] = "";
    espl_status s = ESPL_OK;

    for (int i = 0; i < given->count && !s; i++) {
        const espl__value value = espl__number(given->item[i].value);
        s = espl__variables_push(&layout->variables, given->item[i].name, &value);
    }
    if (!s)
        s = espl__layout_text(layout, rule, text, sizeof text, NULL);
    layout->variables.count = before;
    espl__foreign_plain(text);
    return s ? s : espl__copy_text(layout->ctx, text, theirs);
}

/* The first rule that fits our name says theirs; where none does, the names are the same. */
static espl_status name_node(espl__layout *layout, const espl__tree *rules, const char *ours, char **theirs)
{
    espl__given given;

    for (const espl__tree *rule = rules ? rules->first : NULL; rule; rule = rule->next)
        if (espl__name_fits(rule->key, ours, &given))
            return translate(layout, rule, &given, theirs);
    return espl__copy_text(layout->ctx, ours, theirs);
}

static espl_status their_names(search *w, const espl__tree *entry)
{
    const espl__tree *rules = espl__tree_get(entry, "layers");
    const espl__graph *graph = w->graph;
    espl__layout layout;

    assert(graph);
    espl_status s = begin_names(graph, w->names);
    if (s || (s = espl__layout_open(w->ctx, w->source.document, &layout)))
        return s;
    for (int i = 0; i < graph->node_count && !s; i++)
        if (graph->nodes[i].parameter_count)
            s = name_node(&layout, rules, graph->nodes[i].name, &w->names->name[i]);
    espl__layout_free(&layout);
    return s;
}

/* ---- fitting ---- */

static bool is_among(const char *name, const char *const *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i] && espl__text_equal(list[i], name))
            return true;
    return false;
}

/* Every layer of the net is in the file, every layer of the file in the net. */
static bool names_fit(const search *w)
{
    const espl__foreign *names = w->names;

    for (int i = 0; i < names->count; i++)
        if (names->name[i] && !is_among(names->name[i], w->layers, w->count))
            return false;
    for (int i = 0; i < w->count; i++)
        if (w->layers[i] && !is_among(w->layers[i], (const char *const *)names->name, names->count))
            return false;
    return true;
}

/* Lays the net out with other defaults and asks whether it is the one the file is about. */
static espl_status try_form(search *w, const espl__tree *entry, const espl__tree *defaults)
{
    espl_status s;

    espl__graph_free(w->graph);
    w->graph = NULL;
    w->wish.defaults = defaults;
    if ((s = espl__describe_graph(w->ctx, &w->wish, w->net_name, &w->graph)) || (s = their_names(w, entry)))
        return s;
    w->fits = names_fit(w);
    return ESPL_OK;
}

static espl_status try_entry(search *w, const espl__tree *entry)
{
    static const char *const keys[] = { "from", "prepare", "settings", "headless", "layers", NULL };
    const espl__tree *headless = espl__tree_get(entry, "headless");
    espl_status s = espl__tree_check_keys(w->source.document, entry, keys);

    if (!s)
        s = try_form(w, entry, espl__tree_get(entry, "settings"));
    if (!s && !w->fits && headless)
        s = try_form(w, entry, headless);
    return s;
}

static espl_status prepare(const search *w, const espl__tree *entry, espl_net *net)
{
    const espl__tree *how = espl__tree_get(entry, "prepare"), *from = espl__tree_get(entry, "from");
    espl__layout layout;
    espl_status s;

    if (from)
        espl__log(w->ctx, ESPL_NOTE, "the layers have the names of %s; settings and preparation are those of its nets",
                  from->text);
    if (!how)
        return ESPL_OK;
    if (!(s = espl__layout_open(w->ctx, w->source.document, &layout)))
        s = espl__preparation_read(&layout, how, net->graph->nodes[0].shape, &net->preparation);
    espl__layout_free(&layout);
    return s;
}

static espl_status open_net(search *w, const espl__tree *entry, espl_net **result)
{
    espl__graph *graph = w->graph;
    espl_status s;

    w->graph = NULL;
    if ((s = espl__net_open_empty(graph, w->net_name, result)))
        return s;
    return entry ? prepare(w, entry, *result) : ESPL_OK;
}

static espl_status find_form(search *w, espl_net **result);

/* An entry may name another net, whose "files" are then asked; those may not lead further. */
static espl_status follow(search *w, const char *net, espl_net **result)
{
    search next = { .ctx = w->ctx, .layers = w->layers, .count = w->count, .names = w->names, .followed = true };
    espl_status s;

    next.wish.override_document = w->wish.override_document;
    next.wish.override = w->wish.override;
    if ((s = espl__source_find(w->ctx, net, &next.source)))
        return s;
    if (next.source.document)
        s = find_form(&next, result);
    w->fits = next.fits;
    espl__graph_free(next.graph);
    espl__document_free(next.source.document);
    if (s || !next.fits) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}

/* The net as it is asked for comes first, and last if nothing fits: what does not fit is then said in
 * its names. */
static espl_status find_form(search *w, espl_net **result)
{
    const espl__tree *files, *entry = NULL;
    espl_status s;

    espl__source_wish(&w->source, &w->wish);
    files = espl__tree_get(w->source.document->root, "files");
    s = try_form(w, NULL, NULL);
    for (const espl__tree *e = files ? files->first : NULL; e && !s && !w->fits; e = e->next) {
        const espl__tree *net = espl__tree_get(e, "net");
        if (net && w->followed)
            continue;
        s = net ? follow(w, net->text, result) : try_entry(w, e);
        if (s || (net && w->fits))
            return s;
        entry = e;
    }
    if (!s && !w->fits) {
        entry = NULL;
        s = try_form(w, NULL, NULL);
    }
    return s ? s : open_net(w, entry, result);
}

static espl_status search_forms(search *w, espl_net **result)
{
    espl_status s;

    if (w->source.document)
        return find_form(w, result);
    if ((s = espl__settings_refuse(w->wish.override_document, w->wish.override, w->source.name)) ||
        (s = espl_net_load(w->ctx, w->source.name, result)))
        return s;
    return espl__foreign_own(*result, w->names);
}

espl_status espl__foreign_open(espl_context *ctx, const char *source, const espl__document *document,
                               const espl__tree *settings, const char *const *layers, int count,
                               espl_net **result, espl__foreign *names)
{
    search w = { .ctx = ctx, .layers = layers, .count = count, .names = names };
    espl_status s = espl__settings_check(document, &settings);

    *result = NULL;
    *names = (espl__foreign){ 0 };
    w.wish.override_document = document;
    w.wish.override = settings;
    if (s || (s = espl__source_find(ctx, source, &w.source)))
        return s;
    s = search_forms(&w, result);
    espl__graph_free(w.graph);
    espl__document_free(w.source.document);
    if (s) {
        espl__foreign_free(names);
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}
