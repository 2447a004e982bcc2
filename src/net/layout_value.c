/* Values, texts and lists of variables in a description, with the place in front of every message. */
#include "net/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Characters read and variables looked through; the largest nets need a fiftieth of it. */
#define MOST_WORK 50000000

bool espl__is_whole(double number)
{
    return number == floor(number) && fabs(number) <= 0x1p53;
}

/* Points to the character of the scalar's text at which evaluating stopped. */
static espl_status fail_inside(const espl__document *document, const espl__tree *node, int place,
                               espl_status status)
{
    espl__tree at = *node;

    at.column += place + (node->quoted ? 1 : 0);
    return espl__tree_fail(document, &at, status, "%s", espl_message(document->ctx));
}

static espl_status evaluate(espl__layout *layout, const espl__document *document, const espl__tree *node,
                            espl__value *value)
{
    int place = 0;
    espl_status s;

    if (node->kind != ESPL__SCALAR)
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE, "a number or an expression was expected, not a %s",
                               node->kind == ESPL__LIST ? "list" : "map");
    if (espl__tree_empty(node))
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE, "a value is missing");
    if ((s = espl__evaluate(&layout->variables, node->text, value, &place)))
        return fail_inside(document, node, place, s);
    if (layout->variables.work > MOST_WORK)
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE, "laying out this net takes too much work");
    return ESPL_OK;
}

static espl_status evaluate_list(espl__layout *layout, const espl__document *document, const espl__tree *list,
                                 espl__value *value)
{
    *value = (espl__value){ .is_list = true };
    if (list->count > ESPL_LIST_MAX)
        return espl__tree_fail(document, list, ESPL_BAD_RECIPE, "a list can have at most %d items", ESPL_LIST_MAX);
    for (const espl__tree *child = list->first; child; child = child->next) {
        espl__value item = espl__number(0);
        const espl_status s = evaluate(layout, document, child, &item);
        if (s)
            return s;
        if (item.is_list)
            return espl__tree_fail(document, child, ESPL_BAD_RECIPE, "a list was found where a number is needed");
        value->item[value->count++] = item.item[0];
    }
    return ESPL_OK;
}

espl_status espl__layout_value_in(espl__layout *layout, const espl__document *document, const espl__tree *node,
                                  espl__value *value)
{
    return node->kind == ESPL__LIST ? evaluate_list(layout, document, node, value)
                                    : evaluate(layout, document, node, value);
}

espl_status espl__layout_value(espl__layout *layout, const espl__tree *node, espl__value *value)
{
    return espl__layout_value_in(layout, layout->document, node, value);
}

espl_status espl__layout_number(espl__layout *layout, const espl__tree *node, double *number)
{
    espl__value value = espl__number(0);
    const espl_status s = evaluate(layout, layout->document, node, &value);

    *number = value.item[0];
    if (!s && value.is_list)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "a list was found where a number is needed");
    return s;
}

espl_status espl__layout_count(espl__layout *layout, const espl__tree *node, int64_t limit, int64_t *count)
{
    double number = 0;
    const espl_status s = espl__layout_number(layout, node, &number);

    *count = 0;
    if (s)
        return s;
    if (!espl__is_whole(number) || number < 0 || number > (double)limit)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE,
                               "%s is %.15g, but a whole number within 0..%" PRId64 " is needed", node->text, number,
                               limit);
    *count = (int64_t)number;
    return ESPL_OK;
}

/* ---- text ---- */

/* Evaluates what is between the braces and writes its value to `text`. */
static espl_status replace(espl__layout *layout, const espl__tree *node, const char *begin, const char *end,
                           char text[32])
{
    char expression[ESPL__EXPRESSION_MAX + 2];
    espl__value value;
    int place = 0;

    snprintf(expression, sizeof expression, "%.*s", (int)(end - begin), begin);
    const espl_status s = espl__evaluate(&layout->variables, expression, &value, &place);
    if (s)
        return fail_inside(layout->document, node, (int)(begin - node->text) + place, s);
    if (value.is_list)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "{%s} is a list; a number is needed in a text",
                               expression);
    espl__text_from_real(value.item[0], text);
    return ESPL_OK;
}

espl_status espl__layout_text(espl__layout *layout, const espl__tree *node, char *text, size_t bytes,
                              bool *replaced)
{
    size_t used = 0;

    text[0] = 0;
    if (replaced)
        *replaced = false;
    if (node->kind != ESPL__SCALAR)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "a text was expected, not a %s",
                               node->kind == ESPL__LIST ? "list" : "map");
    for (const char *c = node->text; *c; c++) {
        char part[32] = { *c };
        if (*c == '{') {
            const char *end = strchr(c, '}');
            if (!end)
                return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "\"{\" is not closed in \"%.100s\"",
                                       node->text);
            const espl_status s = replace(layout, node, c + 1, end, part);
            if (s)
                return s;
            if (replaced)
                *replaced = true;
            c = end;
        }
        if (used + strlen(part) >= bytes)
            return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "the text is longer than %zu characters",
                                   bytes - 1);
        used += (size_t)snprintf(text + used, bytes - used, "%s", part);
    }
    return ESPL_OK;
}

/* ---- variables ---- */

static espl_status refuse_case(espl__layout *layout, const espl__tree *map, const espl__tree *by, double number)
{
    espl__text cases = { 0 };
    espl_status s = ESPL_OK;

    for (const espl__tree *child = map->first; child && !s; child = child->next)
        if (child != by)
            s = espl__text_add(layout->ctx, &cases, "%s%s", cases.length ? ", " : "", child->key);
    if (!s)
        s = espl__tree_fail(layout->document, by, ESPL_BAD_RECIPE, "%s is %.15g, but it can only be one of: %s", by->text,
                            number, cases.length ? cases.data : "none");
    espl__text_free(layout->ctx, &cases);
    return s;
}

espl_status espl__layout_case(espl__layout *layout, const espl__tree *map, const espl__tree **chosen)
{
    const espl__tree *by = espl__tree_get(map, "by");
    double number, key;

    *chosen = map;
    if (!by)
        return espl__tree_fail(layout->document, map, ESPL_BAD_RECIPE,
                               "a map of cases needs \"by\", the expression that chooses one of them");
    const espl_status s = espl__layout_number(layout, by, &number);
    if (s)
        return s;
    for (const espl__tree *child = map->first; child; child = child->next)
        if (child != by && espl__text_to_real(child->key, &key) && key == number) {
            *chosen = child;
            return ESPL_OK;
        }
    return refuse_case(layout, map, by, number);
}

espl_status espl__layout_let(espl__layout *layout, const espl__tree *map)
{
    espl__value value;
    espl_status s = ESPL_OK;

    if (!map)
        return ESPL_OK;
    if (map->kind != ESPL__MAP)
        return espl__tree_fail(layout->document, map, ESPL_BAD_RECIPE, "names and values were expected");
    for (const espl__tree *child = map->first; child; child = child->next) {
        const espl__tree *node = child;
        if (child->kind == ESPL__MAP)
            s = espl__layout_case(layout, child, &node);
        if (s || (s = espl__layout_value(layout, node, &value)))
            return s;
        if ((s = espl__variables_push(&layout->variables, child->key, &value)))
            return espl__tree_fail(layout->document, child, s, "%s", espl_message(layout->ctx));
    }
    return ESPL_OK;
}
