/* --set path=value on a recipe: any path, any value; the tree stays a tree and can be walked, and its keys
 * are checked as a recipe's are. */
#include "base/tree.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char recipe[] = "{net: a, b: {c: [1, 2]}, optimizer: sgd, empty: , techniques: [x, y: {z: 1}, {}, [3]]}";

static const char *const known[] = { "net", "b", "empty", "techniques", "optimizer", NULL };

static int nodes_of(const espl__tree *node)
{
    int nodes = 1, children = 0;

    for (const espl__tree *child = node->first; child; child = child->next, children++) {
        if (child->parent != node || (child->key != NULL) != (node->kind == ESPL__MAP) || !child->text)
            abort();
        nodes += nodes_of(child);
    }
    if (children != node->count || (node->kind == ESPL__SCALAR && children))
        abort();
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__document *document = NULL;
    espl__text text = { 0 };

    fuzz_status(ctx, espl__text_add_bytes(ctx, &text, data, bytes));
    if (espl__document_parse(ctx, "recipe.yaml", recipe, strlen(recipe), &document))
        abort();
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
        char *value = strchr(line, '=');
        if (value)
            *value++ = 0;
        fuzz_status(ctx, espl__tree_set(document, line, value ? value : ""));
    }
    nodes_of(document->root);
    fuzz_status(ctx, espl__tree_check_keys(document, document->root, known));
    fuzz_status(ctx, espl__tree_check_keys(document, espl__tree_get(document->root, "b"), known + 4));
    espl__text_free(ctx, &text);
    espl__document_free(document);
    espl_context_free(ctx);
    return 0;
}
