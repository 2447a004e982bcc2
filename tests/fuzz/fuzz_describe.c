/* Net descriptions: settings, expressions, loops and layers. Up to a zero byte, if there is one, stand
 * the caller's settings, as for data of 4x9x8 with 5 classes and a name that gives "given" and the
 * constants of the first entry of "names". */
#include "fuzz.h"
#include "net/description.h"

#include <string.h>

static espl_status describe(espl_context *ctx, const espl__document *document, const espl__document *settings)
{
    static const espl__given given = { .count = 1, .item = { { "given", 3 } } };
    static const espl__net_fit fit = { .channels = 4, .height = 9, .width = 8, .classes = 5 };
    const espl__tree *names = espl__tree_get(document->root, "names");
    espl__wish wish = { .document = document, .fallback_name = "net" };
    char name[ESPL__NET_NAME_MAX];
    espl__graph *graph = NULL;

    if (settings) {
        wish.override_document = settings;
        wish.override = settings->root;
        wish.constants = names && names->first && names->first->kind == ESPL__MAP ? names->first : NULL;
        wish.given = &given;
        wish.fit = strchr(settings->root->text, '-') ? NULL : &fit;
    }
    const espl_status s = espl__describe_graph(ctx, &wish, name, &graph);
    espl__graph_free(graph);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const uint8_t *zero = bytes ? memchr(data, 0, bytes) : NULL;
    const uint8_t *text = zero ? zero + 1 : data;
    espl_context *ctx = fuzz_context();
    espl__document *document = NULL, *settings = NULL;
    espl_status s = espl__document_parse(ctx, "net.yaml", (const char *)text, bytes - (size_t)(text - data), &document);

    if (!s && zero)
        s = espl__document_parse_settings(ctx, "settings", (const char *)data, &settings);
    fuzz_status(ctx, s ? s : describe(ctx, document, settings));
    espl__document_free(settings);
    espl__document_free(document);
    espl_context_free(ctx);
    return 0;
}
