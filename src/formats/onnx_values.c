/* Values of an ONNX model as nodes of the graph: what was put off is added when it is needed. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- adding ---- */

espl_status espl__onnx_source_set(espl__onnx *o, int node, int parameter, espl__onnx_source source)
{
    const espl__node *n = &o->graph->nodes[node];
    const int index = n->parameters[parameter];
    const espl__shape shape = o->graph->parameters[index].spec.shape;
    char expected[96];
    espl_status s;

    if (source.value && espl__onnx_count(source.value) != 1 && espl__onnx_count(source.value) != espl__shape_size(shape))
        return espl__fail(o->ctx, ESPL_BAD_FILE, "%s: tensor \"%.100s\" has %" PRId64 " values, but %s was expected", n->name,
                          source.value->name, espl__onnx_count(source.value), espl__shape_text(shape, expected));
    if (source.value && (s = espl__onnx_check_stored(o, source.value)))
        return s;
    if (o->graph->parameter_count > o->source_capacity) {
        const int larger = 2 * o->graph->parameter_count + 32;
        if ((s = espl__resize(o->ctx, (size_t)o->source_capacity, (size_t)larger, sizeof *o->sources, &o->sources)))
            return s;
        o->source_capacity = larger;
    }
    o->sources[index] = source;
    return ESPL_OK;
}

espl_status espl__onnx_add(espl__onnx *o, const espl__onnx_node *from, const char *suffix, const char *op, const int *inputs,
                           int count, int *node, const char *attributes, ...)
{
    char name[180], text[400];
    va_list arguments;

    va_start(arguments, attributes);
    vsnprintf(text, sizeof text, attributes, arguments);
    va_end(arguments);
    espl__onnx_name(o, from, suffix, name);
    return espl__draft_add(o->graph, op, name, inputs, count, node, "%s", text);
}

void espl__onnx_give(espl__onnx *o, espl__onnx_value *value, int node)
{
    const espl__shape shape = o->graph->nodes[node].shape;

    value->kind = ESPL__ONNX_COMPUTED;
    value->term = ESPL__ONNX_WHOLE;
    value->channels_last = false;
    value->node = node;
    value->rank = shape.rank;
    memcpy(value->dim, shape.dim, sizeof shape.dim);
}

void espl__onnx_give_last(espl__onnx *o, espl__onnx_value *value, int node, bool last)
{
    const int64_t *dim = o->graph->nodes[node].shape.dim;

    espl__onnx_give(o, value, node);
    value->channels_last = last;
    if (last)
        memcpy(value->dim, (const int64_t[]){ dim[1], dim[2], dim[0] }, 3 * sizeof *dim);
}

void espl__onnx_see(espl__onnx_value *value, const espl__onnx_value *other, int rank, const int64_t *dim)
{
    int64_t copy[ESPL__ONNX_RANK_MAX] = { 0 };

    memcpy(copy, dim, (size_t)rank * sizeof *dim);
    value->kind = ESPL__ONNX_COMPUTED;
    value->term = ESPL__ONNX_WHOLE;
    value->channels_last = false;
    value->node = other->node;
    value->rank = rank;
    memcpy(value->dim, copy, sizeof copy);
}

/* ---- shapes ---- */

/* Such a node has no other node here. */
static bool changes_shape(const espl__onnx_node *node)
{
    return espl__onnx_is(node, "Reshape") || espl__onnx_is(node, "Squeeze") || espl__onnx_is(node, "Unsqueeze");
}

static espl_status add_shape(espl__onnx *o, const espl__onnx_node *from, int rank, const int64_t *dim, int *node)
{
    const espl__shape shape = o->graph->nodes[*node].shape;
    const int input = *node;

    if (shape.rank == rank && memcmp(shape.dim, dim, (size_t)rank * sizeof *dim) == 0)
        return ESPL_OK;
    if (rank == 1)
        return espl__onnx_add(o, from, shape.rank == 1 ? "_vector" : "", "flatten", &input, 1, node, "%s", "");
    if (rank < 1 || rank > ESPL__RANK_MAX)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "node \"%.100s\" (%.40s): gives %d dimensions beside the batch; 1 to %d are expected",
                          from->name, from->op_type, rank, ESPL__RANK_MAX);
    char text[120] = "";
    for (int d = 0, used = 0; d < rank; d++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRId64, d ? ", " : "", dim[d]);
    return espl__onnx_add(o, from, changes_shape(from) ? "" : "_shape", "reshape", &input, 1, node, "shape: [%s]", text);
}

