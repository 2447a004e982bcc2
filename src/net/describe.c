/* From a description to a net: settings, input, checks and variables first, then the layers. */
#include "net/describe.h"
#include "net/description.h"
#include "net/layout.h"

#include <stdio.h>
#include <string.h>

#define LARGEST_SIDE ((int64_t)1 << 24)

typedef struct maker {
    const espl__wish *wish;
    const espl__tree *root;
    espl__layout layout;
} maker;

static const espl__tree *part(const maker *m, const char *key)
{
    const espl__tree *found = espl__tree_get(m->root, key);

    return found && !espl__tree_empty(found) ? found : NULL;
}

static espl_status check_form(maker *m)
{
    static const char *const keys[] = { "name", "summary", "paper", "names", "settings", "input", "require",
                                        "let", "blocks", "layers", "files", NULL };
    static const char *const maps[] = { "names", "settings", "input", "require", "let", "blocks" };
    const espl__document *document = m->wish->document;
    const espl_status s = espl__tree_check_keys(document, m->root, keys);

    if (s)
        return s;
    for (int i = 0; i < ESPL__COUNT(maps); i++)
        if (part(m, maps[i]) && part(m, maps[i])->kind != ESPL__MAP)
            return espl__tree_fail(document, part(m, maps[i]), ESPL_BAD_RECIPE,
                                   "\"%s\" must be a map of names and values", maps[i]);
    if (!part(m, "layers"))
        return espl__tree_fail(document, m->root, ESPL_BAD_RECIPE, "a net needs \"layers\", a list of them");
    return ESPL_OK;
}

/* ---- settings ---- */

static const espl__tree *overridden(const maker *m, const char *name)
{
    return espl__tree_get(m->wish->override, name);
}

/* What the net's name says of a setting: a number in it, or the description's constants for it. */
static bool named(maker *m, const espl__tree *setting, espl__value *value, espl_status *status)
{
    const espl__given *given = m->wish->given;
    const espl__tree *constant = espl__tree_get(m->wish->constants, setting->key);

    *status = ESPL_OK;
    for (int i = 0; given && i < given->count; i++)
        if (espl__text_equal(given->item[i].name, setting->key)) {
            *value = espl__number(given->item[i].value);
            return true;
        }
    if (constant)
        *status = espl__layout_value(&m->layout, constant, value);
    return constant != NULL;
}

static espl_status setting_value(maker *m, const espl__tree *setting, espl__value *value)
{
    const espl__tree *override = overridden(m, setting->key);
    const espl__net_fit *fit = m->wish->fit;
    espl_status s;

    if (named(m, setting, value, &s)) {
        if (!s && override)
            s = espl__tree_fail(m->wish->override_document, override, ESPL_BAD_RECIPE,
                                "\"%s\" is already said by the name of the net", setting->key);
        return s;
    }
    if (override)
        return espl__layout_value_in(&m->layout, m->wish->override_document, override, value);
    if (fit && fit->classes > 0 && espl__text_equal(setting->key, "classes")) {
        *value = espl__number((double)fit->classes);
        return ESPL_OK;
    }
    const espl__tree *other = espl__tree_get(m->wish->defaults, setting->key);
    return espl__layout_value(&m->layout, other ? other : setting, value);
}

static espl_status check_overrides(maker *m, const espl__tree *settings)
{
    const char *known[ESPL__VARIABLES_MAX + 2] = { "input" };
    int count = 1;

    if (settings && settings->count > ESPL__VARIABLES_MAX)
        return espl__tree_fail(m->wish->document, settings, ESPL_BAD_RECIPE, "there are more than %d settings",
                               ESPL__VARIABLES_MAX);
    for (const espl__tree *child = settings ? settings->first : NULL; child; child = child->next)
        known[count++] = child->key;
    return m->wish->override ? espl__tree_check_keys(m->wish->override_document, m->wish->override, known) : ESPL_OK;
}

static espl_status read_settings(maker *m)
{
    const espl__tree *settings = part(m, "settings");
    espl__value value;
    espl_status s = check_overrides(m, settings);

    for (const espl__tree *child = settings ? settings->first : NULL; child && !s; child = child->next) {
        if ((s = setting_value(m, child, &value)))
            return s;
        if ((s = espl__variables_push(&m->layout.variables, child->key, &value)))
            s = espl__tree_fail(m->wish->document, child, s, "%s", espl_message(m->layout.ctx));
    }
    return s;
}

/* ---- input ---- */

/* The given side of an override, written {channels: 1, height: 28, width: 28} or [1, 28, 28]. */
static const espl__tree *overridden_side(const espl__tree *override, int side, const char *name)
{
    if (!override || override->kind == ESPL__MAP)
        return espl__tree_get(override, name);
    const espl__tree *item = override->first;
    while (item && side-- > 0)
        item = item->next;
    return item;
}

static espl_status read_side(maker *m, int side, const char *name, int64_t of_data, int64_t *result)
{
    const espl__tree *override = overridden_side(overridden(m, "input"), side, name);
    const espl__tree *own = espl__tree_get(part(m, "input"), name);
    const espl__document *document = override ? m->wish->override_document : m->wish->document;
    const espl__tree *node = override ? override : own;
    espl__value value;

    *result = of_data;
    if (!override && of_data > 0)
        return ESPL_OK;
    if (!node)
        return espl__tree_fail(document, m->root, ESPL_BAD_RECIPE, "\"input\" does not say %s of the input", name);
    const espl_status s = espl__layout_value_in(&m->layout, document, node, &value);
    if (s)
        return s;
    if (value.is_list || !espl__is_whole(value.item[0]) || value.item[0] < 1 || value.item[0] > (double)LARGEST_SIDE)
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE, "%s of the input must be a whole number of 1 or more", name);
    *result = (int64_t)value.item[0];
    return ESPL_OK;
}

