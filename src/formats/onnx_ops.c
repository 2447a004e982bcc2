/* The operations of ONNX that we read, and those whose translation is short. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- one node for one ---- */

/* A node over all inputs as they are; `last` if they have their channels last, and so will the output. */
static espl_status give_node(espl__onnx_call *call, bool last, const char *op, const char *attributes)
{
    int nodes[ESPL__INPUTS_MAX], node = 0;
    espl_status s;

    for (int i = 0; i < call->count; i++) {
        if (!call->in[i] || call->in[i]->kind != ESPL__ONNX_COMPUTED)
            return espl__onnx_refuse(call, "takes a constant; what follows from the sample was expected");
        if ((s = espl__onnx_take(call->onnx, call->in[i], last, &nodes[i])))
            return s;
    }
    if ((s = espl__onnx_add(call->onnx, call->node, "", op, nodes, call->count, &node, "%s", attributes)))
        return s;
    espl__onnx_give_last(call->onnx, call->out, node, last);
    return ESPL_OK;
}

/* A node over the first input, the others being its parameters in order. */
static espl_status give_with_parameters(espl__onnx_call *call, bool last, const char *op, const char *attributes, int parameters)
{
    const int all = call->count;
    espl_status s;

    for (int i = 1; i <= parameters; i++)
        if (i >= all || !call->in[i] || call->in[i]->kind != ESPL__ONNX_CONSTANT)
            return espl__onnx_refuse(call, "input %d must be a constant", i + 1);
    call->count = 1;
    s = give_node(call, last, op, attributes);
    for (int i = 1; i <= parameters && !s; i++)
        s = espl__onnx_source_set(call->onnx, call->out->node, i - 1, (espl__onnx_source){ .value = call->in[i], .number = 1 });
    return s;
}

static const struct {
    const char *onnx, *op;
} plain[] = {
    { "Tanh", "tanh" },
    { "Selu", "selu" },
    { "HardSwish", "hard_swish" },
};

static espl_status plain_activation(espl__onnx_call *call)
{
    for (int i = 0; i < ESPL__COUNT(plain); i++)
        if (espl__onnx_is(call->node, plain[i].onnx))
            return give_node(call, call->in[0]->channels_last, plain[i].op, "");
    return espl__onnx_refuse(call, "is no activation");
}

/* An activation with one number. */
static espl_status activation(espl__onnx_call *call, const char *op, const char *own, double number)
{
    char text[32], attributes[80] = "";

    espl__text_from_real(number, text);
    snprintf(attributes, sizeof attributes, "%s: %s", own, text);
    return give_node(call, call->in[0]->channels_last, op, attributes);
}

static espl_status elu(espl__onnx_call *call)
{
    return activation(call, "elu", "alpha", espl__onnx_real(call->node, "alpha", 1));
}

static espl_status leaky_relu(espl__onnx_call *call)
{
    return activation(call, "leaky_relu", "slope", espl__onnx_real(call->node, "alpha", 0.01f));
}

static espl_status gelu(espl__onnx_call *call)
{
    return give_node(call, call->in[0]->channels_last, "gelu", espl__onnx_says(call->node, "approximate", "tanh") ? "form: tanh" : "form: exact");
}

static espl_status prelu(espl__onnx_call *call)
{
    return give_with_parameters(call, call->in[0]->channels_last, "prelu", "", 1);
}

/* Before opset 13 all dimensions from the axis on were taken together. */
static espl_status softmax(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    const int64_t named = espl__onnx_integer(call->node, "axis", call->onnx->opset < 13 ? 1 : -1);
    const int64_t axis = named < 0 ? named + value->rank + 1 : named;

    if (axis != 1 || (call->onnx->opset < 13 && value->rank > 1 && espl__onnx_count(value) != value->dim[0]))
        return espl__onnx_refuse(call, "acts along another dimension than the channels");
    return give_node(call, false, "softmax", "");
}

/* Class scores and their logarithms rank classes alike and train alike. */
static espl_status log_softmax(espl__onnx_call *call)
{
    const char *answer = call->onnx->model->graph->output[0]->name;

    if (call->in[0]->rank != 1 || call->out->uses != 1 || !espl__text_equal(call->out->name, answer))
        return espl__onnx_refuse(call, "is understood only as the end of the model");
    espl__log(call->onnx->ctx, ESPL_NOTE, "the logarithm of the softmax at the end is left out: the net's answer are the scores before it");
    return espl__onnx_same(call);
}

/* ---- with weights ---- */

