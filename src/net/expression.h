/* Arithmetic in net descriptions: numbers, lists of numbers, names, and what can be asked of shapes.
 *
 *     16 * width        (depth - 2) / 6       64 if depth > 20 else 32      blocks[stage]
 *     max(8, round(channels * 0.25))          previous.channels != channels and not plain
 *
 * All numbers are doubles; a count is a number that happens to be whole. yes, true and on are 1; no,
 * false and off are 0. */
#ifndef ESPL_EXPRESSION_H
#define ESPL_EXPRESSION_H

#include "tensor/shape.h"
#include <espalier/technique.h> /* ESPL_LIST_MAX */

#define ESPL__EXPRESSION_MAX 500 /* characters */
#define ESPL__VARIABLES_MAX 256
#define ESPL__VARIABLE_NAME_MAX 64

typedef struct espl__value {
    bool is_list;
    int count; /* of items; 1 for a number */
    double item[ESPL_LIST_MAX];
} espl__value;

typedef struct espl__variable {
    char name[ESPL__VARIABLE_NAME_MAX];
    espl__value value;
} espl__variable;

/* What an expression may name. Variables form a stack: those below `globals` are seen everywhere, those
 * from `frame` on only by the block that is being laid out. */
typedef struct espl__variables {
    espl_context *ctx;
    espl__variable *stack; /* ESPL__VARIABLES_MAX of them */
    int count, globals, frame;
    /* "conv1.channels": the shape of a named value; false if there is none of this name */
    bool (*shape)(void *user, const char *name, espl__shape *shape);
    void *user;
    int64_t work; /* grows with what evaluating has cost, so that it can be limited */
} espl__variables;

espl_status espl__variables_open(espl_context *ctx, espl__variables *variables);
void espl__variables_free(espl__variables *variables);
/* Puts a variable on top, where it hides an older one of its name; `count` put back takes it away. */
espl_status espl__variables_push(espl__variables *variables, const char *name, const espl__value *value);
const espl__value *espl__variables_find(const espl__variables *variables, const char *name); /* or NULL */
/* Whether `name` can be a variable's: letters, digits, underscores; no word of the grammar. */
bool espl__variable_name_valid(const char *name);

espl__value espl__number(double number);

/* Evaluates `text`. After a failure the context's message says why and `*place` where in the text. */
espl_status espl__evaluate(espl__variables *variables, const char *text, espl__value *result, int *place);

#endif
