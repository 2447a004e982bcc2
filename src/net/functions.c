/* The functions that expressions in net descriptions may call. */
#include "net/functions.h"

#include <math.h>

static double smallest(const double *x, int count)
{
    double found = x[0];

    for (int i = 1; i < count; i++)
        found = x[i] < found ? x[i] : found;
    return found;
}

static double largest(const double *x, int count)
{
    double found = x[0];

    for (int i = 1; i < count; i++)
        found = x[i] > found ? x[i] : found;
    return found;
}

static double total(const double *x, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

static double count_of(const double *x, int count)
{
    (void)x;
    return count;
}

static double round_down(const double *x, int count)
{
    (void)count;
    return floor(x[0]);
}

static double round_up(const double *x, int count)
{
    (void)count;
    return ceil(x[0]);
}

/* halves away from zero */
static double round_nearest(const double *x, int count)
{
    (void)count;
    return round(x[0]);
}

static double magnitude(const double *x, int count)
{
    (void)count;
    return fabs(x[0]);
}

static double root(const double *x, int count)
{
    (void)count;
    return sqrt(x[0]);
}

/* The multiple of x[1] nearest to x[0], one at least, and the next one up where more than a tenth
 * would be lost: how the MobileNets round their channels. */
static double multiple(const double *x, int count)
{
    const double nearest = x[1] * fmax(1, floor(x[0] / x[1] + 0.5));

    (void)count;
    return nearest < 0.9 * x[0] ? nearest + x[1] : nearest;
}

static const espl__function functions[] = {
    { "min", 1, -1, smallest },
    { "max", 1, -1, largest },
    { "sum", 1, -1, total },
    { "count", 0, -1, count_of },
    { "floor", 1, 1, round_down },
    { "ceil", 1, 1, round_up },
    { "round", 1, 1, round_nearest },
    { "abs", 1, 1, magnitude },
    { "sqrt", 1, 1, root },
    { "multiple", 2, 2, multiple },
};

const espl__function *espl__function_find(const char *name)
{
    for (int i = 0; i < ESPL__COUNT(functions); i++)
        if (espl__text_equal(functions[i].name, name))
            return &functions[i];
    return NULL;
}

espl_status espl__function_call(espl_context *ctx, const espl__function *function, const espl__value *arguments,
                                espl__value *result)
{
    const int count = arguments->count;

    if (count < function->least || (function->most >= 0 && count > function->most))
        return espl__fail(ctx, ESPL_BAD_RECIPE, "%s takes %d %s, not %d", function->name, function->least,
                          function->most < 0 ? "values or more" : function->least == 1 ? "value"
                                                                                       : "values",
                          count);
    *result = espl__number(function->compute(arguments->item, count));
    return ESPL_OK;
}

espl_status espl__function_unknown(espl_context *ctx, const char *name)
{
    const char *names[ESPL__COUNT(functions)];

    for (int i = 0; i < ESPL__COUNT(functions); i++)
        names[i] = functions[i].name;
    const char *nearest = espl__text_nearest(name, names, ESPL__COUNT(functions));
    if (nearest)
        return espl__fail(ctx, ESPL_BAD_RECIPE, "there is no function \"%s\"; did you mean \"%s\"?", name, nearest);
    return espl__fail(ctx, ESPL_BAD_RECIPE,
                      "there is no function \"%s\"; there are min, max, sum, count, floor, ceil, round, abs, sqrt and "
                      "multiple",
                      name);
}
