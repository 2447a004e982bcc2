/* Adding nodes to a draft. */
#include "formats/draft.h"

#include "base/tree.h"

#include <stdio.h>

static espl_status add(espl__graph *graph, const espl__op *op, const char *name, const int *inputs, int count, int *node,
                       const char *text)
{
    espl__document *document = NULL;
    void *attributes = NULL;
    espl_status s = espl__allocate(graph->ctx, op->size ? op->size : 1, 1, &attributes);

    if (!s && op->attributes && !(s = espl__document_parse_settings(graph->ctx, name, text, &document)))
        s = espl__options_read(document, document->root, op->attributes, op->name, attributes);
    if (!s)
        s = espl__graph_add(graph, op, name, attributes, inputs, count, node);
    espl__document_free(document);
    espl__release(graph->ctx, attributes);
    return s;
}

espl_status espl__draft_add(espl__graph *graph, const char *op, const char *name, const int *inputs, int count, int *node,
                            const char *attributes, ...)
{
    const espl__op *found = espl__op_find(op);
    char text[512];
    va_list arguments;

    va_start(arguments, attributes);
    const int length = vsnprintf(text, sizeof text, attributes, arguments);
    va_end(arguments);
    if (!found || length < 0 || length >= (int)sizeof text)
        return espl__fail(graph->ctx, ESPL_UNSUPPORTED, "%s: needs the operation \"%s\" in a form that is not there", name, op);
    if (graph->node_count >= ESPL__GRAPH_NODES_MAX)
        return espl__fail(graph->ctx, ESPL_BAD_FILE, "%s: there are more than %d nodes", name, ESPL__GRAPH_NODES_MAX);
    return add(graph, found, name, inputs, count, node, text);
}
