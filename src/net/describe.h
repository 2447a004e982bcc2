/* Nets by name and from descriptions in YAML (docs/guides/nets.md has the grammar). */
#ifndef ESPL_DESCRIBE_H
#define ESPL_DESCRIBE_H

#include "base/tree.h"
#include "net/net.h"

/* What the data is like, for nets that can adapt: used for the input's shape and the setting `classes`
 * where neither the given settings nor a net file say otherwise. 0: no opinion. */
typedef struct espl__net_fit {
    int64_t channels, height, width;
    int64_t classes;
} espl__net_fit;

/* As espl_net_open, with the settings as a map of `document` (NULL: none), so that messages point into
 * it. `fit` may be NULL. */
espl_status espl__net_make(espl_context *ctx, const char *source, const espl__document *document,
                           const espl__tree *settings, const espl__net_fit *fit, espl_net **result);

/* The net a recipe asks for: `node` is a name or file ("resnet-20") or a map with one key, the name,
 * and the settings as its value ({resnet: {depth: 20}}). */
espl_status espl__net_of_recipe(const espl__document *document, const espl__tree *node,
                                const espl__net_fit *fit, espl_net **result);

/* The names of nets that need no file, for `list`; where a setting is part of a name it is in braces:
 * "resnet-{depth}". NULL past the end. */
typedef struct espl__named_net {
    const char *name, *summary, *paper;
} espl__named_net;
const espl__named_net *espl__named_net_at(int index);

/* The settings of a named net (as espl__named_net_at says it, or "resnet-20"), a line each with tabs
 * between: name, type, default, range, help. ESPL_BAD_OPTION if there is no such net. */
espl_status espl__net_settings_text(espl_context *ctx, const char *name, espl__text *text);

#endif
