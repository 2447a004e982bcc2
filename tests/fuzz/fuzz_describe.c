/* Net descriptions: settings, expressions, loops and layers. */
#include "fuzz.h"
#include "net/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__document *document = NULL;
    espl__graph *graph = NULL;
    char name[ESPL__NET_NAME_MAX];
    espl_status s = espl__document_parse(ctx, "net.yaml", (const char *)data, bytes, &document);

    if (!s)
        s = espl__describe_graph(ctx, &(espl__wish){ .document = document, .fallback_name = "net" }, name, &graph);
    fuzz_status(ctx, s);
    espl__graph_free(graph);
    espl__document_free(document);
    espl_context_free(ctx);
    return 0;
}
