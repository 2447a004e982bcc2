/* Parts of a recipe back as YAML in flow style, on one line. */
#include "train/recipe.h"

#include <string.h>

/* A longer key is written behind a "?": libyaml takes at most 1024 characters for one without. */
#define LONGEST_KEY 128 /* an escaped character takes six */

static espl_status write_key(espl_context *ctx, const espl__tree *child, espl__text *text)
{
    espl_status s;

    if ((s = espl__text_add(ctx, text, strlen(child->key) > LONGEST_KEY ? "? " : "")) ||
        (s = espl__text_add_quoted(ctx, text, child->key)))
        return s;
    return espl__text_add(ctx, text, ": "); /* also before nothing: libyaml does not read "{key:}" */
}

/* A value with nothing in it is left out behind a key; in a list it would be lost. */
static espl_status write_children(espl_context *ctx, const espl__tree *node, espl__text *text)
{
    const bool map = node->kind == ESPL__MAP;
    espl_status s = ESPL_OK;

    for (const espl__tree *child = node->first; child && !s; child = child->next) {
        if (map)
            s = write_key(ctx, child, text);
        if (!s && espl__tree_empty(child))
            s = espl__text_add(ctx, text, map ? "" : "\"\"");
        else if (!s)
            s = espl__tree_write(ctx, child, text);
        if (!s && child->next)
            s = espl__text_add(ctx, text, ", ");
    }
    return s;
}

espl_status espl__tree_write(espl_context *ctx, const espl__tree *node, espl__text *text)
{
    const bool map = node->kind == ESPL__MAP;
    espl_status s;

    if (node->kind == ESPL__SCALAR)
        return espl__tree_empty(node) ? ESPL_OK : espl__text_add_quoted(ctx, text, node->text);
    if ((s = espl__text_add(ctx, text, map ? "{" : "[")) || (s = write_children(ctx, node, text)))
        return s;
    return espl__text_add(ctx, text, map ? "}" : "]");
}
