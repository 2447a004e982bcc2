/* Lists and ranges to look through; see search_space.h. */
#include "train/search_space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- where a value stands in the recipe ---- */

static espl_status fail_unknown(espl_run *run, const espl__tree *node)
{
    return espl__tree_fail(run->recipe.document, node, ESPL_BAD_RECIPE,
                           "search: there is no option \"%s\" at the top, in %s, the loss or a technique of this recipe; "
                           "name it with its place, such as optimizer.sgd.rate",
                           node->key, run->recipe.optimizer->name);
}

static espl_status find_in_techniques(espl_run *run, const espl__tree *node, char path[ESPL__SEARCH_PATH_MAX])
{
    const char *found = NULL;

    for (int i = 0; i < run->member_count; i++) {
        const espl_technique *t = run->members[i].technique;
        if (!t->options || !espl__option_find(t->options, node->key))
            continue;
        if (found)
            return espl__tree_fail(run->recipe.document, node, ESPL_BAD_RECIPE,
                                   "search: %s is an option of %s and of %s; name it with its place, such as "
                                   "techniques.%s.%s",
                                   node->key, found, t->name, found, node->key);
        found = t->name;
    }
    if (!found)
        return fail_unknown(run, node);
    snprintf(path, ESPL__SEARCH_PATH_MAX, "techniques.%s.%s", found, node->key);
    return ESPL_OK;
}

static espl_status find_path(espl_run *run, const espl__tree *node, char path[ESPL__SEARCH_PATH_MAX])
{
    const espl__recipe *r = &run->recipe;
    const char *key = node->key;

    if (strlen(key) > ESPL__SEARCH_PATH_MAX / 2)
        return espl__tree_fail(r->document, node, ESPL_BAD_RECIPE, "search: a name of at most %d bytes was expected",
                               ESPL__SEARCH_PATH_MAX / 2);
    if (espl__text_equal(key, "epochs") || espl__text_equal(key, "search"))
        return espl__tree_fail(r->document, node, ESPL_BAD_RECIPE,
                               "search: %s cannot be searched: a search divides the epochs among its trials", key);
    if (strchr(key, '.') || espl__recipe_has_key(key))
        snprintf(path, ESPL__SEARCH_PATH_MAX, "%s", key);
    else if (espl__option_find(r->optimizer->options, key))
        snprintf(path, ESPL__SEARCH_PATH_MAX, "optimizer.%s.%s", r->optimizer->name, key);
    else if (r->loss->attributes && espl__option_find(r->loss->attributes, key))
        snprintf(path, ESPL__SEARCH_PATH_MAX, "loss.%s.%s", r->loss->name, key);
    else
        return find_in_techniques(run, node, path);
    return ESPL_OK;
}

/* ---- what it may be ---- */

static bool read_end(const char *text, size_t length, double *value, bool *whole)
{
    char copy[64];
    int64_t number;

    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    *whole &= espl__text_to_integer(copy, &number);
    return espl__text_to_real(copy, value);
}

/* "1e-3..1", "log 1e-3..1" */
static bool read_range(const char *text, espl__search_value *v)
{
    v->log = strncmp(text, "log ", 4) == 0;
    v->whole = true;
    text += v->log ? 4 + strspn(text + 4, " ") : 0;
    const char *dots = strstr(text, "..");
    return dots && read_end(text, (size_t)(dots - text), &v->low, &v->whole) &&
           read_end(dots + 2, strlen(dots + 2), &v->high, &v->whole) && v->low < v->high && (!v->log || v->low > 0);
}

static espl_status read_value(espl_run *run, const espl__tree *node, espl__search_value *v)
{
    espl_status s;

    *v = (espl__search_value){ .name = node->key };
    if ((s = find_path(run, node, v->path)))
        return s;
    if (node->kind == ESPL__LIST && node->count)
        v->listed = node;
    else if (node->kind != ESPL__SCALAR || !read_range(node->text, v))
        return espl__tree_fail(run->recipe.document, node, ESPL_BAD_RECIPE,
                               "search: %s: a list such as [1e-4, 5e-4] or a range such as \"log 1e-3..1\", from a lower "
                               "to a higher number, was expected",
                               node->key);
    return ESPL_OK;
}

