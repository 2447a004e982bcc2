/* Names of layers: scopes that stand in front, numbers for the nameless, and labels to refer to. */
#include "net/layout.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SHOWN 64

espl_status espl__layout_enter(espl__layout *layout, const espl__tree *item, const char *name,
                               espl__scope *scope)
{
    const size_t length = strlen(layout->prefix), more = *name ? strlen(name) + 1 : 0;

    *scope = (espl__scope){ length, layout->counter_count, layout->counter_frame };
    if (!more)
        return ESPL_OK;
    if (length + more >= ESPL__PREFIX_MAX)
        return espl__tree_fail(layout->document, item, ESPL_BAD_RECIPE,
                               "the names \"%s%s\" together are longer than %d characters", layout->prefix, name,
                               ESPL__PREFIX_MAX - 1);
    snprintf(layout->prefix + length, ESPL__PREFIX_MAX - length, "%s.", name);
    layout->counter_frame = layout->counter_count;
    return ESPL_OK;
}

void espl__layout_leave(espl__layout *layout, const espl__scope *scope)
{
    if (strlen(layout->prefix) == scope->prefix_length)
        return;
    layout->prefix[scope->prefix_length] = 0;
    layout->counter_count = scope->counter_count;
    layout->counter_frame = scope->counter_frame;
}

/* Makes room for one more item of `size` bytes. */
static espl_status grow(espl__layout *layout, int count, int *capacity, size_t size, void *pointer)
{
    if (count < *capacity)
        return ESPL_OK;
    const int larger = *capacity ? 2 * *capacity : 32;
    const espl_status s = espl__resize(layout->ctx, (size_t)count, (size_t)larger, size, pointer);
    if (!s)
        *capacity = larger;
    return s;
}

espl_status espl__layout_next_name(espl__layout *layout, const char *what, char name[ESPL__NAME_MAX])
{
    int i = layout->counter_frame;

    while (i < layout->counter_count && !espl__text_equal(layout->counters[i].what, what))
        i++;
    if (i == layout->counter_count) {
        const espl_status s = grow(layout, i, &layout->counter_capacity, sizeof *layout->counters,
                                   &layout->counters);
        if (s)
            return s;
        layout->counters[layout->counter_count++] = (espl__counter){ what, 0 };
    }
    snprintf(name, ESPL__NAME_MAX, "%.48s_%d", what, ++layout->counters[i].count);
    return ESPL_OK;
}

espl_status espl__layout_label(espl__layout *layout, const char *name, int node)
{
    const espl_status s = grow(layout, layout->label_count, &layout->label_capacity, sizeof *layout->labels,
                               &layout->labels);

    if (s)
        return s;
    espl__label *label = &layout->labels[layout->label_count++];
    snprintf(label->name, sizeof label->name, "%s", name);
    label->node = node;
    return ESPL_OK;
}

/* -1 if there is none. A name that was given again means the latest. */
static int find(espl__layout *layout, const char *name)
{
    if (espl__text_equal(name, "previous"))
        return layout->current;
    if (espl__text_equal(name, "input"))
        return layout->input;
    layout->variables.work += layout->label_count - layout->label_frame;
    for (int i = layout->label_count - 1; i >= layout->label_frame; i--)
        if (espl__text_equal(layout->labels[i].name, name))
            return layout->labels[i].node;
    return -1;
}

espl_status espl__layout_refer(espl__layout *layout, const espl__tree *node, int *result)
{
    const char *names[NAMES_SHOWN] = { "input", "previous" };
    char name[ESPL__NAME_MAX];
    int count = 2;
    const espl_status s = espl__layout_text(layout, node, name, sizeof name, NULL);

    if (s)
        return s;
    *result = find(layout, name);
    if (*result >= 0)
        return ESPL_OK;
    for (int i = layout->label_count - 1; i >= layout->label_frame && count < NAMES_SHOWN; i--)
        names[count++] = layout->labels[i].name;
    const char *nearest = espl__text_nearest(name, names, count);
    if (nearest)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE,
                               "no layer before this one is named \"%s\"; did you mean \"%s\"?", name, nearest);
    return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE,
                           "no layer before this one in the same block is named \"%s\"", name);
}

/* For expressions: "conv1.channels". Settings and the input's own sides come before there is a layer. */
static bool shape_of(void *user, const char *name, espl__shape *shape)
{
    espl__layout *layout = user;
    const int node = layout->graph ? find(layout, name) : -1;

    if (node >= 0)
        *shape = layout->graph->nodes[node].shape;
    return node >= 0;
}

espl_status espl__layout_open(espl_context *ctx, const espl__document *document, espl__layout *layout)
{
    memset(layout, 0, sizeof *layout);
    layout->ctx = ctx;
    layout->document = document;
    const espl_status s = espl__variables_open(ctx, &layout->variables);
    layout->variables.shape = shape_of;
    layout->variables.user = layout;
    return s;
}

void espl__layout_free(espl__layout *layout)
{
    espl__variables_free(&layout->variables);
    espl__release(layout->ctx, layout->labels);
    espl__release(layout->ctx, layout->counters);
    espl__graph_free(layout->graph);
    layout->graph = NULL;
}