static espl_status gemm(espl__onnx_call *call)
{
    const espl__onnx_value *weight = call->count > 1 ? call->in[1] : NULL, *bias = call->count > 2 ? call->in[2] : NULL;
    const bool turned = espl__onnx_integer(call->node, "transB", 0) == 0;
    int node;
    espl_status s;

    if (!weight || weight->kind != ESPL__ONNX_CONSTANT || weight->rank != 2 || (bias && bias->kind != ESPL__ONNX_CONSTANT) ||
        call->in[0]->rank != 1 || weight->dim[!turned] != call->in[0]->dim[0] || espl__onnx_integer(call->node, "transA", 0))
        return espl__onnx_refuse(call, "vectors times a constant matrix, plus constants, were expected");
    if ((s = espl__onnx_resolve(call->onnx, call->in[0], &node)) ||
        (s = espl__onnx_add(call->onnx, call->node, "", "dense", &node, 1, &node, "units: %" PRId64 ", bias: %s", weight->dim[turned],
                            bias ? "yes" : "no")) ||
        (s = espl__onnx_source_set(call->onnx, node, 0, (espl__onnx_source){ .value = weight, .turned = turned, .number = espl__onnx_real(call->node, "alpha", 1) })) ||
        (bias && (s = espl__onnx_source_set(call->onnx, node, 1, (espl__onnx_source){ .value = bias, .number = espl__onnx_real(call->node, "beta", 1) }))))
        return s;
    espl__onnx_give(call->onnx, call->out, node);
    return ESPL_OK;
}

static espl_status matmul(espl__onnx_call *call)
{
    espl__onnx_value *value = call->in[0], *weight = call->count > 1 ? call->in[1] : NULL;
    int node;

    if (!weight || weight->kind != ESPL__ONNX_CONSTANT || weight->rank != 2 || value->rank < 1 ||
        weight->dim[0] != value->dim[value->rank - 1] || weight->dim[1] < 1)
        return espl__onnx_refuse(call, "vectors times a constant matrix were expected");
    const espl_status s = espl__onnx_take(call->onnx, value, value->rank == 3, &node);
    if (s)
        return s;
    if (value->rank != 1 && !value->channels_last)
        return espl__onnx_refuse(call, "vectors times a constant matrix were expected");
    espl__onnx_see(call->out, value, value->rank, value->dim);
    call->out->dim[value->rank - 1] = weight->dim[1];
    call->out->channels_last = value->channels_last;
    call->out->term = ESPL__ONNX_DENSE;
    call->out->weight = weight;
    return ESPL_OK;
}

/* ONNX counts what stays of the running statistics, we what is new. */
static espl_status batch_norm(espl__onnx_call *call)
{
    char texts[2][32], attributes[100];

    if (espl__onnx_integer(call->node, "training_mode", 0) || !espl__onnx_integer(call->node, "spatial", 1))
        return espl__onnx_refuse(call, "is exported for training, or acts on single pixels; export the model for inference");
    espl__text_from_real(espl__onnx_real(call->node, "epsilon", 1e-5f), texts[0]);
    espl__text_from_real(1 - espl__onnx_real(call->node, "momentum", 0.9f), texts[1]);
    snprintf(attributes, sizeof attributes, "epsilon: %s, momentum: %s", texts[0], texts[1]);
    return give_with_parameters(call, false, "batch_norm", attributes, 4);
}

static espl_status group_norm(espl__onnx_call *call, int64_t groups)
{
    char text[32], attributes[100];

    espl__text_from_real(espl__onnx_real(call->node, "epsilon", 1e-5f), text);
    snprintf(attributes, sizeof attributes, "groups: %" PRId64 ", epsilon: %s", groups, text);
    return give_with_parameters(call, false, "group_norm", attributes, 2);
}

static espl_status instance_normalization(espl__onnx_call *call)
{
    return group_norm(call, 0);
}

static espl_status group_normalization(espl__onnx_call *call)
{
    return group_norm(call, espl__onnx_integer(call->node, "num_groups", 0));
}

static espl_status layer_normalization(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    const int64_t named = espl__onnx_integer(call->node, "axis", -1), axis = named < 0 ? named + value->rank + 1 : named;
    char text[32], attributes[64];

    const bool by_pixel = value->channels_last && axis == 3;

    if (axis != 1 && !by_pixel)
        return espl__onnx_refuse(call, "normalizes over a part of a sample; whole samples, or channels that are last, are possible");
    espl__text_from_real(espl__onnx_real(call->node, "epsilon", 1e-5f), text);
    snprintf(attributes, sizeof attributes, "over: %s, epsilon: %s", by_pixel ? "channels" : "sample", text);
    return give_with_parameters(call, by_pixel, "layer_norm", attributes, call->count > 2 ? 2 : 1);
}

/* ---- pooling of whole planes ---- */

static espl_status global_pool(espl__onnx_call *call, bool last, const char *op, bool keep)
{
    const int64_t first_dim[] = { call->in[0]->dim[0], 1, 1 }, last_dim[] = { 1, 1, call->in[0]->dim[2] };
    espl_status s;

    if (call->in[0]->rank != 3)
        return espl__onnx_refuse(call, "takes %d dimensions; pictures (batch, channels, height, width) were expected", call->in[0]->rank + 1);
    call->count = 1;
    if ((s = give_node(call, last, op, "")))
        return s;
    espl__onnx_see(call->out, call->out, keep ? 3 : 1, !last ? first_dim : keep ? last_dim
                                                                                : last_dim + 2);
    return ESPL_OK;
}

