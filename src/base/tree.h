/* Recipes and net descriptions as a tree of text with marks: YAML read by libyaml, every scalar left
 * as text for the option table that owns it. Anchors, aliases, tags and several documents are
 * refused; depth and size are limited. */
#ifndef ESPL_TREE_H
#define ESPL_TREE_H

#include "base/base.h"
#include <espalier/technique.h>

typedef enum espl__tree_kind { ESPL__SCALAR,
                               ESPL__LIST,
                               ESPL__MAP } espl__tree_kind;

typedef struct espl__tree {
    espl__tree_kind kind;
    const char *text; /* of a scalar; "" for an empty one */
    bool quoted;
    const char *key;  /* within a map, else NULL */
    int line, column; /* of the value, from 1 */
    int key_line, key_column;
    const char *origin; /* NULL: the document; else what espl__tree_set was told, for messages */
    int count;          /* of children */
    struct espl__tree *first, *next, *parent;
} espl__tree;

/* A parsed file; owns every node and text. */
typedef struct espl__document {
    espl_context *ctx;
    char *name; /* file name used in messages */
    espl__tree *root;
    void *memory;
} espl__document;

espl_status espl__document_load(espl_context *ctx, const char *path, espl__document **result);
espl_status espl__document_parse(espl_context *ctx, const char *name, const char *text, size_t bytes,
                                 espl__document **result);
/* Settings given in a call or on the command line: a map whose braces may be left out
 * ("period: 1ep, stretch: 2"). NULL and "" are the empty map. */
espl_status espl__document_parse_settings(espl_context *ctx, const char *name, const char *text,
                                          espl__document **result);
void espl__document_free(espl__document *document);

espl__tree *espl__tree_get(const espl__tree *map, const char *key); /* NULL if there is none */
/* Whether the node is an empty scalar ("key:" with nothing), which counts as an empty map. */
bool espl__tree_empty(const espl__tree *node);
/* "name:line:column: " in front of the message; `node` NULL: only the name. The message may be the
 * context's last one. */
espl_status espl__tree_fail(const espl__document *document, const espl__tree *node, espl_status status,
                            const char *format, ...) ESPL__PRINTF(4, 5);
/* Fails for the first key of `map` that is none of `known` (ends with NULL), naming the nearest. */
espl_status espl__tree_check_keys(const espl__document *document, const espl__tree *map,
                                  const char *const *known);
/* Writes a map's or list's value over (`set net.depth=32` style): path "a.b.0.c", value YAML text.
 * Missing keys of maps are added, the index after the last appends. A name finds the item of a list
 * of named things: "techniques.prune-weights.sparsity", and "optimizer.sgd.rate" turns
 * `optimizer: sgd` into a map. Nodes of the place may be used no longer. */
espl_status espl__tree_set(espl__document *document, const char *path, const char *value);

/* ---- options (options.c): tables applied to structs. In recipes a name's "_" is written "-" (both
 * are read), so that the field `warm_up` is the key `warm-up`. ---- */

#define ESPL__KEY_MAX 64
/* The option's name as a recipe writes it. */
void espl__option_key(const espl_option *option, char key[ESPL__KEY_MAX]);
const espl_option *espl__option_find(const espl_option *options, const char *key); /* or NULL */

/* Sets every field to its default. A table with an option that must be given leaves that one zero. */
espl_status espl__options_begin(espl_context *ctx, const espl_option *options, void *target);
/* Sets one field from text, written as espl__option_write writes it (texts may be in double quotes or
 * bare); the message begins with the option's name ("sparsity: ..."). Lists are
 * written "[1, 2]" or, if they have one item, without brackets. On failure the field is unchanged. */
espl_status espl__option_set(espl_context *ctx, const espl_option *option, void *target, const char *text);
/* Defaults, then every key of `map` (NULL: none). Unknown keys, wrong types, values out of range and
 * missing ones fail with the place; `what` names the owner in the message (NULL: nothing). */
espl_status espl__options_read(const espl__document *document, const espl__tree *map,
                               const espl_option *options, const char *what, void *target);
/* The field's value as it would be written in a recipe ("[1, 2]", "5ep", "0.1"). */
espl_status espl__option_write(espl_context *ctx, const espl_option *option, const void *target,
                               espl__text *text);
/* "{rate: 0.1, momentum: 0.9}" */
espl_status espl__options_write(espl_context *ctx, const espl_option *options, const void *target,
                                espl__text *text);

#endif
