/* Keras's layers one by one. Keras keeps channels last and counts dimensions with the batch; we have
 * (channels, height, width). "same" padding depends on the input's size and puts the odd row at the end.
 * Long because it is a table of layers, each a few lines that are read one at a time. */
#include "formats/keras.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef espl_status (*translator)(espl__keras *k, espl__keras_layer *l);

/* ---- asking the config ---- */

static bool flag(const espl__keras_layer *l, const char *key, bool fallback)
{
    json_t *value = json_object_get(l->config, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static double real(const espl__keras_layer *l, const char *key, double fallback)
{
    json_t *value = json_object_get(l->config, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

static const char *text(const espl__keras_layer *l, const char *key, const char *fallback)
{
    const char *value = json_string_value(json_object_get(l->config, key));

    return value ? value : fallback;
}

/* A size or a pair of them; false if there is neither. */
static bool pair(const espl__keras_layer *l, const char *key, int64_t result[2])
{
    json_t *value = json_object_get(l->config, key);

    for (int i = 0; i < 2; i++) {
        json_t *item = json_is_array(value) ? json_array_get(value, (size_t)i) : value;
        if (!json_is_integer(item) || json_integer_value(item) < 0 || json_integer_value(item) > 1 << 20)
            return false;
        result[i] = json_integer_value(item);
    }
    return true;
}

static int64_t whole(const espl__keras_layer *l, const char *key, int64_t fallback)
{
    json_t *value = json_object_get(l->config, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static espl__shape shape_of(const espl__keras *k, const espl__keras_layer *l)
{
    return k->graph->nodes[l->inputs[0]].shape;
}

/* ---- adding nodes ---- */

#define ADD(k, l, op, ...) espl__draft_add((k)->graph, op, (l)->name, (l)->inputs, (l)->input_count, &(l)->node, __VA_ARGS__)

/* One more node behind the layer's own, called <layer>_<what>. */
static espl_status follow(espl__keras *k, espl__keras_layer *l, const char *op, const char *what, const char *attributes)
{
    char name[300];
    const int input = l->node;

    snprintf(name, sizeof name, "%.200s_%s", l->name, what);
    return espl__draft_add(k->graph, op, name, &input, 1, &l->node, "%s", attributes);
}

static const struct {
    const char *keras, *op, *attributes;
} activations[] = {
    { "relu", "relu", "" },
    { "relu6", "relu6", "" },
    { "sigmoid", "sigmoid", "" },
    { "tanh", "tanh", "" },
    { "softmax", "softmax", "" },
    { "elu", "elu", "" },
    { "selu", "selu", "" },
    { "gelu", "gelu", "" },
    { "swish", "silu", "" },
    { "silu", "silu", "" },
    { "hard_swish", "hard_swish", "" },
    { "hard_silu", "hard_swish", "" },
    { "leaky_relu", "leaky_relu", "slope: 0.2" },
};

/* Keras 3 has slope 1/6 here, Keras 1 and 2 had 0.2. Without a version they are told apart by how they write
 * dtypes. */
static const char *hard_sigmoid(const espl__keras *k, const espl__keras_layer *l)
{
    const bool new = k->version ? k->version >= 3 : json_is_object(json_object_get(l->config, "dtype"));

    return new ? "slope: 0.16666666666666666" : "slope: 0.2";
}

/* The op of the layer's activation, and its attributes; NULL for none that is known. */
static const char *activation_of(const espl__keras *k, const espl__keras_layer *l, const char *wanted, const char **attributes)
{
    for (int i = 0; i < ESPL__COUNT(activations); i++)
        if (espl__text_equal(activations[i].keras, wanted)) {
            *attributes = activations[i].attributes;
            return activations[i].op;
        }
    *attributes = hard_sigmoid(k, l);
    return espl__text_equal(wanted, "hard_sigmoid") ? wanted : NULL;
}

/* The activation that a layer has beside what it is. */
static espl_status activate(espl__keras *k, espl__keras_layer *l)
{
    const char *wanted = text(l, "activation", "linear"), *attributes;
    const char *op = activation_of(k, l, wanted, &attributes);

    if (op)
        return follow(k, l, op, wanted, attributes);
    return espl__text_equal(wanted, "linear") ? ESPL_OK : espl__keras_refuse(k, l, "its activation is not known");
}

/* ---- windows ---- */

typedef struct window {
    int64_t kernel[2], stride[2], dilation[2], pad[4];
    bool same;
} window;

static espl_status read_window(espl__keras *k, espl__keras_layer *l, const char *kernel, window *w)
{
    const espl__shape in = shape_of(k, l);
    const char *padding = text(l, "padding", text(l, "border_mode", "valid"));

    *w = (window){ .same = espl__text_equal(padding, "same") };
    if (in.rank != 3)
        return espl__keras_refuse(k, l, "takes planes (height, width, channels)");
    if (!espl__text_equal(text(l, "data_format", "channels_last"), "channels_last") ||
        !espl__text_equal(text(l, "dim_ordering", "tf"), "tf")) /* Keras 1 */
        return espl__keras_refuse(k, l, "has channels first; save the model with channels last");
    w->kernel[0] = whole(l, "nb_row", 0); /* Keras 1 */
    w->kernel[1] = whole(l, "nb_col", 0);
    if (!pair(l, kernel, w->kernel) && (w->kernel[0] < 1 || w->kernel[1] < 1 || w->kernel[0] > 1 << 20 || w->kernel[1] > 1 << 20))
        return espl__keras_refuse(k, l, "has no size that is understood");
    if (!pair(l, "strides", w->stride) && !pair(l, "subsample", w->stride))
        memcpy(w->stride, kernel[0] == 'p' ? w->kernel : (const int64_t[]){ 1, 1 }, sizeof w->stride);
    if (!pair(l, "dilation_rate", w->dilation))
        w->dilation[0] = w->dilation[1] = 1;
    if (!w->same && !espl__text_equal(padding, "valid"))
        return espl__keras_refuse(k, l, "its padding is neither \"same\" nor \"valid\"");
    for (int side = 0; side < 4 && l->padded; side++)
        w->pad[side] = l->pad[side];
    for (int axis = 0; axis < 2 && w->same; axis++) {
        const int64_t stride = w->stride[axis] ? w->stride[axis] : 1, size = in.dim[1 + axis];
        const int64_t reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
        const int64_t missing = ((size + stride - 1) / stride - 1) * stride + reach - size;
        w->pad[axis] = missing > 0 ? missing / 2 : 0;
        w->pad[2 + axis] = missing > 0 ? missing - missing / 2 : 0;
    }
    return ESPL_OK;
}

static espl_status add_conv(espl__keras *k, espl__keras_layer *l, const char *name, const window *w, int64_t channels,
                            int64_t groups, bool bias)
{
    return espl__draft_add(k->graph, "conv2d", name, l->inputs, 1, &l->node,
                           "channels: %" PRId64 ", kernel: [%" PRId64 ", %" PRId64 "], stride: [%" PRId64 ", %" PRId64
                           "], pad: [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "], dilation: [%" PRId64 ", %" PRId64
                           "], groups: %" PRId64 ", bias: %s",
                           channels, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1], w->pad[0], w->pad[1],
                           w->pad[2], w->pad[3], w->dilation[0], w->dilation[1], groups, bias ? "yes" : "no");
}

static espl_status conv2d(espl__keras *k, espl__keras_layer *l)
{
    const bool bias = flag(l, "use_bias", flag(l, "bias", true));
    window w;
    espl_status s;

    if ((s = read_window(k, l, "kernel_size", &w)) ||
        (s = add_conv(k, l, l->name, &w, whole(l, "filters", whole(l, "nb_filter", 0)), whole(l, "groups", 1), bias)))
        return s;
    l->weights = bias ? "kernel bias" : "kernel";
    return activate(k, l);
}

static espl_status depthwise_conv2d(espl__keras *k, espl__keras_layer *l)
{
    const bool bias = flag(l, "use_bias", true);
    const espl__shape in = shape_of(k, l);
    window w;
    espl_status s;

    if ((s = read_window(k, l, "kernel_size", &w)) ||
        (s = add_conv(k, l, l->name, &w, in.dim[0] * whole(l, "depth_multiplier", 1), in.dim[0], bias)))
        return s;
    l->weights = bias ? "depthwise_kernel bias" : "depthwise_kernel";
    return activate(k, l);
}

/* Two nodes, the first called <layer>/depthwise. */
static espl_status separable_conv2d(espl__keras *k, espl__keras_layer *l)
{
    const window point = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false };
    const bool bias = flag(l, "use_bias", true);
    const espl__shape in = shape_of(k, l);
    char name[300];
    window w;
    espl_status s;

    snprintf(name, sizeof name, "%.200s/depthwise", l->name);
    if ((s = read_window(k, l, "kernel_size", &w)) ||
        (s = add_conv(k, l, name, &w, in.dim[0] * whole(l, "depth_multiplier", 1), in.dim[0], false)))
        return s;
    l->inputs[0] = l->node;
    if ((s = add_conv(k, l, l->name, &point, whole(l, "filters", 0), 1, bias)))
        return s;
    l->weights = bias ? "depthwise/depthwise_kernel kernel bias" : "depthwise/depthwise_kernel kernel";
    return activate(k, l);
}

static espl_status pool(espl__keras *k, espl__keras_layer *l, const char *op)
{
    window w;
    const espl_status s = read_window(k, l, "pool_size", &w);

    return s ? s : ADD(k, l, op, "kernel: [%" PRId64 ", %" PRId64 "], stride: [%" PRId64 ", %" PRId64 "], pad: [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "]", w.kernel[0], w.kernel[1], w.stride[0], w.stride[1], w.pad[0], w.pad[1], w.pad[2], w.pad[3]);
}

static espl_status max_pool(espl__keras *k, espl__keras_layer *l)
{
    return pool(k, l, "max_pool");
}

static espl_status avg_pool(espl__keras *k, espl__keras_layer *l)
{
    return pool(k, l, "avg_pool");
}

static espl_status global_pool(espl__keras *k, espl__keras_layer *l, const char *op)
{
    const int64_t channels = shape_of(k, l).dim[0];
    char attributes[64];
    const espl_status s = ADD(k, l, op, "%s", "");

    snprintf(attributes, sizeof attributes, "shape: [%" PRId64 ", 1, 1]", channels);
    return s || !flag(l, "keepdims", false) ? s : follow(k, l, "reshape", "planes", attributes);
}

static espl_status global_avg_pool(espl__keras *k, espl__keras_layer *l)
{
    return global_pool(k, l, "global_avg_pool");
}

static espl_status global_max_pool(espl__keras *k, espl__keras_layer *l)
{
    return global_pool(k, l, "global_max_pool");
}

/* Four sides from a size, a pair, or a pair of pairs ((top, bottom), (left, right)). */
static bool sides(const espl__keras_layer *l, const char *key, int64_t result[4])
{
    json_t *value = json_object_get(l->config, key), *first = json_array_get(value, 0);

    if (!json_is_array(first)) {
        if (!pair(l, key, result))
            return false;
        result[3] = result[2] = result[1];
        result[1] = result[0];
        return true;
    }
    for (int i = 0; i < 4; i++) {
        json_t *item = json_array_get(json_array_get(value, (size_t)i / 2), (size_t)i % 2);
        if (!json_is_integer(item) || json_integer_value(item) < 0 || json_integer_value(item) > 1 << 20)
            return false;
        result[i] = json_integer_value(item);
    }
    return true;
}

/* Not a node yet: a convolution that follows takes it over. */
static espl_status zero_padding(espl__keras *k, espl__keras_layer *l)
{
    int64_t s[4];

    if (!sides(l, "padding", s))
        return espl__keras_refuse(k, l, "its padding is not understood");
    l->pad[0] = s[0];
    l->pad[1] = s[2];
    l->pad[2] = s[1];
    l->pad[3] = s[3];
    l->padded = true;
    l->node = l->inputs[0];
    return ESPL_OK;
}

bool espl__keras_takes_padding(const espl__keras_layer *l)
{
    return strstr(l->kind, "Conv") != NULL && espl__text_equal(text(l, "padding", text(l, "border_mode", "valid")), "valid");
}

espl_status espl__keras_pad(espl__keras *k, espl__keras_layer *l)
{
    const int input = l->node;

    if (!l->padded)
        return ESPL_OK;
    l->padded = false;
    return espl__draft_add(k->graph, "pad", l->name, &input, 1, &l->node,
                           "before: [0, %" PRId64 ", %" PRId64 "], after: [0, %" PRId64 ", %" PRId64 "]", l->pad[0],
                           l->pad[1], l->pad[2], l->pad[3]);
}

static espl_status cropping(espl__keras *k, espl__keras_layer *l)
{
    const espl__shape in = shape_of(k, l);
    int64_t s[4];

    if (in.rank != 3 || !sides(l, "cropping", s))
        return espl__keras_refuse(k, l, "its cropping is not understood");
    return ADD(k, l, "slice", "begin: [0, %" PRId64 ", %" PRId64 "], end: [0, %" PRId64 ", %" PRId64 "]", s[0], s[2],
               in.dim[1] - s[1], in.dim[2] - s[3]);
}

static espl_status up_sampling(espl__keras *k, espl__keras_layer *l)
{
    int64_t size[2];

    if (!pair(l, "size", size))
        return espl__keras_refuse(k, l, "its size is not understood");
    return ADD(k, l, "resize", "scale: [%" PRId64 ", %" PRId64 "], mode: %s, place: half-pixel", size[0], size[1],
               espl__text_equal(text(l, "interpolation", "nearest"), "bilinear") ? "bilinear" : "nearest");
}

/* ---- dense, norms ---- */

static espl_status dense(espl__keras *k, espl__keras_layer *l)
{
    const bool bias = flag(l, "use_bias", flag(l, "bias", true));
    espl_status s;

    if (shape_of(k, l).rank != 1)
        return espl__keras_refuse(k, l, "works on every pixel of planes; here a vector is needed");
    if ((s = ADD(k, l, "dense", "units: %" PRId64 ", bias: %s", whole(l, "units", whole(l, "output_dim", 0)), bias ? "yes" : "no")))
        return s;
    l->weights = bias ? "kernel bias" : "kernel";
    return activate(k, l);
}

static int64_t axis_of(const espl__keras_layer *l)
{
    json_t *axis = json_object_get(l->config, espl__text_equal(l->kind, "Merge") ? "concat_axis" : "axis");

    if (json_is_array(axis) && json_array_size(axis) == 1)
        axis = json_array_get(axis, 0);
    return json_is_integer(axis) ? json_integer_value(axis) : -1;
}

/* Whether the layer acts along the channels, which are last. */
static bool is_last_axis(const espl__keras *k, const espl__keras_layer *l)
{
    const int64_t axis = axis_of(l);

    return axis == -1 || axis == shape_of(k, l).rank;
}

static espl_status batch_norm(espl__keras *k, espl__keras_layer *l)
{
    static const char *const weights[] = { "moving_mean moving_variance", "beta moving_mean moving_variance",
                                           "gamma moving_mean moving_variance", "gamma beta moving_mean moving_variance" };
    char epsilon[32], momentum[32];

    if (!is_last_axis(k, l))
        return espl__keras_refuse(k, l, "does not act along the channels, which are last");
    if (whole(l, "mode", 0) != 0) /* Keras 1 */
        return espl__keras_refuse(k, l, "has another mode than 0, which is all that later versions of Keras have");
    espl__text_from_real(real(l, "epsilon", 1e-3), epsilon);
    espl__text_from_real(1 - real(l, "momentum", 0.99), momentum);
    l->weights = weights[2 * flag(l, "scale", true) + flag(l, "center", true)];
    return ADD(k, l, "batch_norm", "epsilon: %s, momentum: %s", epsilon, momentum);
}

static espl_status layer_norm(espl__keras *k, espl__keras_layer *l)
{
    char epsilon[32];

    if (!is_last_axis(k, l))
        return espl__keras_refuse(k, l, "does not act along the channels, which are last");
    espl__text_from_real(real(l, "epsilon", 1e-3), epsilon);
    l->weights = flag(l, "scale", true) ? flag(l, "center", true) ? "gamma beta" : "gamma" : "beta";
    return ADD(k, l, "layer_norm", "epsilon: %s, over: channels", epsilon);
}

/* ---- preparation that is part of the model ---- */

static bool at_the_input(const espl__keras *k, const espl__keras_layer *l)
{
    const espl__shape in = shape_of(k, l);

    return l->inputs[0] == 0 && k->graph->node_count == 1 && in.rank == 3 && in.dim[0] <= 4;
}

/* raw * scale + offset, a number or one for each channel. */
static bool numbers_of(const espl__keras_layer *l, const char *key, double fallback, double values[4])
{
    json_t *value = json_object_get(l->config, key);

    for (size_t i = 0; i < 4; i++) {
        json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        values[i] = json_is_number(item) ? json_number_value(item) : fallback;
        if (value && !json_is_number(value) && !json_is_array(value) && !json_is_null(value))
            return false;
    }
    return true;
}

static espl_status compose(espl__keras *k, espl__keras_layer *l, const double scale[4], const double offset[4])
{
    for (int c = 0; c < 4; c++)
        if (!(scale[c] > 1e-30) || !isfinite(scale[c]) || !isfinite(offset[c]))
            return espl__keras_refuse(k, l, "its scale must be above zero and finite");
    for (int c = 0; c < 4; c++) {
        k->offset[c] = k->rescaled ? k->offset[c] * scale[c] + offset[c] : offset[c];
        k->scale[c] = k->rescaled ? k->scale[c] * scale[c] : scale[c];
    }
    k->rescaled = true;
    l->node = l->inputs[0];
    return ESPL_OK;
}

static espl_status rescaling(espl__keras *k, espl__keras_layer *l)
{
    double scale[4], offset[4];

    if (!at_the_input(k, l) || !numbers_of(l, "scale", 1, scale) || !numbers_of(l, "offset", 0, offset))
        return espl__keras_refuse(k, l, "is understood only directly behind the input");
    return compose(k, l, scale, offset);
}

static espl_status normalization(espl__keras *k, espl__keras_layer *l)
{
    const int channels = at_the_input(k, l) ? (int)shape_of(k, l).dim[0] : 0;
    double mean[4] = { 0 }, variance[4] = { 1, 1, 1, 1 }, scale[4], offset[4];
    const bool stored = json_is_array(json_object_get(l->config, "mean"));

    if (!channels)
        return espl__keras_refuse(k, l, "is understood only directly behind the input");
    if (stored ? !numbers_of(l, "mean", 0, mean) || !numbers_of(l, "variance", 1, variance)
               : !k->numbers || !k->numbers(k->user, l, "mean", mean, channels) ||
                     !k->numbers(k->user, l, "variance", variance, channels))
        return espl__keras_refuse(k, l, "its mean and variance are missing");
    for (int c = 0; c < 4; c++) {
        if (!isfinite(mean[c]) || !(variance[c] >= 0) || !isfinite(variance[c]))
            return espl__keras_refuse(k, l, "its variance must be positive and finite");
        scale[c] = 1 / fmax(sqrt(variance[c]), 1e-7);
        offset[c] = -mean[c] * scale[c];
    }
    return compose(k, l, scale, offset);
}

/* What keras.applications' preprocess_input leaves in a model: the input and numbers. */
static bool prepares(const espl__keras *k, const espl__keras_layer *l)
{
    return l->input_count == 1 && (l->number_count == 1 || l->number_count == shape_of(k, l).dim[0]) && at_the_input(k, l);
}

/* A sum (`sum` 1) or product with numbers to the power of `sign`, which is 1 or -1. */
static espl_status arithmetic(espl__keras *k, espl__keras_layer *l, int sum, int sign)
{
    double scale[4] = { 1, 1, 1, 1 }, offset[4] = { 0 };

    for (int c = 0; c < 4; c++) {
        const double number = l->numbers[c < l->number_count ? c : 0];
        if (sum)
            offset[c] = sign * number;
        else
            scale[c] = sign > 0 ? number : 1 / number;
    }
    return compose(k, l, scale, offset);
}

/* ---- activations as layers ---- */

static espl_status activation(espl__keras *k, espl__keras_layer *l)
{
    const char *wanted = text(l, "activation", ""), *attributes;
    const char *op = activation_of(k, l, wanted, &attributes);

    if (op)
        return ADD(k, l, op, "%s", attributes);
    l->node = l->inputs[0];
    return espl__text_equal(wanted, "linear") ? ESPL_OK : espl__keras_refuse(k, l, "its activation is not known");
}

static espl_status relu(espl__keras *k, espl__keras_layer *l)
{
    json_t *most = json_object_get(l->config, "max_value");
    const double slope = real(l, "negative_slope", real(l, "alpha", 0));
    const bool six = json_is_number(most) && json_number_value(most) == 6;
    char number[32];

    if (real(l, "threshold", 0) != 0 || (json_is_number(most) && !six) || (six && slope != 0))
        return espl__keras_refuse(k, l, "has a threshold or a largest value other than 6");
    if (l->input_stage == ESPL__KERAS_PLUS_3 && six) {
        l->node = l->inputs[0];
        l->stage = ESPL__KERAS_RELU6_PLUS_3;
        return ESPL_OK;
    }
    if (slope == 0)
        return ADD(k, l, six ? "relu6" : "relu", "%s", "");
    espl__text_from_real(slope, number);
    return ADD(k, l, "leaky_relu", "slope: %s", number);
}

static espl_status leaky_relu(espl__keras *k, espl__keras_layer *l)
{
    char number[32];

    espl__text_from_real(real(l, "negative_slope", real(l, "alpha", 0.3)), number);
    return ADD(k, l, "leaky_relu", "slope: %s", number);
}

static espl_status softmax(espl__keras *k, espl__keras_layer *l)
{
    return is_last_axis(k, l) ? ADD(k, l, "softmax", "%s", "") : espl__keras_refuse(k, l, "does not act along the channels, which are last");
}

/* ---- putting together ---- */

static espl_status add_layer(espl__keras *k, espl__keras_layer *l)
{
    if (!l->number_count)
        return ADD(k, l, "add", "%s", "");
    if (prepares(k, l))
        return arithmetic(k, l, 1, 1);
    if (l->input_count == 1 && l->number_count == 1 && l->numbers[0] == 3 && l->input_stage == ESPL__KERAS_WHOLE) {
        l->node = l->inputs[0];
        l->stage = ESPL__KERAS_PLUS_3;
        return ESPL_OK;
    }
    return espl__keras_refuse(k, l, "adds a number other than the 3 of a hard sigmoid");
}

static espl_status multiply(espl__keras *k, espl__keras_layer *l)
{
    if (!l->number_count)
        return ADD(k, l, "mul", "%s", "");
    if (prepares(k, l))
        return arithmetic(k, l, 0, 1);
    if (l->input_count == 1 && l->number_count == 1 && l->input_stage == ESPL__KERAS_RELU6_PLUS_3 && fabs(l->numbers[0] - 1.0 / 6) < 1e-7)
        return ADD(k, l, "hard_sigmoid", "%s", "");
    return espl__keras_refuse(k, l, "multiplies by a number that belongs to no hard sigmoid");
}

static espl_status subtract(espl__keras *k, espl__keras_layer *l)
{
    return prepares(k, l) ? arithmetic(k, l, 1, -1) : espl__keras_refuse(k, l, "is understood only as a number behind the input");
}

static espl_status divide(espl__keras *k, espl__keras_layer *l)
{
    return prepares(k, l) ? arithmetic(k, l, 0, -1) : espl__keras_refuse(k, l, "is understood only as a number behind the input");
}

static espl_status concatenate(espl__keras *k, espl__keras_layer *l)
{
    return is_last_axis(k, l) ? ADD(k, l, "concat", "%s", "") : espl__keras_refuse(k, l, "does not act along the channels, which are last");
}

/* Keras 1 says by "mode" what is done. */
static espl_status merge(espl__keras *k, espl__keras_layer *l)
{
    const char *mode = text(l, "mode", "");

    if (espl__text_equal(mode, "sum"))
        return add_layer(k, l);
    if (espl__text_equal(mode, "mul"))
        return multiply(k, l);
    return espl__text_equal(mode, "concat") ? concatenate(k, l) : espl__keras_refuse(k, l, "its mode is none of sum, mul, concat");
}

/* ---- shapes ---- */

static espl_status flatten(espl__keras *k, espl__keras_layer *l)
{
    if (shape_of(k, l).rank == 1) {
        l->node = l->inputs[0];
        return ESPL_OK;
    }
    return ADD(k, l, "flatten", "%s", "");
}

/* Between a vector and planes of one pixel the order of the values does not matter. */
static espl_status reshape(espl__keras *k, espl__keras_layer *l)
{
    const espl__shape in = shape_of(k, l);
    json_t *target = json_object_get(l->config, "target_shape");
    const size_t rank = json_array_size(target);
    int64_t size = espl__shape_size(in);

    for (size_t i = 0; i + 1 < rank; i++)
        if (json_integer_value(json_array_get(target, i)) != 1)
            return espl__keras_refuse(k, l, "changes the order of pixels and channels");
    if (rank < 1 || rank > 3 || (in.rank == 3 && in.dim[1] * in.dim[2] != 1))
        return espl__keras_refuse(k, l, "changes the order of pixels and channels");
    if (rank == 1)
        return ADD(k, l, "reshape", "shape: %" PRId64, size);
    return ADD(k, l, "reshape", "shape: [%" PRId64 ", 1, 1]", size);
}

static espl_status dropout(espl__keras *k, espl__keras_layer *l)
{
    char rate[32];
    const double p = real(l, "rate", real(l, "p", 0.5));
    const bool whole_samples = json_is_array(json_object_get(l->config, "noise_shape"));

    if (whole_samples && !k->left_out_count++)
        k->left_out = l->name;
    if (p <= 0 || whole_samples) {
        l->node = l->inputs[0];
        return ESPL_OK;
    }
    espl__text_from_real(p, rate);
    return ADD(k, l, "dropout", "rate: %s, whole-channels: %s", rate, l->kind[0] == 'S' ? "yes" : "no");
}

/* For layers that do nothing outside of Keras's own training. */
static espl_status nothing(espl__keras *k, espl__keras_layer *l)
{
    (void)k;
    l->node = l->inputs[0];
    l->stage = l->input_stage;
    return ESPL_OK;
}

/* ---- the table ---- */

static const struct {
    const char *kind;
    translator translate;
} table[] = {
    { "Conv2D", conv2d },
    { "Convolution2D", conv2d },
    { "DepthwiseConv2D", depthwise_conv2d },
    { "SeparableConv2D", separable_conv2d },
    { "SeparableConvolution2D", separable_conv2d },
    { "Dense", dense },
    { "BatchNormalization", batch_norm },
    { "BatchNormalizationV1", batch_norm },
    { "LayerNormalization", layer_norm },
    { "Activation", activation },
    { "ReLU", relu },
    { "LeakyReLU", leaky_relu },
    { "Softmax", softmax },
    { "MaxPooling2D", max_pool },
    { "AveragePooling2D", avg_pool },
    { "GlobalAveragePooling2D", global_avg_pool },
    { "GlobalMaxPooling2D", global_max_pool },
    { "ZeroPadding2D", zero_padding },
    { "Cropping2D", cropping },
    { "UpSampling2D", up_sampling },
    { "Flatten", flatten },
    { "Reshape", reshape },
    { "Dropout", dropout },
    { "SpatialDropout2D", dropout },
    { "Add", add_layer },
    { "Multiply", multiply },
    { "Concatenate", concatenate },
    { "Merge", merge },
    { "Rescaling", rescaling },
    { "Normalization", normalization },
    { "__operators__.add", add_layer }, /* functions of TensorFlow */
    { "math.add", add_layer },
    { "math.multiply", multiply },
    { "math.subtract", subtract },
    { "math.truediv", divide },
    { "nn.bias_add", add_layer },
    { "Subtract", subtract },
    { "TrueDivide", divide }, /* and of Keras 3 */
    { "Divide", divide },
    { "RandomFlip", nothing },
    { "RandomRotation", nothing },
    { "RandomZoom", nothing },
    { "RandomTranslation", nothing },
    { "RandomContrast", nothing },
    { "ActivityRegularization", nothing },
    { "GaussianNoise", nothing },
};

espl_status espl__keras_translate(espl__keras *k, espl__keras_layer *l)
{
    for (int i = 0; i < ESPL__COUNT(table); i++)
        if (espl__text_equal(table[i].kind, l->kind)) {
            if (!l->input_count)
                return espl__keras_refuse(k, l, "takes nothing");
            if (l->input_stage != ESPL__KERAS_WHOLE && table[i].translate != relu && table[i].translate != multiply)
                return espl__keras_refuse(k, l, "takes a sum with a number");
            return table[i].translate(k, l);
        }
    return espl__keras_refuse(k, l, "there is no such layer here");
}