static espl_status global_average_pool(espl__onnx_call *call)
{
    return global_pool(call, false, "global_avg_pool", true);
}

static espl_status global_max_pool(espl__onnx_call *call)
{
    return global_pool(call, false, "global_max_pool", true);
}

static espl_status reduce(espl__onnx_call *call)
{
    const bool keep = espl__onnx_integer(call->node, "keepdims", 1) != 0;
    int64_t axes[ESPL__ONNX_RANK_MAX];
    int count;
    unsigned named = 0;
    const espl_status s = espl__onnx_integers(call, "axes", 1, axes, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    for (int i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + call->in[0]->rank + 1 : axes[i];
        named |= axis >= 0 && axis < 8 ? 1u << axis : 1;
    }
    const bool last = call->in[0]->channels_last;
    if (named != (last ? 1u << 1 | 1u << 2 : 1u << 2 | 1u << 3))
        return espl__onnx_refuse(call, "acts on other dimensions than the height and width of pictures");
    return global_pool(call, last, espl__onnx_is(call->node, "ReduceMax") ? "global_max_pool" : "global_avg_pool", keep);
}

/* ---- putting together, dropping ---- */

static espl_status concat(espl__onnx_call *call)
{
    const int64_t named = espl__onnx_integer(call->node, "axis", 1), axis = named < 0 ? named + call->in[0]->rank + 1 : named;
    const bool last = call->in[0]->channels_last;

    if (axis != (last ? 3 : 1))
        return espl__onnx_refuse(call, "puts together along another dimension than the channels");
    for (int i = 0; i < call->count; i++)
        if (call->in[i] && call->in[i]->channels_last != last)
            return espl__onnx_refuse(call, "puts together values with channels first and last");
    return call->count == 1 ? espl__onnx_same(call) : give_node(call, last, "concat", "");
}

/* In training ours drops again what the model dropped when it was trained. */
static espl_status dropout(espl__onnx_call *call)
{
    espl__onnx_value *ratio = call->count > 1 ? call->in[1] : NULL;
    double rate = espl__onnx_real(call->node, "ratio", 0.5);

    if (call->node->n_output > 1 && espl__onnx_find(call->onnx, call->node->output[1])->uses)
        return espl__onnx_refuse(call, "its mask is used, which is not kept here");
    if (ratio && ratio->kind == ESPL__ONNX_CONSTANT && espl__onnx_count(ratio) == 1 && !espl__onnx_look(call->onnx, ratio))
        rate = ratio->numbers[0];
    call->count = 1;
    return rate > 0 && rate < 0.999999 ? activation(call, "dropout", "rate", rate) : espl__onnx_same(call);
}

/* ---- the table ---- */

static const struct {
    const char *op;
    espl__onnx_translator translator;
} table[] = {
    { "Add", espl__onnx_add_values },
    { "AveragePool", espl__onnx_average_pool },
    { "BatchNormalization", batch_norm },
    { "Cast", espl__onnx_same },
    { "Clip", espl__onnx_clip },
    { "Concat", concat },
    { "Conv", espl__onnx_conv },
    { "Div", espl__onnx_div },
    { "Dropout", dropout },
    { "Elu", elu },
    { "Erf", espl__onnx_erf },
    { "Flatten", espl__onnx_flatten },
    { "Gather", espl__onnx_gather },
    { "Gelu", gelu },
    { "Gemm", gemm },
    { "GlobalAveragePool", global_average_pool },
    { "GlobalMaxPool", global_max_pool },
    { "GroupNormalization", group_normalization },
    { "HardSigmoid", espl__onnx_hard_sigmoid },
    { "HardSwish", plain_activation },
    { "Identity", espl__onnx_same },
    { "InstanceNormalization", instance_normalization },
    { "LayerNormalization", layer_normalization },
    { "LeakyRelu", leaky_relu },
    { "LogSoftmax", log_softmax },
    { "MatMul", matmul },
    { "MaxPool", espl__onnx_max_pool },
    { "Mul", espl__onnx_mul },
    { "PRelu", prelu },
    { "Pad", espl__onnx_pad },
    { "ReduceMax", reduce },
    { "ReduceMean", reduce },
    { "Relu", espl__onnx_relu },
    { "Reshape", espl__onnx_reshape },
    { "Selu", plain_activation },
    { "Sigmoid", espl__onnx_sigmoid },
    { "Slice", espl__onnx_slice },
    { "Softmax", softmax },
    { "Split", espl__onnx_split },
    { "Squeeze", espl__onnx_squeeze },
    { "Sub", espl__onnx_sub },
    { "Sum", espl__onnx_add_values },
    { "Tanh", plain_activation },
    { "Transpose", espl__onnx_transpose },
    { "Unsqueeze", espl__onnx_unsqueeze },
};

espl__onnx_translator espl__onnx_translator_of(const char *op)
{
    for (int i = 0; i < ESPL__COUNT(table); i++)
        if (espl__text_equal(table[i].op, op))
            return table[i].translator;
    return NULL;
}
