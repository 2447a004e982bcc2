/* Other channels than three: a net that was trained on colour pictures becomes one for grey ones, for two
 * planes, or for colour and a fourth plane, and answers as before where that has a meaning.
 *
 * With W_c the weights of colour c of a first convolution, and colours prepared as (x - m_c) / d_c:
 *     1 or 2   one weight for all planes, sum_c W_c d/d_c over their number, with m and d the means of m_c and d_c; what
 *              is left of the mean goes into the bias. Planes that are all the same give what a grey picture of
 *              three equal colours gave (except in the padding, where the m_c differ).
 *     4        colours keep their weights; the fourth plane begins with zeros, and says nothing until it learns. */
#include "net/net.h"
#include "ops/conv2d.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLOURS 3

/* How old values become new ones. */
typedef struct change {
    int channels;
    double ratio[COLOURS]; /* d/d_c */
    double shift[COLOURS]; /* (m - m_c) / d_c */
    bool shifted;          /* any of them is not zero */
} change;

static change plan_change(const espl__preparation *p, int channels)
{
    change c = { .channels = channels, .ratio = { 1, 1, 1 } };

    if (!p->known || channels > COLOURS)
        return c;
    const double mean = (p->mean[0] + p->mean[1] + p->mean[2]) / COLOURS,
                 deviation = (p->deviation[0] + p->deviation[1] + p->deviation[2]) / COLOURS;
    for (int i = 0; i < COLOURS; i++) {
        const bool same = p->mean[i] == p->mean[0] && p->mean[i] == p->mean[COLOURS - 1];
        c.ratio[i] = deviation / p->deviation[i];
        c.shift[i] = same ? 0 : (mean - p->mean[i]) / p->deviation[i];
        c.shifted |= c.shift[i] != 0;
    }
    return c;
}

static void change_preparation(espl__preparation *p, int channels)
{
    const double mean = (p->mean[0] + p->mean[1] + p->mean[2]) / COLOURS,
                 deviation = (p->deviation[0] + p->deviation[1] + p->deviation[2]) / COLOURS;

    p->channels = channels;
    for (int c = channels > COLOURS ? COLOURS : 0; c < 4; c++) {
        p->mean[c] = mean;
        p->deviation[c] = deviation;
    }
    if (channels < COLOURS)
        snprintf(p->order, sizeof p->order, "grey");
}

/* ---- the graph ---- */

static int64_t channels_of(const espl__graph *graph, int node)
{
    return espl__shape_channels(graph->nodes[node].shape);
}

/* Has the value other channels in the copy? */
static bool differs(const espl__graph *graph, const espl__graph *copy, int node)
{
    return channels_of(graph, node) != channels_of(copy, node);
}

/* A convolution over all colours. */
static bool mixes_colours(const espl__graph *graph, int node)
{
    const espl__node *n = &graph->nodes[node];

    return n->op == espl__op_find("conv2d") && ((const espl__conv2d *)n->attributes)->groups == 1 &&
           channels_of(graph, n->inputs[0]) == COLOURS;
}

/* Is it a convolution whose weights change? */
static bool is_first(const espl__graph *graph, const espl__graph *copy, int node)
{
    return mixes_colours(graph, node) && differs(graph, copy, graph->nodes[node].inputs[0]);
}

/* Colours may pass what treats each of them alone, on their way to a convolution. */
static bool passes_colours(const espl__node *node)
{
    return node->input_count == 1 && node->parameter_count == 0 && espl__shape_channels(node->shape) == COLOURS;
}

static espl_status copy_node(const espl__graph *graph, const change *c, espl__graph *copy, int i)
{
    const espl__node *n = &graph->nodes[i];
    const void *attributes = n->attributes;
    espl__conv2d biased;
    bool changed = false;
    int same;

    for (int k = 0; k < n->input_count; k++)
        changed |= differs(graph, copy, n->inputs[k]);
    if (changed && mixes_colours(graph, i)) {
        biased = *(const espl__conv2d *)attributes;
        biased.bias |= c->shifted;
        attributes = &biased;
    } else if (changed && !passes_colours(n)) {
        return espl__fail(graph->ctx, ESPL_BAD_SHAPE,
                          "the net takes %d channels and cannot be made to take %d: they reach %s \"%s\" before an "
                          "ordinary convolution; bring the data to 3 channels",
                          COLOURS, c->channels, n->op->name, n->name);
    }
    return espl__graph_add(copy, n->op, n->name, attributes, n->inputs, n->input_count, &same);
}