/* ---- terms ---- */

/* Planes take a depthwise convolution of one pixel; vectors are planes of one pixel for that. */
static espl_status add_scale(espl__onnx *o, const espl__onnx_node *from, const char *suffix, int *node,
                             const espl__onnx_source *scale, const espl__onnx_source *offset)
{
    const espl__shape shape = o->graph->nodes[*node].shape;
    const int64_t planes[] = { espl__shape_channels(shape), 1, 1 };
    espl_status s;

    if (shape.rank != 3 && (s = add_shape(o, from, 3, planes, node)))
        return s;
    const int input = *node;
    if ((s = espl__onnx_add(o, from, suffix, "conv2d", &input, 1, node, "channels: %" PRId64 ", kernel: 1, groups: 0, bias: %s",
                            planes[0], offset ? "yes" : "no")) ||
        (s = espl__onnx_source_set(o, *node, 0, *scale)) || (offset && (s = espl__onnx_source_set(o, *node, 1, *offset))))
        return s;
    return shape.rank == 3 ? ESPL_OK : add_shape(o, from, shape.rank, shape.dim, node);
}

espl_status espl__onnx_affine(espl__onnx *o, const espl__onnx_node *from, const char *suffix, int *node,
                              const espl__onnx_source *scale, const espl__onnx_source *offset)
{
    const int input = *node;

    if (scale)
        return add_scale(o, from, suffix, node, scale, offset);
    if (!offset)
        return ESPL_OK;
    const espl_status s = espl__onnx_add(o, from, suffix, "bias", &input, 1, node, "%s", "");
    return s ? s : espl__onnx_source_set(o, *node, 0, *offset);
}

static espl_status add_affine(espl__onnx *o, const espl__onnx_value *value, const char *suffix, int *node)
{
    const espl__onnx_source scale = { .number = value->scale }, offset = { .number = value->offset };

    return espl__onnx_affine(o, value->from, suffix, node, value->scale != 1 ? &scale : NULL, value->offset != 0 ? &offset : NULL);
}

static espl_status add_relu(espl__onnx *o, const espl__onnx_value *value, int *node)
{
    const espl_status s = add_affine(o, value, "_scaled", node);
    const int input = *node;

    return s ? s : espl__onnx_add(o, value->from, "", "relu", &input, 1, node, "%s", "");
}

/* Vectors take a dense layer, the pixels of pictures with channels last a convolution. */
espl_status espl__onnx_dense(espl__onnx *o, const espl__onnx_value *value, const espl__onnx_source *bias, int *node)
{
    const espl__onnx_source weight = { .value = value->weight, .turned = true, .number = 1 };
    const char *says = bias ? "yes" : "no";
    const int input = value->node;
    espl_status s;

    if (value->channels_last)
        s = espl__onnx_add(o, value->from, "", "conv2d", &input, 1, node, "channels: %" PRId64 ", kernel: 1, bias: %s", value->dim[2], says);
    else
        s = espl__onnx_add(o, value->from, "", "dense", &input, 1, node, "units: %" PRId64 ", bias: %s", value->dim[0], says);
    if (s || (s = espl__onnx_source_set(o, *node, 0, weight)))
        return s;
    return bias ? espl__onnx_source_set(o, *node, 1, *bias) : ESPL_OK;
}

static espl_status add_hard_sigmoid(espl__onnx *o, const espl__onnx_value *value, double slope, double offset, int *node)
{
    const int input = *node;
    char texts[2][32];

    espl__text_from_real(slope, texts[0]);
    espl__text_from_real(offset, texts[1]);
    return espl__onnx_add(o, value->from, "", "hard_sigmoid", &input, 1, node, "slope: %s, offset: %s", texts[0], texts[1]);
}

static espl_status refuse_term(const espl__onnx *o, const espl__onnx_value *value, const char *what)
{
    return espl__fail(o->ctx, ESPL_UNSUPPORTED, "node \"%.100s\" (%.40s): is part of a %s that is not understood", value->from->name,
                      value->from->op_type, what);
}

