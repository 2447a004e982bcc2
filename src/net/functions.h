/* The functions that expressions in net descriptions may call. */
#ifndef ESPL_FUNCTIONS_H
#define ESPL_FUNCTIONS_H

#include "net/expression.h"

typedef struct espl__function {
    const char *name;
    int least, most; /* arguments; most -1: any number */
    double (*compute)(const double *arguments, int count);
} espl__function;

const espl__function *espl__function_find(const char *name); /* or NULL */
/* `arguments` is a list of all of them, or the only one. */
espl_status espl__function_call(espl_context *ctx, const espl__function *function, const espl__value *arguments,
                                espl__value *result);
espl_status espl__function_unknown(espl_context *ctx, const char *name);

#endif
