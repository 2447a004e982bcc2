/* Tables of options applied to structs: defaults, a recipe's map, and back into text. */
#include "base/option_value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_ITEM 80
#define MOST_OPTIONS 256

/* ---- names ---- */

void espl__option_key(const espl_option *option, char key[ESPL__KEY_MAX])
{
    snprintf(key, ESPL__KEY_MAX, "%s", option->name);
    for (char *c = key; *c; c++)
        if (*c == '_')
            *c = '-';
}

static bool is_called(const espl_option *option, const char *key)
{
    const char *name = option->name;

    while (*name && (*name == *key || (*name == '_' && *key == '-')))
        name++, key++;
    return !*name && !*key;
}

const espl_option *espl__option_find(const espl_option *options, const char *key)
{
    for (; options && options->name; options++)
        if (is_called(options, key))
            return options;
    return NULL;
}

static espl_status name_option(espl_context *ctx, const espl_option *option, espl_status status)
{
    char key[ESPL__KEY_MAX];

    if (!status)
        return status;
    espl__option_key(option, key);
    return espl__fail_within(ctx, status, "%s", key);
}

/* ---- from text ---- */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* The item at `text` without the blanks around it; returns what follows ("," or "]"), NULL if there is
 * no end to it. */
static const char *take_item(const char *text, char item[LONGEST_ITEM])
{
    const char *begin = skip_blanks(text), *end = begin + strcspn(begin, ",]");
    size_t length = (size_t)(end - begin);

    while (length && (begin[length - 1] == ' ' || begin[length - 1] == '\t'))
        length--;
    if (!*end || length >= LONGEST_ITEM)
        return NULL;
    memcpy(item, begin, length);
    item[length] = 0;
    return end;
}

static espl_status refuse_count(espl_context *ctx)
{
    return espl__fail(ctx, ESPL_BAD_OPTION, "a list can have at most %d items", ESPL_LIST_MAX);
}

/* "[1, 2]" */
static espl_status set_list(espl_context *ctx, const espl_option *option, void *target, const char *text)
{
    const char *at = skip_blanks(text + 1);
    espl_status status = ESPL_OK;
    int count = 0;

    for (bool more = *at != ']'; more && !status; count++) {
        char item[LONGEST_ITEM];
        const char *end = take_item(at, item);
        if (!end)
            return espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" is not a list such as [1, 2]", text);
        if (count == ESPL_LIST_MAX)
            return refuse_count(ctx);
        status = espl__value_read(ctx, option, target, count, item);
        more = *end == ',';
        at = more ? end + 1 : end;
    }
    if (!status && *skip_blanks(at + 1))
        return espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" goes on after the end of the list", text);
    if (!status)
        espl__value_set_count(option, target, count);
    return status;
}

static espl_status set_unnamed(espl_context *ctx, const espl_option *option, void *target, const char *text)
{
    void *field = (char *)target + option->offset;
    espl_durations before; /* the largest of the lists */
    espl_status status = ESPL_OK;

    if (!espl__option_is_list(option))
        return espl__value_read(ctx, option, target, 0, text);
    assert(option->size <= sizeof before);
    memcpy(&before, field, option->size);
    if (*text == '[')
        status = set_list(ctx, option, target, text);
    else
        status = espl__value_read(ctx, option, target, 0, text);
    if (status)
        memcpy(field, &before, option->size);
    else if (*text != '[')
        espl__value_set_count(option, target, 1);
    return status;
}

static espl_status set_from_quoted(espl_context *ctx, const espl_option *option, void *target,
                                   const char *text)
{
    espl__text plain = { 0 };
    espl_status status = espl__text_add_unquoted(ctx, &plain, text);

    if (!status)
        status = espl__value_read(ctx, option, target, 0, plain.data);
    espl__text_free(ctx, &plain);
    return status;
}

espl_status espl__option_set(espl_context *ctx, const espl_option *option, void *target, const char *text)
{
    if (option->type == ESPL_OPTION_TEXT && *text == '"')
        return name_option(ctx, option, set_from_quoted(ctx, option, target, text));
    return name_option(ctx, option, set_unnamed(ctx, option, target, text));
}

espl_status espl__options_begin(espl_context *ctx, const espl_option *options, void *target)
{
    espl_status status = ESPL_OK;

    for (; options && options->name && !status; options++) {
        memset((char *)target + options->offset, 0, options->size);
        if (options->fallback)
            status = espl__option_set(ctx, options, target, options->fallback);
    }
    return status;
}

/* ---- from a tree ---- */

/* Where and to whom it happened, in front of the context's message. */
static espl_status fail_at(const espl__document *document, const espl__tree *node, const char *what,
                           espl_status status)
{
    if (status == ESPL_NO_MEMORY)
        return status;
    if (what && *what)
        espl__fail_within(document->ctx, status, "%s", what);
    return espl__tree_fail(document, node, status, "%s", espl_message(document->ctx));
}

static espl_status refuse_key(const espl__document *document, const espl__tree *child,
                              const espl_option *options, const char *what)
{
    const espl__tree at_key = { .line = child->key_line, .column = child->key_column, .origin = child->origin };
    const char *keys[MOST_OPTIONS];
    char names[MOST_OPTIONS][ESPL__KEY_MAX], all[512] = "none";
    size_t used = 0;
    int count = 0;

    for (; options && options->name && count < MOST_OPTIONS; options++, count++) {
        espl__option_key(options, names[count]);
        keys[count] = names[count];
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", count ? ", " : "", keys[count]);
    }
    const char *nearest = espl__text_nearest(child->key, keys, count);
    if (nearest)
        espl__fail(document->ctx, ESPL_BAD_OPTION, "unknown key \"%s\"; did you mean \"%s\"?", child->key,
                   nearest);
    else
        espl__fail(document->ctx, ESPL_BAD_OPTION, "unknown key \"%s\"; known are: %s", child->key, all);
    return fail_at(document, &at_key, what, ESPL_BAD_OPTION);
}