static bool is(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

static espl_status add_term(espl__onnx *o, const espl__onnx_value *v, int *node)
{
    const int input = *node;

    switch (v->term) {
    case ESPL__ONNX_WHOLE:
        return ESPL_OK;
    case ESPL__ONNX_AFFINE:
        return add_affine(o, v, "", node);
    case ESPL__ONNX_RELU:
        return add_relu(o, v, node);
    case ESPL__ONNX_PADDED:
        return espl__onnx_add(o, v->from, "", "pad", &input, 1, node,
                              "before: [0, %" PRId64 ", %" PRId64 "], after: [0, %" PRId64 ", %" PRId64 "]", v->pad[0], v->pad[1],
                              v->pad[2], v->pad[3]);
    case ESPL__ONNX_DENSE:
        return espl__onnx_dense(o, v, NULL, node);
    case ESPL__ONNX_SIGMOID:
        return espl__onnx_add(o, v->from, "", "sigmoid", &input, 1, node, "%s", "");
    case ESPL__ONNX_SILU:
        return espl__onnx_add(o, v->from, "", "silu", &input, 1, node, "%s", "");
    case ESPL__ONNX_HARD_SIGMOID:
        return add_hard_sigmoid(o, v, v->scale, v->offset, node);
    case ESPL__ONNX_RELU6_PLUS_3:
        return is(v->scale, 1.0 / 6) ? add_hard_sigmoid(o, v, 1.0 / 6, 0.5, node) : refuse_term(o, v, "hard sigmoid");
    case ESPL__ONNX_X_RELU6_PLUS_3:
        if (!is(v->scale, 1.0 / 6))
            return refuse_term(o, v, "hard swish");
        return espl__onnx_add(o, v->from, "", "hard_swish", &input, 1, node, "%s", "");
    case ESPL__ONNX_HARD_SWISH:
        return espl__onnx_add(o, v->from, "", "hard_swish", &input, 1, node, "%s", "");
    default:
        if (v->term == ESPL__ONNX_ERF || !is(v->scale, 0.5) || !is(v->offset, 0.5))
            return refuse_term(o, v, "GELU");
        return espl__onnx_add(o, v->from, "", "gelu", &input, 1, node, "%s", "");
    }
}

espl_status espl__onnx_resolve_flat(espl__onnx *o, espl__onnx_value *value, int *node)
{
    espl_status s;

    *node = value->node;
    if ((s = add_term(o, value, node)))
        return s;
    value->node = *node;
    value->term = ESPL__ONNX_WHOLE;
    return ESPL_OK;
}

/* What the input's own nodes are called after. */
static const espl__onnx_node input_node = { .name = (char *)(uintptr_t) "input", .op_type = (char *)(uintptr_t) "Transpose" };

espl_status espl__onnx_resolve(espl__onnx *o, espl__onnx_value *value, int *node)
{
    const espl__onnx_node *from = value->from ? value->from : &input_node;
    espl_status s;

    if ((s = espl__onnx_resolve_flat(o, value, node)))
        return s;
    if (value->channels_last) {
        const int input = *node;
        if ((s = espl__onnx_add(o, from, "_channels_last", "transpose", &input, 1, node, "order: [1, 2, 0]")))
            return s;
        value->channels_last = false;
    }
    if ((s = add_shape(o, from, value->rank, value->dim, node)))
        return s;
    value->node = *node;
    return ESPL_OK;
}

espl_status espl__onnx_take(espl__onnx *o, espl__onnx_value *value, bool last, int *node)
{
    const bool one_pixel = value->rank == 3 && value->dim[0] * value->dim[1] == 1;
    espl_status s;

    if (!last || !(value->channels_last || one_pixel))
        return espl__onnx_resolve(o, value, node);
    if ((s = espl__onnx_resolve_flat(o, value, node)) || value->channels_last)
        return s;
    s = add_shape(o, value->from ? value->from : &input_node, 3, (const int64_t[]){ value->dim[2], 1, 1 }, node);
    value->node = *node;
    value->channels_last = true;
    return s;
}
