/* Graphs that readers of other programs' nets build, with attributes as text. */
#ifndef ESPL_DRAFT_H
#define ESPL_DRAFT_H

#include "graph/graph.h"

/* Adds a node; `attributes` is formatted YAML ("channels: 16, kernel: [3, 3]"), which goes through the op's
 * option table. Fails with the node's name in front. */
espl_status espl__draft_add(espl__graph *graph, const char *op, const char *name, const int *inputs, int count,
                            int *node, const char *attributes, ...) ESPL__PRINTF(7, 8);

#endif
