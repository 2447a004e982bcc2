/* Recipes: every option table that one holds. What was read is written and reads back; a recipe is
 * compared with the seed's. */
#include "fuzz.h"
#include "train/checkpoint.h"
#include "train/recipe.h"

#include <string.h>

static const char other[] = "{net: {lenet-5: {classes: 3}}, data: {path: photos}, epochs: 3, batch: 8,"
                            " optimizer: {sgd: {rate: 0.1}}, techniques: [augment-flip]}";

static void write_again(espl_context *ctx, const espl__tree *root)
{
    espl__document *again = NULL;
    espl__text text = { 0 };

    if (espl__tree_write(ctx, root, &text) ||
        espl__document_parse(ctx, "again.yaml", text.data, text.length, &again))
        fuzz_give_up(espl_message(ctx)); /* what was read can be kept */
    if (espl__recipe_compare(ctx, "again", text.data, text.data))
        fuzz_give_up(espl_message(ctx));
    fuzz_status(ctx, espl__recipe_compare(ctx, "checkpoint", other, text.data));
    espl__document_free(again);
    espl__text_free(ctx, &text);
}

static void read_as(espl_context *ctx, const uint8_t *data, size_t bytes, bool whole)
{
    espl__document *document = NULL;
    espl__recipe recipe = { 0 };

    const espl_status s = espl__document_parse(ctx, "recipe.yaml", (const char *)data, bytes, &document);
    fuzz_status(ctx, s ? s : espl__recipe_read(ctx, document, whole, &recipe));
    if (document && whole && !espl__tree_empty(document->root))
        write_again(ctx, document->root);
    espl__recipe_free(&recipe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    read_as(ctx, data, bytes, true);
    read_as(ctx, data, bytes, false);
    espl_context_free(ctx);
    return 0;
}
