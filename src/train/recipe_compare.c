/* Is a checkpoint's recipe the one we have? Two resolved recipes are walked side by side; the first key
 * that differs is told with both its values. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

/* These change nothing in what is computed. Paths may move: the data itself is compared. */
static const char *const free_keys[] = { "checkpoint-every", "data.path", "data.test" };

static bool is_free(const char *path)
{
    for (int i = 0; i < ESPL__COUNT(free_keys); i++)
        if (espl__text_equal(path, free_keys[i]))
            return true;
    return false;
}

typedef struct difference {
    char path[256];
    const espl__tree *there, *here; /* NULL: not there */
} difference;

static bool differ(const char *path, const espl__tree *there, const espl__tree *here, difference *result);

static bool report(const char *path, const espl__tree *there, const espl__tree *here, difference *result)
{
    snprintf(result->path, sizeof result->path, "%s", path);
    result->there = there;
    result->here = here;
    return true;
}

static void join(char whole[256], const char *path, const char *key, int index)
{
    if (key)
        snprintf(whole, 256, "%s%s%s", path, *path ? "." : "", key);
    else
        snprintf(whole, 256, "%s%s%d", path, *path ? "." : "", index);
}

/* Children of maps by key, of lists by place. */
static const espl__tree *partner(const espl__tree *other, const espl__tree *child, int index)
{
    const espl__tree *node = other->first;

    if (child->key)
        return espl__tree_get(other, child->key);
    while (node && index--)
        node = node->next;
    return node;
}

static bool children_differ(const char *path, const espl__tree *there, const espl__tree *here,
                            difference *result)
{
    char whole[256];
    int index = 0;

    for (const espl__tree *child = there->first; child; child = child->next, index++) {
        const espl__tree *other = partner(here, child, index);
        join(whole, path, child->key, index);
        if (!other ? report(whole, child, NULL, result) : differ(whole, child, other, result))
            return true;
    }
    index = 0;
    for (const espl__tree *child = here->first; child; child = child->next, index++) {
        join(whole, path, child->key, index);
        if (!partner(there, child, index))
            return report(whole, NULL, child, result);
    }
    return false;
}

static bool differ(const char *path, const espl__tree *there, const espl__tree *here, difference *result)
{
    if (is_free(path))
        return false;
    if (there->kind != here->kind)
        return report(path, there, here, result);
    if (there->kind == ESPL__SCALAR)
        return espl__text_equal(there->text, here->text) ? false : report(path, there, here, result);
    return children_differ(path, there, here, result);
}

static espl_status describe(espl_context *ctx, const espl__tree *node, espl__text *text)
{
    if (!node)
        return espl__text_add(ctx, text, "absent");
    return espl__tree_empty(node) ? espl__text_add(ctx, text, "empty") : espl__tree_write(ctx, node, text);
}

static espl_status fail(espl_context *ctx, const char *path, const difference *d)
{
    espl__text there = { 0 }, here = { 0 };
    espl_status s;

    if (!(s = describe(ctx, d->there, &there)) && !(s = describe(ctx, d->here, &here)))
        s = espl__fail(ctx, ESPL_BAD_STATE,
                       "%s: belongs to another recipe: %s is %s there and %s here; change it back, or begin "
                       "a new run in another folder",
                       path, d->path, there.data, here.data);
    espl__text_free(ctx, &there);
    espl__text_free(ctx, &here);
    return s;
}

espl_status espl__recipe_compare(espl_context *ctx, const char *path, const char *there, const char *here)
{
    espl__document *a = NULL, *b = NULL;
    difference found = { .path = "" };
    espl_status s;

    if (!strcmp(there, here))
        return ESPL_OK;
    if (!(s = espl__document_parse(ctx, path, there, strlen(there), &a)) &&
        !(s = espl__document_parse(ctx, "recipe", here, strlen(here), &b)) &&
        differ("", a->root, b->root, &found))
        s = fail(ctx, path, &found);
    espl__document_free(a);
    espl__document_free(b);
    return s;
}
