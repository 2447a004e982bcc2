/* Asking a tree, failing with its marks, and writing values over. */
#include "base/document.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_PATH 32

espl__tree *espl__tree_get(const espl__tree *map, const char *key)
{
    if (!map || map->kind != ESPL__MAP)
        return NULL;
    for (espl__tree *child = map->first; child; child = child->next)
        if (espl__text_equal(child->key, key))
            return child;
    return NULL;
}

bool espl__tree_empty(const espl__tree *node)
{
    return node->kind == ESPL__SCALAR && !*node->text && !node->quoted;
}

static espl_status fail_at(const espl__document *document, const char *origin, int line, int column,
                           espl_status status)
{
    if (origin)
        return espl__fail_within(document->ctx, status, "%s", origin);
    if (!line)
        return espl__fail_within(document->ctx, status, "%s", document->name);
    return espl__fail_within(document->ctx, status, "%s:%d:%d", document->name, line, column);
}

espl_status espl__tree_fail(const espl__document *document, const espl__tree *node, espl_status status,
                            const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    espl__fail(document->ctx, status, "%s", message);
    return fail_at(document, node ? node->origin : NULL, node ? node->line : 0, node ? node->column : 0,
                   status);
}

static int count_of(const char *const *names)
{
    int count = 0;

    while (names[count])
        count++;
    return count;
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (espl__text_equal(*known, key))
            return true;
    return false;
}

static espl_status refuse_key(const espl__document *document, const espl__tree *child,
                              const char *const *known)
{
    const char *nearest = espl__text_nearest(child->key, known, count_of(known));
    espl__text names = { 0 };

    if (nearest) {
        espl__fail(document->ctx, ESPL_BAD_RECIPE, "unknown key \"%s\"; did you mean \"%s\"?", child->key,
                   nearest);
    } else {
        for (const char *const *name = known; *name; name++)
            if (espl__text_add(document->ctx, &names, "%s%s", name == known ? "" : ", ", *name))
                break;
        espl__fail(document->ctx, ESPL_BAD_RECIPE, "unknown key \"%s\"; known are: %s", child->key,
                   names.data ? names.data : "none");
        espl__text_free(document->ctx, &names);
    }
    return fail_at(document, child->origin, child->key_line, child->key_column, ESPL_BAD_RECIPE);
}

espl_status espl__tree_check_keys(const espl__document *document, const espl__tree *map,
                                  const char *const *known)
{
    if (!map || espl__tree_empty(map))
        return ESPL_OK;
    if (map->kind != ESPL__MAP)
        return espl__tree_fail(document, map, ESPL_BAD_RECIPE, "%s was found; keys with values were expected",
                               map->kind == ESPL__LIST ? "a list" : "a single value");
    for (const espl__tree *child = map->first; child; child = child->next)
        if (!is_known(child->key, known))
            return refuse_key(document, child, known);
    return ESPL_OK;
}

/* ---- writing over ---- */

/* One step of a path, "rate" of "optimizer.sgd.rate". */
typedef struct step {
    const char *text;
    size_t length;
} step;

static bool step_is(step s, const char *text)
{
    return strlen(text) == s.length && memcmp(s.text, text, s.length) == 0;
}

/* -1 if it is not written as an index */
static int step_index(step s)
{
    int index = 0;

    if (s.length > 6)
        return -1;
    for (size_t i = 0; i < s.length; i++) {
        if (s.text[i] < '0' || s.text[i] > '9')
            return -1;
        index = index * 10 + (s.text[i] - '0');
    }
    return index;
}

static espl_status add_child(espl__document *document, espl__tree *node, step name, const char *origin,
                             espl__tree **result)
{
    espl__tree *child = NULL, **end = &node->first;
    espl_status status = espl__document_take(document, sizeof *child, &child);

    if (!status && node->kind == ESPL__MAP)
        status = espl__document_take_text(document, name.text, name.length, &child->key);
    if (status)
        return status;
    child->text = "";
    child->origin = origin;
    child->parent = node;
    while (*end)
        end = &(*end)->next;
    *end = child;
    node->count++;
    *result = child;
    return ESPL_OK;
}

