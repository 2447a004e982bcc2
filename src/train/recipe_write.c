/* Parts of a recipe back as YAML in flow style, on one line. */
#include "train/recipe.h"

#include <string.h>

/* Plain scalars need no quotes if nothing in them could be taken for YAML. */
static bool is_plain(const char *scalar)
{
    if (!*scalar || strchr("-?!&*|>%@`'\" #~", *scalar))
        return *scalar == '-' && scalar[1] >= '0' && scalar[1] <= '9';
    for (const char *c = scalar; *c; c++)
        if ((unsigned char)*c < ' ' || strchr("{}[],:#\"'\\", *c))
            return false;
    return scalar[strlen(scalar) - 1] != ' ';
}

static espl_status write_quoted(espl_context *ctx, const char *scalar, espl__text *text)
{
    espl_status s = espl__text_add(ctx, text, "\"");

    for (const char *c = scalar; *c && !s; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            s = espl__text_add(ctx, text, "\\%c", byte);
        else if (byte < ' ')
            s = espl__text_add(ctx, text, "\\x%02x", byte);
        else
            s = espl__text_add_bytes(ctx, text, c, 1);
    }
    return s ? s : espl__text_add(ctx, text, "\"");
}

espl_status espl__scalar_write(espl_context *ctx, const char *scalar, bool quoted, espl__text *text)
{
    return !quoted && is_plain(scalar) ? espl__text_add(ctx, text, "%s", scalar)
                                       : write_quoted(ctx, scalar, text);
}

espl_status espl__tree_write(espl_context *ctx, const espl__tree *node, espl__text *text)
{
    espl_status s;

    if (node->kind == ESPL__SCALAR)
        return espl__tree_empty(node) ? ESPL_OK : espl__scalar_write(ctx, node->text, node->quoted, text);
    s = espl__text_add(ctx, text, node->kind == ESPL__MAP ? "{" : "[");
    for (const espl__tree *child = node->first; child && !s; child = child->next) {
        if (node->kind == ESPL__MAP) {
            if ((s = espl__scalar_write(ctx, child->key, false, text)) ||
                (s = espl__text_add(ctx, text, espl__tree_empty(child) ? ":" : ": ")))
                return s;
        }
        if (!(s = espl__tree_write(ctx, child, text)) && child->next)
            s = espl__text_add(ctx, text, ", ");
    }
    return s ? s : espl__text_add(ctx, text, node->kind == ESPL__MAP ? "}" : "]");
}
