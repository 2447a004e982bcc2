/* Recipes and nets as text: the tree, and a value written over a place in it. */
#include "base/tree.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__document *document = NULL;

    fuzz_status(ctx, espl__document_parse(ctx, "recipe.yaml", (const char *)data, bytes, &document));
    if (document && document->root->kind == ESPL__MAP) {
        static const char *const known[] = { "net", "data", "epochs", "optimizer", "techniques", NULL };
        fuzz_status(ctx, espl__tree_check_keys(document, document->root, known));
        fuzz_status(ctx, espl__tree_set(document, "optimizer.sgd.rate", "0.1"));
        fuzz_status(ctx, espl__tree_set(document, "techniques.0", "{augment-flip: {}}"));
    }
    espl__document_free(document);
    espl_context_free(ctx);
    return 0;
}
