/* Convolutions, pooling and padding of ONNX models. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <string.h>

typedef struct window {
    int64_t kernel[2], stride[2], dilation[2], pad[4]; /* pad: top, left, bottom, right, as in ONNX */
} window;

/* A list of `count` attributes, each within low..1048576; `fallback` where there is none. */
static espl_status read_list(espl__onnx_call *call, const char *name, int64_t *list, int count, int64_t fallback, int64_t low)
{
    int found;
    espl_status s;

    for (int i = 0; i < count; i++)
        list[i] = fallback;
    if ((s = espl__onnx_integers(call, name, 0, list, count, &found)))
        return s;
    if (found >= 0 && found != count)
        return espl__onnx_refuse(call, "has %d %s; %d were expected, for pictures", found, name, count);
    for (int i = 0; i < count; i++)
        if (list[i] < low || list[i] > 1 << 20)
            return espl__onnx_refuse(call, "its %s are negative or too large", name);
    return ESPL_OK;
}

/* "same" padding gives ceil(size / stride) values; the odd row is at the end or, SAME_LOWER, in front. */
static void pad_same(window *w, const espl__onnx_value *input, bool lower)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t size = input->dim[1 + axis], reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
        const int64_t missing = ((size + w->stride[axis] - 1) / w->stride[axis] - 1) * w->stride[axis] + reach - size;
        const int64_t all = missing > 0 ? missing : 0, less = all / 2;
        w->pad[axis] = lower ? all - less : less;
        w->pad[2 + axis] = all - w->pad[axis];
    }
}

/* Everything but the kernel, which must be there. */
static espl_status read_window(espl__onnx_call *call, window *w)
{
    const bool upper = espl__onnx_says(call->node, "auto_pad", "SAME_UPPER"), lower = espl__onnx_says(call->node, "auto_pad", "SAME_LOWER");
    espl_status s;

    if (call->in[0]->rank != 3)
        return espl__onnx_refuse(call, "takes %d dimensions; pictures (batch, channels, height, width) were expected", call->in[0]->rank + 1);
    if ((s = read_list(call, "strides", w->stride, 2, 1, 1)) || (s = read_list(call, "dilations", w->dilation, 2, 1, 1)) ||
        (s = read_list(call, "pads", w->pad, 4, 0, 0)))
        return s;
    if (upper || lower)
        pad_same(w, call->in[0], lower);
    else if (espl__onnx_says(call->node, "auto_pad", "VALID"))
        memset(w->pad, 0, sizeof w->pad);
    else if (espl__onnx_attribute_of(call->node, "auto_pad") && !espl__onnx_says(call->node, "auto_pad", "NOTSET"))
        return espl__onnx_refuse(call, "its auto_pad is not known");
    return ESPL_OK;
}

/* The node that the window slides over; zeros around it become the window's own. */
static espl_status take_planes(espl__onnx_call *call, window *w, bool takes_padding, int *node)
{
    espl__onnx_value *value = call->in[0];

    if (value->kind != ESPL__ONNX_COMPUTED)
        return espl__onnx_refuse(call, "takes a constant; what follows from the sample was expected");
    if (value->term != ESPL__ONNX_PADDED || !takes_padding)
        return espl__onnx_resolve(call->onnx, value, node);
    for (int side = 0; side < 4; side++)
        w->pad[side] += value->pad[side];
    *node = value->node;
    return ESPL_OK;
}

/* ---- convolution ---- */

espl_status espl__onnx_conv(espl__onnx_call *call)
{
    const espl__onnx_value *weight = call->count > 1 ? call->in[1] : NULL, *bias = call->count > 2 ? call->in[2] : NULL;
    window w = { .kernel = { 1, 1 } };
    int64_t kernel[2];
    int node;
    espl_status s;

    if (!weight || weight->kind != ESPL__ONNX_CONSTANT || weight->rank != 4 || (bias && bias->kind != ESPL__ONNX_CONSTANT))
        return espl__onnx_refuse(call, "its weight and bias must be constants, (out, in, height, width) and (out)");
    for (int axis = 0; axis < 2; axis++)
        w.kernel[axis] = weight->dim[2 + axis];
    if (w.kernel[0] < 1 || w.kernel[1] < 1 || w.kernel[0] > 1 << 20 || w.kernel[1] > 1 << 20)
        return espl__onnx_refuse(call, "its weight has no height or width, or too much");
    memcpy(kernel, w.kernel, sizeof kernel);
    if ((s = read_list(call, "kernel_shape", kernel, 2, 1, 1)))
        return s;
    if (espl__onnx_attribute_of(call->node, "kernel_shape") && memcmp(kernel, w.kernel, sizeof kernel) != 0)
        return espl__onnx_refuse(call, "its kernel_shape is not that of its weight");
    if ((s = read_window(call, &w)) || (s = take_planes(call, &w, true, &node)))
        return s;
    const int64_t groups = espl__onnx_integer(call->node, "group", 1), inputs = call->onnx->graph->nodes[node].shape.dim[0];
    if (groups < 1 || inputs % groups || weight->dim[1] != inputs / groups)
        return espl__onnx_refuse(call, "its weight takes %" PRId64 " channels in %" PRId64 " groups, but there are %" PRId64,
                                 weight->dim[1], groups, inputs);
    if ((s = espl__onnx_add(call->onnx, call->node, "", "conv2d", &node, 1, &node,
                            "channels: %" PRId64 ", kernel: [%" PRId64 ", %" PRId64 "], stride: [%" PRId64 ", %" PRId64
                            "], pad: [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "], dilation: [%" PRId64 ", %" PRId64
                            "], groups: %" PRId64 ", bias: %s",
                            weight->dim[0], w.kernel[0], w.kernel[1], w.stride[0], w.stride[1], w.pad[0], w.pad[1], w.pad[2],
                            w.pad[3], w.dilation[0], w.dilation[1], groups, bias ? "yes" : "no")) ||
        (s = espl__onnx_source_set(call->onnx, node, 0, (espl__onnx_source){ .value = weight, .number = 1 })) ||
        (bias && (s = espl__onnx_source_set(call->onnx, node, 1, (espl__onnx_source){ .value = bias, .number = 1 }))))
        return s;
    espl__onnx_give(call->onnx, call->out, node);
    return ESPL_OK;
}