static espl_status set_from_list(const espl__document *document, const espl__tree *list,
                                 const espl_option *option, const char *what, void *target)
{
    espl_context *ctx = document->ctx;
    int count = 0;

    for (const espl__tree *item = list->first; item; item = item->next, count++) {
        espl_status status = ESPL_OK;
        if (count == ESPL_LIST_MAX)
            status = refuse_count(ctx);
        else if (item->kind != ESPL__SCALAR)
            status = espl__fail(ctx, ESPL_BAD_OPTION, "a value was expected, not a list or a map");
        else
            status = espl__value_read(ctx, option, target, count, item->text);
        if (status)
            return fail_at(document, item, what, name_option(ctx, option, status));
    }
    espl__value_set_count(option, target, count);
    return ESPL_OK;
}

static espl_status set_from_node(const espl__document *document, const espl__tree *node,
                                 const espl_option *option, const char *what, void *target)
{
    espl_context *ctx = document->ctx;
    espl_status status = ESPL_OK;

    if (node->kind == ESPL__LIST && espl__option_is_list(option))
        return set_from_list(document, node, option, what, target);
    if (node->kind != ESPL__SCALAR)
        status = espl__fail(ctx, ESPL_BAD_OPTION, "a single value was expected, not a %s",
                            node->kind == ESPL__LIST ? "list" : "map");
    else if (espl__tree_empty(node) && option->type != ESPL_OPTION_TEXT)
        status = espl__fail(ctx, ESPL_BAD_OPTION, "a value is missing");
    else
        status = set_unnamed(ctx, option, target, node->text);
    return status ? fail_at(document, node, what, name_option(ctx, option, status)) : ESPL_OK;
}

/* "warm-up" and "warm_up" in one map are the same option twice. */
static const espl__tree *twin_of(const espl__tree *child, const espl_option *option)
{
    for (const espl__tree *other = child->parent->first; other != child; other = other->next)
        if (is_called(option, other->key))
            return other;
    return NULL;
}

static espl_status set_from_map(const espl__document *document, const espl__tree *map,
                                const espl_option *options, const char *what, void *target)
{
    for (const espl__tree *child = map->first; child; child = child->next) {
        const espl_option *option = espl__option_find(options, child->key);
        if (!option)
            return refuse_key(document, child, options, what);
        if (twin_of(child, option)) {
            espl__fail(document->ctx, ESPL_BAD_OPTION, "\"%s\" is given twice", child->key);
            return fail_at(document, child, what, ESPL_BAD_OPTION);
        }
        const espl_status status = set_from_node(document, child, option, what, target);
        if (status)
            return status;
    }
    return ESPL_OK;
}

static bool is_given(const espl__tree *map, const espl_option *option)
{
    for (const espl__tree *child = map ? map->first : NULL; child; child = child->next)
        if (is_called(option, child->key))
            return true;
    return false;
}

espl_status espl__options_read(const espl__document *document, const espl__tree *map,
                               const espl_option *options, const char *what, void *target)
{
    espl_context *ctx = document->ctx;
    espl_status status = espl__options_begin(ctx, options, target);

    if (status)
        return fail_at(document, map, what, status);
    if (map && map->kind != ESPL__MAP && !espl__tree_empty(map)) {
        espl__fail(ctx, ESPL_BAD_OPTION, "options such as {name: value} were expected, not a %s",
                   map->kind == ESPL__LIST ? "list" : "single value");
        return fail_at(document, map, what, ESPL_BAD_OPTION);
    }
    if (map)
        status = set_from_map(document, map, options, what, target);
    for (; options && options->name && !status; options++) {
        if (options->fallback || is_given(map, options))
            continue;
        espl__fail(ctx, ESPL_BAD_OPTION, "must be given (%s)", options->help ? options->help : "it has no default");
        status = fail_at(document, map, what, name_option(ctx, options, ESPL_BAD_OPTION));
    }
    return status;
}

/* ---- back into text ---- */

espl_status espl__option_write(espl_context *ctx, const espl_option *option, const void *target,
                               espl__text *text)
{
    if (!espl__option_is_list(option))
        return espl__value_write(ctx, option, target, 0, text);
    const int count = espl__value_count(option, target);
    espl_status status = espl__text_add(ctx, text, "[");
    for (int i = 0; i < count && !status; i++) {
        status = i ? espl__text_add(ctx, text, ", ") : ESPL_OK;
        if (!status)
            status = espl__value_write(ctx, option, target, i, text);
    }
    return status ? status : espl__text_add(ctx, text, "]");
}

espl_status espl__options_write(espl_context *ctx, const espl_option *options, const void *target,
                                espl__text *text)
{
    const espl_option *first = options;
    espl_status status = espl__text_add(ctx, text, "{");

    for (; options && options->name && !status; options++) {
        char key[ESPL__KEY_MAX];
        espl__option_key(options, key);
        status = espl__text_add(ctx, text, "%s%s: ", options == first ? "" : ", ", key);
        if (!status)
            status = espl__option_write(ctx, options, target, text);
    }
    return status ? status : espl__text_add(ctx, text, "}");
}
