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

/* Descriptions that are part of the library, for `list`: false past the end. Borrowed for ever. */
bool espl__description_at(int index, const char **name, const char **summary);

#endif
