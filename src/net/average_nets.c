/* The mean of the weights of several nets; see average_nets.h. */
#include "net/average_nets.h"

#include <math.h>
#include <string.h>

/* The first node in which the graphs differ, the number of nodes if there is none. */
static int first_difference(const espl__graph *a, const espl__graph *b)
{
    for (int i = 1; i < a->node_count && i < b->node_count; i++) {
        const espl__node *x = &a->nodes[i], *y = &b->nodes[i];
        if (x->op != y->op || !espl__shape_equal(x->shape, y->shape) || x->input_count != y->input_count ||
            x->parameter_count != y->parameter_count || memcmp(x->attributes, y->attributes, x->op->size) != 0 ||
            memcmp(x->inputs, y->inputs, (size_t)x->input_count * sizeof *x->inputs) != 0)
            return i;
    }
    return a->node_count < b->node_count ? a->node_count : b->node_count;
}

espl_status espl__nets_same_graph(espl_net *const *nets, int count)
{
    const espl__graph *first = nets[0]->graph;

    for (int i = 1; i < count; i++) {
        const espl__graph *graph = nets[i]->graph;
        const int node = first_difference(first, graph);
        if (node < first->node_count || node < graph->node_count)
            return espl__fail(nets[i]->ctx, ESPL_BAD_SHAPE,
                              "net %d (\"%s\") is another net than net 1 (\"%s\") from layer \"%s\" on: weights can be "
                              "averaged only of nets that are layer by layer the same; an ensemble takes any",
                              i + 1, nets[i]->name, nets[0]->name,
                              node < graph->node_count ? graph->nodes[node].name : first->nodes[node].name);
    }
    return ESPL_OK;
}

double espl__nets_cosine(const espl_net *a, const espl_net *b)
{
    double ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < a->graph->parameter_count; i++) {
        const espl__parameter *p = &a->parameters[i], *q = &b->parameters[i];
        if (a->graph->parameters[i].spec.kind != ESPL_WEIGHT)
            continue;
        for (int64_t k = 0; k < p->count; k++) {
            ab += (double)p->value[k] * (double)q->value[k];
            aa += (double)p->value[k] * (double)p->value[k];
            bb += (double)q->value[k] * (double)q->value[k];
        }
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1;
}

espl_status espl__net_copy(const espl_net *net, espl_net **result)
{
    espl__graph *graph = NULL;
    espl_status s = espl__graph_copy(net->graph, &graph);

    *result = NULL;
    if (s || (s = espl__net_open_empty(graph, net->name, result)))
        return s;
    (*result)->preparation = net->preparation;
    for (int i = 0; i < graph->parameter_count; i++)
        memcpy((*result)->parameters[i].value, net->parameters[i].value,
               (size_t)net->parameters[i].count * sizeof(float));
    if (net->class_count && (s = espl__net_set_classes(*result, (const char *const *)net->classes, net->class_count))) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}

void espl__nets_mean(espl_net *const *nets, int count, espl_net *mean)
{
    for (int i = 0; i < mean->graph->parameter_count; i++)
        for (int64_t k = 0; k < mean->parameters[i].count; k++) {
            double sum = 0;
            for (int n = 0; n < count; n++)
                sum += (double)nets[n]->parameters[i].value[k];
            mean->parameters[i].value[k] = (float)(sum / count);
        }
}