static espl_status check_input_override(maker *m)
{
    static const char *const sides[] = { "channels", "height", "width", NULL };
    const espl__tree *override = overridden(m, "input");
    espl_status s = espl__tree_check_keys(m->wish->document, part(m, "input"), sides);

    if (s || !override)
        return s;
    if (override->kind == ESPL__MAP)
        return espl__tree_check_keys(m->wish->override_document, override, sides);
    if (override->kind != ESPL__LIST || override->count != 3)
        return espl__tree_fail(m->wish->override_document, override, ESPL_BAD_RECIPE,
                               "\"input\" is {channels: 3, height: 32, width: 32} or [3, 32, 32]");
    return ESPL_OK;
}

static espl_status read_input(maker *m)
{
    const espl__net_fit none = { 0 }, *fit = m->wish->fit ? m->wish->fit : &none;
    int64_t channels, height, width;
    espl_status s;

    if ((s = check_input_override(m)) || (s = read_side(m, 0, "channels", fit->channels, &channels)) ||
        (s = read_side(m, 1, "height", fit->height, &height)) || (s = read_side(m, 2, "width", fit->width, &width)))
        return s;
    s = espl__graph_open(m->layout.ctx, espl__shape_planes(channels, height, width), &m->layout.graph);
    return s ? espl__tree_fail(m->wish->document, part(m, "input"), s, "%s", espl_message(m->layout.ctx)) : ESPL_OK;
}

/* ---- the rest ---- */

/* {depth % 6 == 2: "the depth of these nets is 6n+2"} */
static espl_status check_requirements(maker *m)
{
    const espl__tree *map = part(m, "require");

    for (const espl__tree *child = map ? map->first : NULL; child; child = child->next) {
        const espl__tree condition = { .kind = ESPL__SCALAR, .text = child->key, .line = child->key_line, .column = child->key_column };
        char message[256];
        double holds = 0;
        espl_status s = espl__layout_number(&m->layout, &condition, &holds);
        if (!s && holds == 0 && !(s = espl__layout_text(&m->layout, child, message, sizeof message, NULL)))
            s = espl__tree_fail(m->wish->document, child, ESPL_BAD_RECIPE, "%s", message);
        if (s)
            return s;
    }
    return ESPL_OK;
}

static espl_status check_used(maker *m)
{
    int unused = 0;
    const espl_status s = espl__graph_unused(m->layout.graph, &unused);

    if (s || unused < 0)
        return s;
    return espl__tree_fail(m->wish->document, part(m, "layers"), ESPL_BAD_RECIPE,
                           "the layer \"%s\" does not lead to the last one; nothing uses what it computes",
                           m->layout.graph->nodes[unused].name);
}

static espl_status lay_out(maker *m)
{
    espl__layout *layout = &m->layout;
    espl_status s = espl__layout_let(layout, part(m, "let"));

    if (s)
        return s;
    layout->variables.globals = layout->variables.frame = layout->variables.count;
    layout->blocks = part(m, "blocks");
    if ((s = espl__layout_layers(layout, part(m, "layers"))))
        return s;
    if (layout->graph->node_count == 1)
        return espl__tree_fail(m->wish->document, part(m, "layers"), ESPL_BAD_RECIPE, "the net has no layers");
    layout->graph->output = layout->current;
    return check_used(m);
}

static espl_status find_name(maker *m, char text[ESPL__NET_NAME_MAX])
{
    const espl__tree *name = part(m, "name");
    espl_status s;

    snprintf(text, ESPL__NET_NAME_MAX, "%s", m->wish->fallback_name);
    if (name && name->kind == ESPL__MAP && (s = espl__layout_case(&m->layout, name, &name)))
        return s;
    return name ? espl__layout_text(&m->layout, name, text, ESPL__NET_NAME_MAX, NULL) : ESPL_OK;
}

espl_status espl__describe_graph(espl_context *ctx, const espl__wish *wish, char name[ESPL__NET_NAME_MAX],
                                 espl__graph **result)
{
    maker *m = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(ctx, 1, sizeof *m, &m)))
        return s;
    m->wish = wish;
    m->root = wish->document->root;
    if (!(s = espl__layout_open(ctx, wish->document, &m->layout)) && !(s = check_form(m)) && !(s = read_settings(m)) &&
        !(s = read_input(m)) && !(s = check_requirements(m)) && !(s = lay_out(m)) && !(s = find_name(m, name))) {
        *result = m->layout.graph;
        m->layout.graph = NULL;
    }
    espl__layout_free(&m->layout);
    espl__release(ctx, m);
    return s;
}

espl_status espl__describe(espl_context *ctx, const espl__wish *wish, espl_net **result)
{
    char name[ESPL__NET_NAME_MAX];
    espl__graph *graph;
    const espl_status s = espl__describe_graph(ctx, wish, name, &graph);

    *result = NULL;
    return s ? s : espl__net_open(graph, name, result);
}
