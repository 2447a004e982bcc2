/* A net: a graph and the values of its parameters. */
#include "net/net.h"

#include <string.h>

static espl_status check_size(const espl__graph *graph, const char *name)
{
    const size_t limit = espl__memory_limit(graph->ctx);
    size_t total = 0;

    for (int i = 0; i < graph->parameter_count; i++) {
        const size_t bytes = (size_t)espl__shape_size(graph->parameters[i].spec.shape) * sizeof(float);
        total = bytes > SIZE_MAX - total ? SIZE_MAX : total + bytes;
    }
    if (total <= limit)
        return ESPL_OK;
    return espl__fail(graph->ctx, ESPL_NO_MEMORY,
                      "%s: the parameters alone need %.1f GB of memory, but only %.1f GB may be used", name,
                      (double)total * 1e-9, (double)limit * 1e-9);
}

static espl_status allocate_values(espl_net *net)
{
    espl_context *ctx = net->ctx;
    espl_status s = espl__allocate(ctx, (size_t)net->graph->parameter_count, sizeof *net->parameters,
                                   &net->parameters);

    for (int i = 0; !s && i < net->graph->parameter_count; i++) {
        espl__parameter *p = &net->parameters[i];
        p->count = espl__shape_size(net->graph->parameters[i].spec.shape);
        s = espl__allocate(ctx, (size_t)p->count, sizeof *p->value, &p->value);
    }
    return s;
}

espl_status espl__net_open_empty(espl__graph *graph, const char *name, espl_net **result)
{
    espl_context *ctx = graph->ctx;
    espl_net *net = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *net, &net);

    *result = NULL;
    if (s) {
        espl__graph_free(graph);
        return s;
    }
    net->ctx = ctx;
    net->graph = graph;
    if ((s = check_size(graph, name)) || (s = espl__copy_text(ctx, name, &net->name)) ||
        (s = allocate_values(net))) {
        espl_net_free(net);
        return s;
    }
    *result = net;
    return ESPL_OK;
}

espl_status espl__net_open(espl__graph *graph, const char *name, espl_net **result)
{
    const espl_status s = espl__net_open_empty(graph, name, result);

    if (!s)
        espl__net_fill(*result, espl__seed((*result)->ctx));
    return s;
}

static void free_classes(espl_net *net)
{
    for (int i = 0; net->classes && i < net->class_count; i++)
        espl__release(net->ctx, net->classes[i]);
    espl__release(net->ctx, net->classes);
    net->classes = NULL;
    net->class_count = 0;
}

void espl_net_free(espl_net *net)
{
    if (!net)
        return;
    for (int i = 0; net->parameters && i < net->graph->parameter_count; i++)
        espl__release(net->ctx, net->parameters[i].value);
    espl__release(net->ctx, net->parameters);
    free_classes(net);
    espl__release(net->ctx, net->name);
    espl__release(net->ctx, net->origin);
    espl__graph_free(net->graph);
    espl__release(net->ctx, net);
}

espl_status espl__net_set_classes(espl_net *net, const char *const *classes, int count)
{
    char **copies = NULL;
    espl_status s;

    if (count != espl_net_classes(net))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE, "%s: %d class names do not fit an output of %d values",
                          net->name, count, espl_net_classes(net));
    if ((s = espl__allocate(net->ctx, (size_t)count, sizeof *copies, &copies)))
        return s;
    for (int i = 0; !s && i < count; i++)
        s = espl__copy_text(net->ctx, classes[i], &copies[i]);
    if (s) {
        for (int i = 0; i < count; i++)
            espl__release(net->ctx, copies[i]);
        espl__release(net->ctx, copies);
        return s;
    }
    free_classes(net);
    net->classes = copies;
    net->class_count = count;
    return ESPL_OK;
}

uint64_t espl__net_hash(const espl_net *net)
{
    uint64_t hash = 0;

    for (int i = 0; i < net->graph->parameter_count; i++)
        hash = espl__hash(net->parameters[i].value, (size_t)net->parameters[i].count * sizeof(float), hash);
    return hash;
}

/* ---- what the public may ask ---- */

const char *espl_net_name(const espl_net *net)
{
    return net->name;
}

int64_t espl_net_parameters(const espl_net *net)
{
    return espl__graph_parameters(net->graph);
}

int64_t espl_net_macs(const espl_net *net)
{
    return espl__graph_macs(net->graph);
}

espl_status espl_net_set_views(espl_net *net, int views)
{
    if (views != 1 && views != 2 && views != 10)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "views: %d, but 1, 2 or 10 are possible", views);
    net->views = views;
    return ESPL_OK;
}

void espl_net_set_precision(espl_net *net, espl_precision precision)
{
    net->precision = precision;
}

int espl_net_classes(const espl_net *net)
{
    const int64_t size = espl__shape_size(net->graph->nodes[net->graph->output].shape);

    return size < INT32_MAX ? (int)size : INT32_MAX;
}

const char *espl_net_class_name(const espl_net *net, int index)
{
    return index >= 0 && index < net->class_count ? net->classes[index] : NULL;
}

uint64_t espl_net_hash(const espl_net *net)
{
    return espl__net_hash(net);
}
