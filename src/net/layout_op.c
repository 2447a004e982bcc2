/* One operation of a description: its attributes computed, itself added to the graph. */
#include "net/layout.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_TEXT 512

static espl_status refuse_attribute(espl__layout *layout, const espl__op *op, const espl__tree *child)
{
    espl__tree at = *child;
    const char *keys[ESPL_LIST_MAX];
    char names[ESPL_LIST_MAX][ESPL__KEY_MAX];
    int count = 0;

    for (const espl_option *o = op->attributes; o && o->name && count < ESPL_LIST_MAX; o++, count++) {
        espl__option_key(o, names[count]);
        keys[count] = names[count];
    }
    at.line = child->key_line;
    at.column = child->key_column;
    const char *nearest = espl__text_nearest(child->key, keys, count);
    if (nearest)
        return espl__tree_fail(layout->document, &at, ESPL_BAD_RECIPE, "%s has no attribute \"%s\"; did you mean \"%s\"?",
                               op->name, child->key, nearest);
    return espl__tree_fail(layout->document, &at, ESPL_BAD_RECIPE, "%s has no attribute \"%s\"", op->name, child->key);
}

/* A number as the option table reads it. Counts must be whole. */
static espl_status write_number(espl__layout *layout, const espl_option *option, const espl__tree *node,
                                double number, espl__text *text)
{
    const bool count = option->type == ESPL_OPTION_COUNT || option->type == ESPL_OPTION_COUNTS;
    char digits[32];

    if (count && !espl__is_whole(number)) {
        espl__text_from_real(number, digits);
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "%s: %.100s is %s, not a whole number", option->name,
                               node->kind == ESPL__SCALAR ? node->text : "an item", digits);
    }
    if (option->type == ESPL_OPTION_FLAG)
        return espl__text_add(layout->ctx, text, number != 0 ? "yes" : "no");
    if (count)
        return espl__text_add(layout->ctx, text, "%.0f", number);
    espl__text_from_real(number, digits);
    return espl__text_add(layout->ctx, text, "%s", digits);
}

static espl_status write_value(espl__layout *layout, const espl_option *option, const espl__tree *node,
                               espl__text *text)
{
    const bool list = option->type == ESPL_OPTION_COUNTS || option->type == ESPL_OPTION_REALS;
    espl__value value;
    espl_status s = espl__layout_value(layout, node, &value);

    if (s)
        return s;
    if (value.is_list && !list)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "%s is one number, not a list", option->name);
    if (list)
        s = espl__text_add(layout->ctx, text, "[");
    for (int i = 0; i < value.count && !s; i++) {
        s = i ? espl__text_add(layout->ctx, text, ", ") : ESPL_OK;
        if (!s)
            s = write_number(layout, option, node, value.item[i], text);
    }
    return s || !list ? s : espl__text_add(layout->ctx, text, "]");
}

static bool is_computed(const espl_option *option)
{
    return option->type == ESPL_OPTION_COUNT || option->type == ESPL_OPTION_COUNTS ||
           option->type == ESPL_OPTION_REAL || option->type == ESPL_OPTION_REALS ||
           option->type == ESPL_OPTION_FLAG;
}

static espl_status set_attribute(espl__layout *layout, const espl_option *option, const espl__tree *node,
                                 void *attributes)
{
    espl__text text = { 0 };
    char plain[LONGEST_TEXT];
    espl_status s;

    if (is_computed(option)) {
        s = write_value(layout, option, node, &text);
    } else {
        s = espl__layout_text(layout, node, plain, sizeof plain, NULL);
        s = s ? s : espl__text_add(layout->ctx, &text, "%s", plain);
    }
    if (!s && (s = espl__option_set(layout->ctx, option, attributes, text.data)))
        s = espl__tree_fail(layout->document, node, s, "%s", espl_message(layout->ctx));
    espl__text_free(layout->ctx, &text);
    return s;
}

static bool is_given(const espl_option *options, const espl_option *option, const espl__tree *body)
{
    if (body && body->kind != ESPL__MAP)
        return option == options && !espl__tree_empty(body);
    for (const espl__tree *child = body ? body->first : NULL; child; child = child->next)
        if (espl__option_find(options, child->key) == option)
            return true;
    return false;
}

static espl_status check_given(espl__layout *layout, const espl__op *op, const espl__tree *item,
                               const espl__tree *body)
{
    for (const espl_option *o = op->attributes; o && o->name; o++)
        if (!o->fallback && !is_given(op->attributes, o, body))
            return espl__tree_fail(layout->document, body && body->line ? body : item, ESPL_BAD_RECIPE,
                                   "%s needs \"%s\" (%s)", op->name, o->name, o->help);
    return ESPL_OK;
}

static espl_status set_attributes(espl__layout *layout, const espl__op *op, const espl__tree *item,
                                  const espl__tree *body, void *attributes)
{
    espl_status s = op->attributes ? espl__options_begin(layout->ctx, op->attributes, attributes) : ESPL_OK;

    if (s || (s = check_given(layout, op, item, body)) || !body || espl__tree_empty(body))
        return s;
    if (body->kind != ESPL__MAP && !op->attributes)
        return espl__tree_fail(layout->document, body, ESPL_BAD_RECIPE, "%s has no attributes", op->name);
    if (body->kind != ESPL__MAP)
        return set_attribute(layout, op->attributes, body, attributes);
    for (const espl__tree *child = body->first; child; child = child->next) {
        const espl_option *option = espl__option_find(op->attributes, child->key);
        if (!option)
            return refuse_attribute(layout, op, child);
        if ((s = set_attribute(layout, option, child, attributes)))
            return s;
    }
    return ESPL_OK;
}

static espl_status add(espl__layout *layout, const espl__tree *item, const espl__op *op, const char *name,
                       const void *attributes, const int *inputs, int input_count)
{
    char full[ESPL__PREFIX_MAX + ESPL__NAME_MAX], made[ESPL__NAME_MAX];

    if (!*name) {
        const espl_status s = espl__layout_next_name(layout, op->name, made);
        if (s)
            return s;
        name = made;
    }
    snprintf(full, sizeof full, "%s%s", layout->prefix, name);
    const espl_status s = espl__graph_add(layout->graph, op, full, attributes, inputs, input_count, &layout->current);
    return s ? espl__tree_fail(layout->document, item, s, "%s", espl_message(layout->ctx)) : ESPL_OK;
}

espl_status espl__layout_op(espl__layout *layout, const espl__tree *item, const espl__op *op,
                            const espl__tree *body, const char *name, const int *inputs, int input_count)
{
    void *attributes = NULL;
    espl_status s;

    if (op->flags & ESPL__IS_LOSS)
        return espl__tree_fail(layout->document, item, ESPL_BAD_RECIPE,
                               "%s is a loss; the run adds it behind the net's last layer", op->name);
    if (layout->graph->node_count >= ESPL__GRAPH_NODES_MAX)
        return espl__tree_fail(layout->document, item, ESPL_BAD_RECIPE, "the net has more than %d layers",
                               ESPL__GRAPH_NODES_MAX);
    if ((s = espl__allocate(layout->ctx, op->size ? op->size : 1, 1, &attributes)))
        return s;
    if (!(s = set_attributes(layout, op, item, body, attributes)))
        s = add(layout, item, op, name, attributes, inputs, input_count);
    espl__release(layout->ctx, attributes);
    return s;
}