static void become_map(espl__tree *node)
{
    node->kind = ESPL__MAP;
    node->text = "";
    node->quoted = false;
}

/* The item called `name` in a list of named things, "- name: {...}" or "- name", or NULL. */
static espl__tree *named_item(const espl__tree *list, step name)
{
    for (espl__tree *item = list->first; item; item = item->next) {
        if (item->kind == ESPL__SCALAR && step_is(name, item->text))
            return item;
        if (item->kind == ESPL__MAP && item->count == 1 && step_is(name, item->first->key))
            return item;
    }
    return NULL;
}

static espl_status step_into_map(espl__document *document, espl__tree *node, step s, const char *origin,
                                 espl__tree **result)
{
    for (espl__tree *child = node->first; child; child = child->next)
        if (step_is(s, child->key)) {
            *result = child;
            return ESPL_OK;
        }
    return add_child(document, node, s, origin, result);
}

static espl_status step_into_list(espl__document *document, espl__tree *node, step s, const char *origin,
                                  espl__tree **result)
{
    const int index = step_index(s);
    espl__tree *item = node->first;

    if (index < 0 || index > node->count)
        return espl__fail(document->ctx, ESPL_BAD_OPTION,
                          "%s: there is a list of %d items without \"%.*s\"; 0 to %d can be set", origin,
                          node->count, (int)s.length, s.text, node->count);
    if (index == node->count)
        return add_child(document, node, s, origin, result);
    for (int i = 0; i < index; i++)
        item = item->next;
    *result = item;
    return ESPL_OK;
}

/* Goes from `node` to its child, making it where that is clear. */
static espl_status step_into(espl__document *document, espl__tree *node, step s, const char *origin,
                             espl__tree **result)
{
    const bool by_name = node->kind == ESPL__LIST && step_index(s) < 0;
    espl__tree *named = by_name ? named_item(node, s) : NULL;

    if (!s.length)
        return espl__fail(document->ctx, ESPL_BAD_OPTION, "%s: a name is missing in the path", origin);
    if (named)
        node = named;
    if (espl__tree_empty(node) || (node->kind == ESPL__SCALAR && step_is(s, node->text)))
        become_map(node);
    if (node->kind == ESPL__MAP)
        return step_into_map(document, node, s, origin, result);
    if (node->kind == ESPL__LIST)
        return step_into_list(document, node, s, origin, result);
    return espl__fail(document->ctx, ESPL_BAD_OPTION,
                      "%s: there is the single value \"%s\" where \"%.*s\" is looked for", origin, node->text,
                      (int)s.length, s.text);
}

static espl_status walk(espl__document *document, const char *path, const char *origin, espl__tree **result)
{
    espl__tree *node = document->root;
    espl_status status = ESPL_OK;

    int steps = 0;
    for (const char *at = path; !status;) {
        const step s = { at, strcspn(at, ".") };
        if (++steps > LONGEST_PATH)
            return espl__fail(document->ctx, ESPL_BAD_OPTION, "%s: the path is too long", origin);
        status = step_into(document, node, s, origin, &node);
        if (!at[s.length])
            break;
        at += s.length + 1;
    }
    *result = node;
    return status;
}

/* `node` keeps its key and place among its siblings and takes the value of `value`. */
static void take_value(espl__tree *node, const espl__tree *value)
{
    node->kind = value->kind;
    node->text = value->text;
    node->quoted = value->quoted;
    node->count = value->count;
    node->first = value->first;
    node->origin = value->origin;
    for (espl__tree *child = node->first; child; child = child->next)
        child->parent = node;
}

espl_status espl__tree_set(espl__document *document, const char *path, const char *value)
{
    espl__text said = { 0 };
    espl__tree *node = NULL, *root = NULL;
    const char *origin = NULL;
    espl_status status = espl__text_add(document->ctx, &said, "set %.100s=%.100s", path, value);

    if (!status)
        status = espl__document_take_text(document, said.data, said.length, &origin);
    espl__text_free(document->ctx, &said);
    if (!status)
        status = espl__document_graft(document, origin, value, strlen(value), &root);
    if (!status)
        status = walk(document, path, origin, &node);
    if (!status)
        take_value(node, root);
    return status;
}
