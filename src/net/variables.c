/* The names an expression may use. */
#include "net/expression.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = { "if", "else", "and", "or", "not", "yes", "no",
                                     "true", "false", "on", "off" };

espl_status espl__variables_open(espl_context *ctx, espl__variables *variables)
{
    *variables = (espl__variables){ .ctx = ctx };
    return espl__allocate(ctx, ESPL__VARIABLES_MAX, sizeof *variables->stack, &variables->stack);
}

void espl__variables_free(espl__variables *variables)
{
    espl__release(variables->ctx, variables->stack);
    variables->stack = NULL;
}

bool espl__variable_name_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    if (!*name || (*name >= '0' && *name <= '9') || name[strspn(name, letters)])
        return false;
    for (int i = 0; i < ESPL__COUNT(words); i++)
        if (espl__text_equal(words[i], name))
            return false;
    return strlen(name) < ESPL__VARIABLE_NAME_MAX;
}

static const espl__variable *find_between(const espl__variables *variables, int first, int end, const char *name)
{
    for (int i = end - 1; i >= first; i--)
        if (espl__text_equal(variables->stack[i].name, name))
            return &variables->stack[i];
    return NULL;
}

const espl__value *espl__variables_find(const espl__variables *variables, const char *name)
{
    const espl__variable *v = find_between(variables, variables->frame, variables->count, name);

    if (!v)
        v = find_between(variables, 0, variables->globals, name);
    return v ? &v->value : NULL;
}

espl_status espl__variables_push(espl__variables *variables, const char *name, const espl__value *value)
{
    if (!espl__variable_name_valid(name))
        return espl__fail(variables->ctx, ESPL_BAD_RECIPE,
                          "\"%.100s\" cannot be a variable's name; letters, digits and underscores can, and no word "
                          "such as if, and, yes",
                          name);
    if (variables->count == ESPL__VARIABLES_MAX)
        return espl__fail(variables->ctx, ESPL_BAD_RECIPE, "there are more than %d variables", ESPL__VARIABLES_MAX);
    espl__variable *v = &variables->stack[variables->count++];
    snprintf(v->name, sizeof v->name, "%s", name);
    v->value = *value;
    return ESPL_OK;
}

espl__value espl__number(double number)
{
    return (espl__value){ .count = 1, .item = { number } };
}
