/* Laying out the layers of a description: what is known on the way, and the parts of the work. The
 * grammar is in docs/guides/nets.md. */
#ifndef ESPL_LAYOUT_H
#define ESPL_LAYOUT_H

#include "base/tree.h"
#include "graph/graph.h"
#include "net/expression.h"

#define ESPL__NAME_MAX 64    /* of a layer, as it is written */
#define ESPL__PREFIX_MAX 128 /* of the scopes around it */
#define ESPL__LAYOUT_DEPTH 24
#define ESPL__ARGUMENTS_MAX 16

/* A layer that can be referred to. */
typedef struct espl__label {
    char name[ESPL__NAME_MAX];
    int node;
} espl__label;

/* How many nameless layers of a kind one scope has. */
typedef struct espl__counter {
    const char *what;
    int count;
} espl__counter;

typedef struct espl__layout {
    espl_context *ctx;
    const espl__document *document;
    const espl__tree *blocks; /* the map of them, or NULL */
    espl__graph *graph;
    espl__variables variables;
    espl__label *labels; /* those from label_frame on are seen */
    int label_count, label_capacity, label_frame;
    espl__counter *counters; /* those from counter_frame on are this scope's */
    int counter_count, counter_capacity, counter_frame;
    char prefix[ESPL__PREFIX_MAX];                /* "stage_2.unit_1." */
    int input;                                    /* node that came into the block */
    int current;                                  /* node that the next layer takes */
    const espl__tree *active[ESPL__LAYOUT_DEPTH]; /* blocks within which we are */
    int active_count, depth;
} espl__layout;

espl_status espl__layout_open(espl_context *ctx, const espl__document *document, espl__layout *layout);
void espl__layout_free(espl__layout *layout); /* the graph too, if it is still there */

/* Lays out a list of layers behind `current`. */
espl_status espl__layout_layers(espl__layout *layout, const espl__tree *list);

/* ---- layout_value.c: what a place of the tree says; messages point to it ---- */

espl_status espl__layout_value(espl__layout *layout, const espl__tree *node, espl__value *value);
/* The same in another document, such as the recipe that overrides a setting. */
espl_status espl__layout_value_in(espl__layout *layout, const espl__document *document, const espl__tree *node,
                                  espl__value *value);
espl_status espl__layout_number(espl__layout *layout, const espl__tree *node, double *number);
/* A whole number within 0..limit. */
espl_status espl__layout_count(espl__layout *layout, const espl__tree *node, int64_t limit, int64_t *count);
/* Text in which {expression} is replaced by its value. `replaced` (may be NULL): whether there was one. */
espl_status espl__layout_text(espl__layout *layout, const espl__tree *node, char *text, size_t bytes,
                              bool *replaced);
/* {by: depth, 11: [1, 1, 2, 2, 2], 16: [2, 2, 3, 3, 3]}: the value whose key is what "by" gives. */
espl_status espl__layout_case(espl__layout *layout, const espl__tree *map, const espl__tree **chosen);
/* Computes each value of a map and pushes it as a variable. */
espl_status espl__layout_let(espl__layout *layout, const espl__tree *map);
bool espl__is_whole(double number);

/* ---- layout_op.c ---- */

/* Adds one operation. `body` holds its attributes: a map, a value for the first one, or NULL. `name` is
 * the layer's own name or "". */
espl_status espl__layout_op(espl__layout *layout, const espl__tree *item, const espl__op *op,
                            const espl__tree *body, const char *name, const int *inputs, int input_count);

/* ---- layout_names.c: scopes, labels, numbers for the nameless ---- */

typedef struct espl__scope {
    size_t prefix_length;
    int counter_count, counter_frame;
} espl__scope;

/* Names within begin with "name." until the scope is left. An empty name opens none. */
espl_status espl__layout_enter(espl__layout *layout, const espl__tree *item, const char *name,
                               espl__scope *scope);
void espl__layout_leave(espl__layout *layout, const espl__scope *scope);
/* "conv2d_3": the next free name of its kind in this scope. */
espl_status espl__layout_next_name(espl__layout *layout, const char *what, char name[ESPL__NAME_MAX]);
espl_status espl__layout_label(espl__layout *layout, const char *name, int node);
/* The node that `node`'s text refers to: a label, "input" or "previous". */
espl_status espl__layout_refer(espl__layout *layout, const espl__tree *node, int *result);

#endif
