/* Recipes and net descriptions as a tree of text with marks: YAML read by libyaml, every scalar left
 * as text for the option table that owns it. Anchors, aliases, tags and several documents are
 * refused; depth and size are limited. */
#ifndef ESPL_TREE_H
#define ESPL_TREE_H

#include "base/base.h"
#include <espalier/technique.h>

typedef enum espl__tree_kind { ESPL__SCALAR, ESPL__LIST, ESPL__MAP } espl__tree_kind;

typedef struct espl__tree {
    espl__tree_kind kind;
    const char *text;      /* of a scalar; "" for an empty one */
    bool quoted;
    const char *key;       /* within a map, else NULL */
    int line, column;      /* of the value, from 1 */
    int key_line, key_column;
    int count;             /* of children */
    struct espl__tree *first, *next, *parent;
} espl__tree;

/* A parsed file; owns every node and text. */
typedef struct espl__document {
    espl_context *ctx;
    char *name;            /* file name used in messages */
    espl__tree *root;
    void *memory;
} espl__document;

espl_status espl__document_load(espl_context *ctx, const char *path, espl__document **result);
espl_status espl__document_parse(espl_context *ctx, const char *name, const char *text, size_t bytes,
                                 espl__document **result);
void espl__document_free(espl__document *document);

espl__tree *espl__tree_get(const espl__tree *map, const char *key); /* NULL if there is none */
/* "name:line:column: " in front of the message; `node` NULL: only the name. */
espl_status espl__tree_fail(const espl__document *document, const espl__tree *node, espl_status status,
                            const char *format, ...) ESPL__PRINTF(4, 5);
/* Fails for the first key of `map` that is none of `known` (ends with NULL), naming the nearest. */
espl_status espl__tree_check_keys(const espl__document *document, const espl__tree *map,
                                  const char *const *known);
/* Writes a map's or list's value over (`set net.depth=32` style): path "a.b.0.c", value YAML text. */
espl_status espl__tree_set(espl__document *document, const char *path, const char *value);

/* ---- options (options.c): tables applied to structs ---- */

/* Sets every field to its default. A table with an option that must be given leaves that one zero. */
espl_status espl__options_begin(espl_context *ctx, const espl_option *options, void *target);
/* Sets one field from text. `what` is put in front of the message ("prune-weights: sparsity: "). */
espl_status espl__option_set(espl_context *ctx, const espl_option *option, void *target, const char *text);
/* Defaults, then every key of `map` (NULL: none). Unknown keys, wrong types, values out of range and
 * missing ones fail with the place; `what` names the owner in the message. */
espl_status espl__options_read(const espl__document *document, const espl__tree *map,
                               const espl_option *options, const char *what, void *target);
/* The field's value as it would be written in a recipe ("[1, 2]", "5ep", "0.1"). */
espl_status espl__option_write(espl_context *ctx, const espl_option *option, const void *target,
                               espl__text *text);
/* "{rate: 0.1, momentum: 0.9}" */
espl_status espl__options_write(espl_context *ctx, const espl_option *options, const void *target,
                                espl__text *text);

#endif