static espl_status copy_graph(const espl__graph *graph, const change *c, espl__graph **result)
{
    espl__shape input = graph->nodes[0].shape;
    espl__graph *copy = NULL;

    input.dim[0] = c->channels;
    espl_status s = espl__graph_open(graph->ctx, input, &copy);
    for (int i = 1; i < graph->node_count && !s; i++)
        s = copy_node(graph, c, copy, i);
    if (!s && differs(graph, copy, graph->output))
        s = espl__fail(graph->ctx, ESPL_BAD_SHAPE, "the net has no convolution that could take %d channels", c->channels);
    if (s)
        espl__graph_free(copy);
    *result = s ? NULL : copy;
    return s;
}

/* ---- values ---- */

static void change_weight(const change *c, const float *old, int64_t outputs, int64_t taps, float *fresh)
{
    for (int64_t o = 0; o < outputs; o++)
        for (int64_t t = 0; t < taps; t++) {
            const float *from = old + o * COLOURS * taps + t;
            float *to = fresh + o * c->channels * taps + t;
            double sum = 0;
            for (int i = 0; i < COLOURS; i++)
                sum += from[i * taps] * c->ratio[i];
            for (int i = 0; i < c->channels && c->channels < COLOURS; i++)
                to[i * taps] = (float)(sum / c->channels);
            for (int i = 0; i < c->channels && c->channels > COLOURS; i++)
                to[i * taps] = i < COLOURS ? from[i * taps] : 0;
        }
}

/* `bias` holds the old one, or zeros. */
static void change_bias(const change *c, const float *old_weight, int64_t outputs, int64_t taps, float *bias)
{
    for (int64_t o = 0; o < outputs; o++) {
        double sum = bias[o];
        for (int i = 0; i < COLOURS; i++)
            for (int64_t t = 0; t < taps; t++)
                sum += old_weight[(o * COLOURS + i) * taps + t] * c->shift[i];
        bias[o] = (float)sum;
    }
}

static void change_first(const espl_net *from, espl_net *to, int node, const change *c)
{
    const espl__node *old = &from->graph->nodes[node], *fresh = &to->graph->nodes[node];
    const espl__shape shape = from->graph->parameters[old->parameters[0]].spec.shape;
    const int64_t outputs = shape.dim[0], taps = shape.dim[2] * shape.dim[3];
    const espl__parameter *weight = &from->parameters[old->parameters[0]];

    change_weight(c, weight->value, outputs, taps, to->parameters[fresh->parameters[0]].value);
    if (fresh->parameter_count > old->parameter_count)
        to->parameters[fresh->parameters[1]].frozen = weight->frozen;
    else if (old->parameter_count > 1)
        memcpy(to->parameters[fresh->parameters[1]].value, from->parameters[old->parameters[1]].value,
               (size_t)outputs * sizeof(float));
    for (int k = 0; k < old->parameter_count; k++)
        to->parameters[fresh->parameters[k]].frozen = from->parameters[old->parameters[k]].frozen;
    if (c->shifted)
        change_bias(c, weight->value, outputs, taps, to->parameters[fresh->parameters[1]].value);
}

static void move_values(espl_net *from, espl_net *to, const change *c)
{
    for (int i = 1; i < from->graph->node_count; i++) {
        const espl__node *old = &from->graph->nodes[i], *fresh = &to->graph->nodes[i];
        if (is_first(from->graph, to->graph, i)) {
            change_first(from, to, i, c);
            continue;
        }
        for (int k = 0; k < old->parameter_count; k++) {
            const espl__parameter held = to->parameters[fresh->parameters[k]];
            to->parameters[fresh->parameters[k]] = from->parameters[old->parameters[k]];
            from->parameters[old->parameters[k]] = held;
        }
    }
}

espl_status espl_net_take_channels(espl_net *net, int channels)
{
    const espl__shape input = net->graph->nodes[0].shape;
    espl__graph *graph = NULL;
    espl_net *fresh = NULL;
    char text[96];
    espl_status s;

    if (input.rank != 3 || input.dim[0] != COLOURS || (channels != 1 && channels != 2 && channels != 4))
        return espl__fail(net->ctx, ESPL_BAD_OPTION,
                          "the net \"%s\" takes samples of %s and cannot be made to take %d channels: from 3 a net can "
                          "be brought to 1, 2 or 4",
                          net->name, espl__shape_text(input, text), channels);
    const change c = plan_change(&net->preparation, channels);
    if ((s = copy_graph(net->graph, &c, &graph)) || (s = espl__net_open_empty(graph, net->name, &fresh)))
        return s;
    move_values(net, fresh, &c);
    change_preparation(&net->preparation, channels);
    const espl_net held = *net;
    net->graph = fresh->graph;
    net->parameters = fresh->parameters;
    fresh->graph = held.graph;
    fresh->parameters = held.parameters;
    espl_net_free(fresh);
    return ESPL_OK;
}