/* ---- pooling ---- */

static espl_status pool(espl__onnx_call *call, const char *op, bool takes_padding, const char *more)
{
    const bool ceil = espl__onnx_integer(call->node, "ceil_mode", 0) != 0;
    window w = { 0 };
    int node;
    espl_status s;

    if (call->node->n_output > 1 && *call->node->output[1] && espl__onnx_find(call->onnx, call->node->output[1])->uses)
        return espl__onnx_refuse(call, "its places of the largest values are used, which are not kept here");
    if ((s = read_list(call, "kernel_shape", w.kernel, 2, 0, 1)) || (s = read_window(call, &w)) ||
        (s = take_planes(call, &w, takes_padding, &node)))
        return s;
    if (w.dilation[0] != 1 || w.dilation[1] != 1)
        return espl__onnx_refuse(call, "has dilations, which poolings here have not");
    if ((s = espl__onnx_add(call->onnx, call->node, "", op, &node, 1, &node,
                            "kernel: [%" PRId64 ", %" PRId64 "], stride: [%" PRId64 ", %" PRId64 "], pad: [%" PRId64 ", %" PRId64
                            ", %" PRId64 ", %" PRId64 "], ceil: %s%s",
                            w.kernel[0], w.kernel[1], w.stride[0], w.stride[1], w.pad[0], w.pad[1], w.pad[2], w.pad[3],
                            ceil ? "yes" : "no", more)))
        return s;
    espl__onnx_give(call->onnx, call->out, node);
    return ESPL_OK;
}

espl_status espl__onnx_max_pool(espl__onnx_call *call)
{
    return pool(call, "max_pool", false, "");
}

static bool has_pads(const espl__onnx_node *node)
{
    const espl__onnx_attribute *pads = espl__onnx_attribute_of(node, "pads"), *automatic = espl__onnx_attribute_of(node, "auto_pad");

    for (size_t i = 0; pads && i < pads->n_ints; i++)
        if (pads->ints[i])
            return true;
    return automatic && automatic->s.len > 4 && memcmp(automatic->s.data, "SAME", 4) == 0;
}

/* Zeros that were put around before count in the mean. */
espl_status espl__onnx_average_pool(espl__onnx_call *call)
{
    const bool counts = espl__onnx_integer(call->node, "count_include_pad", 0) != 0, own = has_pads(call->node);
    const bool takes_padding = (counts || !own) && !espl__onnx_integer(call->node, "ceil_mode", 0);

    return pool(call, "avg_pool", takes_padding, counts || !own ? ", count_padding: yes" : "");
}

/* ---- padding ---- */

/* The begins of all dimensions, then the ends. */
espl_status espl__onnx_pad(espl__onnx_call *call)
{
    espl__onnx_value *value = call->in[0], *filler = call->count > 2 ? call->in[2] : NULL;
    int64_t pads[2 * (ESPL__ONNX_RANK_MAX + 1)];
    int count, node;
    espl_status s;

    if ((s = espl__onnx_integers(call, "pads", 1, pads, ESPL__COUNT(pads), &count)))
        return s;
    if (value->rank != 3 || count != 8 || (call->count > 3 && call->in[3]) || pads[0] || pads[1] || pads[4] || pads[5])
        return espl__onnx_refuse(call, "pads something else than the height and width of pictures");
    if (espl__onnx_attribute_of(call->node, "mode") && !espl__onnx_says(call->node, "mode", "constant"))
        return espl__onnx_refuse(call, "pads with copies of the picture; only a constant is possible");
    if (filler && (filler->kind != ESPL__ONNX_CONSTANT || espl__onnx_count(filler) != 1 || espl__onnx_look(call->onnx, filler) ||
                   filler->numbers[0] != 0))
        return espl__onnx_refuse(call, "pads with something else than zeros");
    if (espl__onnx_real(call->node, "value", 0) != 0)
        return espl__onnx_refuse(call, "pads with something else than zeros");
    const int64_t sides[] = { pads[2], pads[3], pads[6], pads[7] };
    if (!sides[0] && !sides[1] && !sides[2] && !sides[3])
        return espl__onnx_same(call);
    for (int i = 0; i < 4; i++)
        if (sides[i] < 0 || sides[i] > 1 << 20)
            return espl__onnx_refuse(call, "takes rows away or pads too much");
    if ((s = espl__onnx_resolve(call->onnx, value, &node)))
        return s;
    espl__onnx_see(call->out, value, 3, value->dim);
    call->out->term = ESPL__ONNX_PADDED;
    memcpy(call->out->pad, sides, sizeof sides);
    call->out->dim[1] += sides[0] + sides[2];
    call->out->dim[2] += sides[1] + sides[3];
    return ESPL_OK;
}