espl_status espl__search_space_read(espl_run *run, espl__search_space *space)
{
    const espl__tree *search = run->recipe.search;
    espl_status s;

    *space = (espl__search_space){ 0 };
    if (!search)
        return espl__fail(run->ctx, ESPL_BAD_RECIPE,
                          "%s: nothing to search: add a line such as \"search: {rate: log 1e-3..1}\"", run->recipe_path);
    if (search->kind != ESPL__MAP || search->count > ESPL_SEARCH_VALUES_MAX)
        return espl__tree_fail(run->recipe.document, search, ESPL_BAD_RECIPE,
                               "search: a map of 1 to %d values was expected, such as {rate: log 1e-3..1}",
                               ESPL_SEARCH_VALUES_MAX);
    for (const espl__tree *node = search->first; node; node = node->next) {
        if ((s = read_value(run, node, &space->value[space->count])))
            return s;
        space->ranges |= !space->value[space->count++].listed;
    }
    return ESPL_OK;
}

/* ---- trials ---- */

static int64_t choices(const espl__search_value *v, int64_t grid)
{
    return v->listed ? v->listed->count : grid;
}

int64_t espl__search_combinations(const espl__search_space *space, int64_t grid)
{
    int64_t count = 1;

    for (int v = 0; v < space->count; v++) {
        count *= choices(&space->value[v], grid);
        if (count > ESPL_SEARCH_TRIALS_MAX)
            return -1;
    }
    return count;
}

static espl_status add_listed(espl_context *ctx, const espl__search_value *v, int64_t index, espl__text *text)
{
    const espl__tree *item = v->listed->first;

    while (index--)
        item = item->next;
    /* as it was written, for people to read; what is no single value, in flow style */
    return item->kind == ESPL__SCALAR && !item->quoted ? espl__text_add(ctx, text, "%s", item->text)
                                                       : espl__tree_write(ctx, item, text);
}

/* To three digits, which are enough to try and short enough to type. */
static double rounded(double value)
{
    const double digits = value != 0 ? 2 - floor(log10(fabs(value))) : 0, unit = pow(10, fabs(digits));

    return digits > 0 ? round(value * unit) / unit : round(value / unit) * unit;
}

static espl_status add_from_range(espl_context *ctx, const espl__search_value *v, double share, espl__text *text)
{
    const double value = v->log ? v->low * pow(v->high / v->low, share) : v->low + share * (v->high - v->low);
    char written[32];

    espl__text_from_real(fmin(fmax(v->whole ? round(value) : rounded(value), v->low), v->high), written);
    return espl__text_add(ctx, text, "%s", written);
}

espl_status espl__search_grid_text(espl_context *ctx, const espl__search_space *space, int64_t grid, int64_t combination,
                                   int value, espl__text *text)
{
    const espl__search_value *v = &space->value[value];

    for (int later = space->count - 1; later > value; later--)
        combination /= choices(&space->value[later], grid);
    const int64_t index = combination % choices(v, grid);
    if (v->listed)
        return add_listed(ctx, v, index, text);
    return add_from_range(ctx, v, grid > 1 ? (double)index / (double)(grid - 1) : 0.5, text);
}

espl_status espl__search_drawn_text(espl_context *ctx, const espl__search_space *space, uint64_t seed, int64_t draw,
                                    int value, espl__text *text)
{
    const espl__search_value *v = &space->value[value];
    char name[ESPL__SEARCH_PATH_MAX + 16];

    snprintf(name, sizeof name, "search/%s", v->path);
    espl__random random = espl__random_at(espl__stream_of(seed, name), 0, (uint64_t)draw);
    if (v->listed)
        return add_listed(ctx, v, (int64_t)espl__random_below(&random, (uint64_t)v->listed->count), text);
    return add_from_range(ctx, v, espl__random_uniform(&random), text);
}
