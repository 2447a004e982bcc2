/* What `inspect` shows of each node. */
#include "net/net.h"

#include <espalier/report.h>
#include <stdio.h>
#include <string.h>

/* "stem, unit_1.add" cut with dots where it would not fit. */
static void write_inputs(const espl__graph *graph, const espl__node *node, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < node->input_count; i++) {
        const char *name = graph->nodes[node->inputs[i]].name;
        const int length = snprintf(text + used, bytes - used, "%s%s", i ? ", " : "", name);
        if (length < 0 || used + (size_t)length >= bytes) {
            memcpy(text + bytes - 4, "...", 4);
            return;
        }
        used += (size_t)length;
    }
}

int espl_net_layer_count(const espl_net *net)
{
    return net->graph->node_count;
}

espl_layer espl_net_layer(const espl_net *net, int index)
{
    const espl__graph *graph = net->graph;
    const espl__node *node = &graph->nodes[index];
    espl_layer layer = { .name = node->name, .op = node->op ? node->op->name : "input", .macs = node->macs };

    espl__shape_text(node->shape, layer.shape);
    write_inputs(graph, node, layer.inputs, sizeof layer.inputs);
    layer.activation_bytes = (size_t)espl__shape_size(node->shape) * sizeof(float);
    for (int i = 0; i < node->parameter_count; i++) {
        const espl__parameter_spec *spec = &graph->parameters[node->parameters[i]].spec;
        const int64_t size = espl__shape_size(spec->shape);
        layer.parameter_bytes += (size_t)size * sizeof(float);
        layer.parameters += spec->kind == ESPL_BUFFER ? 0 : size;
    }
    return layer;
}
