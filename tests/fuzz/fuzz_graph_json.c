/* The graph of a net file: reading, and writing what could be read. */
#include "fuzz.h"
#include "graph/graph.h"

#include <stdlib.h>

static void write_again(espl_context *ctx, const espl__graph *graph)
{
    espl__text text = { 0 };
    espl__graph *again = NULL;

    if (espl__graph_write(graph, &text) || espl__graph_read(ctx, text.data, text.length, &again))
        abort(); /* what was read must be a graph that can be kept */
    if (again->node_count != graph->node_count || espl__graph_macs(again) != espl__graph_macs(graph))
        abort();
    espl__graph_free(again);
    espl__text_free(ctx, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__graph *graph = NULL;

    fuzz_status(ctx, espl__graph_read(ctx, (const char *)data, bytes, &graph));
    if (graph)
        write_again(ctx, graph);
    espl__graph_free(graph);
    espl_context_free(ctx);
    return 0;
}
