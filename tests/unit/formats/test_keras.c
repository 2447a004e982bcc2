/* Keras's models as graphs: what the configs of Keras 1, 2 and 3 become. The files are those that
 * fuzz_keras begins from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "formats/keras.h"
#include "ops/conv2d.h"

#include <math.h>
#include <string.h>

#define SEEDS ESPL__SOURCE_DIR "/tests/fuzz/seeds/keras/"

static espl_context *ctx;
static espl__keras keras;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(&(espl_context_settings){ .seed = 3 }, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    espl__keras_free(&keras);
    keras = (espl__keras){ 0 };
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

static json_t *config;

static espl_status read_text(const char *text)
{
    json_decref(config);
    config = json_loads(text, 0, NULL);
    assert_non_null(config);
    if (keras.ctx)
        espl__keras_free(&keras);
    keras = (espl__keras){ .ctx = ctx };
    return espl__keras_read(&keras, config);
}

static void read_seed(const char *path)
{
    char *text;
    size_t bytes;

    assert_int_equal(espl__file_read(ctx, path, SIZE_MAX, &text, &bytes), ESPL_OK);
    if (read_text(text))
        fail_msg("%s", espl_message(ctx));
    espl__release(ctx, text);
}

static const espl__node *node(const char *name)
{
    const int index = espl__graph_find(keras.graph, name);

    if (index < 0)
        fail_msg("there is no %s", name);
    return &keras.graph->nodes[index];
}

static void assert_pads(const char *name, int64_t top, int64_t left, int64_t bottom, int64_t right)
{
    const espl__conv2d *a = node(name)->attributes;
    const int64_t pads[] = { top, left, bottom, right };

    assert_int_equal(a->pad.count, 4);
    assert_memory_equal(a->pad.item, pads, sizeof pads);
}

static void same_padding_puts_the_odd_row_at_the_end(void **state)
{
    (void)state;
    read_seed(SEEDS "resnet8.json");
    assert_pads("conv2d", 1, 1, 1, 1);   /* 32, stride 1 */
    assert_pads("conv2d_3", 0, 0, 1, 1); /* 32, stride 2 */
    assert_pads("conv2d_5", 0, 0, 0, 0);
    assert_string_equal(keras.graph->nodes[keras.graph->output].op->name, "softmax");
    assert_int_equal(espl__graph_parameters(keras.graph), 78186);
}

static void keras_1_is_read_and_padding_goes_into_the_convolution(void **state)
{
    (void)state;
    read_seed(SEEDS "keras1.json");
    assert_pads("conv", 1, 1, 1, 1);
    assert_int_equal(espl__graph_find(keras.graph, "pad"), -1);
    assert_int_equal(node("fc")->shape.dim[0], 5);
}

static void sums_and_products_become_a_hard_sigmoid(void **state)
{
    (void)state;
    read_seed(SEEDS "hard_sigmoid.json");
    assert_string_equal(node("mul")->op->name, "hard_sigmoid");
    assert_string_equal(node("mul2")->op->name, "mul");
    assert_string_equal(node("sep/depthwise")->op->name, "conv2d");
    assert_true(keras.rescaled && fabs(keras.scale[1] - 1 / 127.5) < 1e-9 && keras.offset[1] == -1);
    assert_int_equal(keras.graph->nodes[keras.graph->output].shape.dim[0], 4);
}

static void keras_3_is_read(void **state)
{
    (void)state;
    read_seed(SEEDS "keras3.json");
    assert_int_equal(espl__graph_parameters(keras.graph), 3154);
}

static void refuses(const char *text, const char *reason)
{
    assert_int_not_equal(read_text(text), ESPL_OK);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
}

#define INPUT "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"i\",\"batch_shape\":[null,4,4,2]}}"
#define INNER_INPUT "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"j\"}}"
#define MODEL(layer) "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" INPUT "," layer "]}}"

static void what_has_no_counterpart_is_named(void **state)
{
    (void)state;
    refuses("{}", "no class or no list of layers");
    refuses(MODEL("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[{\"class_name\":\"LSTM\",\"config\":{\"name\":\"l\"}}]}}"),
            "layer \"m/l\" (LSTM)");
    refuses(MODEL("{\"class_name\":\"Model\",\"config\":{\"name\":\"m\",\"layers\":[" INPUT "," INNER_INPUT "]}}"),
            "layer \"m\" (Model): has more than one input");
    refuses(MODEL("{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" INPUT "],\"output_layers\":[[\"i\",0,0],[\"i\",0,0]]}}"),
            "the model m has no output or more than one");
    refuses(MODEL("{\"class_name\":\"LSTM\",\"config\":{\"name\":\"l\"}}"), "layer \"l\" (LSTM): there is no such layer here");
    refuses(MODEL("{\"class_name\":\"Flatten\",\"config\":{\"name\":\"i\"}}"), "two layers of this name");
    refuses(MODEL("{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"c\",\"filters\":1,\"kernel_size\":1,\"data_format\":\"channels_first\"}}"), "channels first");
    refuses(MODEL("{\"class_name\":\"Convolution2D\",\"config\":{\"name\":\"c\",\"nb_filter\":1,\"nb_row\":1,\"nb_col\":1,\"dim_ordering\":\"th\"}}"), "channels first");
    refuses(MODEL("{\"class_name\":\"BatchNormalization\",\"config\":{\"name\":\"b\",\"mode\":2}}"), "another mode");
    refuses(MODEL("{\"class_name\":\"Merge\",\"config\":{\"name\":\"m\",\"mode\":\"concat\",\"concat_axis\":1}}"), "along the channels");
    refuses(MODEL("{\"class_name\":\"Reshape\",\"config\":{\"name\":\"r\",\"target_shape\":[32]}}"), "changes the order");
    refuses(MODEL("{\"class_name\":\"ReLU\",\"config\":{\"name\":\"r\",\"max_value\":5}}"), "largest value other than 6");
    refuses("{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"i\",\"batch_shape\":[null,null,null,3]}}]}}",
            "a fixed size was expected");
}

/* The slope of a hard sigmoid, which changed between versions. */
static double slope_in(int version)
{
    double slope;

    json_decref(config);
    config = json_loads(MODEL("{\"class_name\":\"Activation\",\"config\":{\"name\":\"h\",\"activation\":\"hard_sigmoid\",\"dtype\":\"float32\"}}"), 0, NULL);
    keras = (espl__keras){ .ctx = ctx, .version = version };
    assert_int_equal(espl__keras_read(&keras, config), ESPL_OK);
    slope = *(const double *)node("h")->attributes;
    espl__keras_free(&keras);
    keras = (espl__keras){ 0 };
    return slope;
}

static void the_version_says_what_a_hard_sigmoid_is(void **state)
{
    (void)state;
    assert_true(slope_in(2) == 0.2);
    assert_true(fabs(slope_in(3) - 1.0 / 6) < 1e-12);
}

/* ---- names of weights ---- */

#define WEIGHTS "test_keras.safetensors"

static const espl__to_store stored[] = {
    { "layers/conv2d/vars0", ESPL__F32, 4, { 1, 1, 1, 1 }, &(float){ 0 } },
    { "layers/conv2d_1/vars1", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "sep/vars0", ESPL__F32, 4, { 1, 1, 1, 1 }, &(float){ 0 } },
    { "sep/vars1", ESPL__F32, 4, { 1, 1, 1, 1 }, &(float){ 0 } },
    { "old/depthwise_kernel", ESPL__F32, 4, { 1, 1, 1, 1 }, &(float){ 0 } },
    { "old/pointwise_kernel", ESPL__F32, 4, { 1, 1, 1, 1 }, &(float){ 0 } },
    { "norm/vars3", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "norm/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "norm/vars1", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "norm/vars2", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "less/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "less/vars1", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "less/vars2", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "random/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "layers/functional/conv2d/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "layers/functional/sequential/conv2d/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "layers/functional/dense/vars0", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "base/a2/kernel", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "first/conv2d_7/bias", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "n/mean", ESPL__F32, 1, { 1 }, &(float){ 0 } },
    { "n/count", ESPL__F32, 0, { 1 }, &(float){ 0 } },
};

#define LAYER(in, path, last, class, ...)                                  \
    {                                                                      \
        .name = path, .own = last, .kind = class, .model = in, __VA_ARGS__ \
    }

static espl__keras_layer layers[] = {
    LAYER(-1, "i", "i", "InputLayer", .weights = NULL),
    LAYER(-1, "first", "first", "Conv2D", .weights = "kernel bias"),
    LAYER(-1, "random", "random", "RandomFlip", .weights = NULL),
    LAYER(-1, "base", "base", "Functional", .weights = NULL),
    LAYER(3, "base/a", "a", "Conv2D", .weights = "kernel"),
    LAYER(3, "base/in", "in", "Sequential", .weights = NULL),
    LAYER(5, "base/in/a2", "a2", "Conv2D", .weights = "kernel"),
    LAYER(-1, "second", "second", "Conv2D", .weights = "kernel bias"),
    LAYER(-1, "less", "less", "BatchNormalization", .weights = "beta moving_mean moving_variance"),
};

/* What each stored weight is called (NULL: is left out, "": cannot be told). */
static void assert_names(const espl__keras *k, const char *const *expected)
{
    espl__safetensors *file;

    assert_int_equal(espl__safetensors_write(ctx, WEIGHTS, stored, ESPL__COUNT(stored), NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, WEIGHTS, &file), ESPL_OK);
    for (int i = 0; i < ESPL__COUNT(stored); i++) {
        espl__text name = { 0 };
        const espl_status s = espl__keras_weight_name(k, file, i, &name);
        assert_int_equal(s, expected[i] && !*expected[i] ? ESPL_BAD_FILE : ESPL_OK);
        if (!s && expected[i])
            assert_string_equal(name.data, expected[i]);
        else
            assert_null(name.data);
        espl__text_free(ctx, &name);
    }
    espl__safetensors_free(file);
    remove(WEIGHTS);
}

static void weights_are_named_by_the_model(void **state)
{
    (void)state;
    assert_names(&(espl__keras){ .ctx = ctx, .layers = layers, .count = ESPL__COUNT(layers) },
                 (const char *const[]){ "first/kernel", "second/bias", "sep/depthwise/depthwise_kernel", "sep/kernel",
                                        "old/depthwise/depthwise_kernel", "old/kernel", "norm/moving_variance",
                                        "norm/gamma", "norm/beta", "norm/moving_mean", "less/beta", "less/moving_mean",
                                        "less/moving_variance", NULL, "base/a/kernel", "base/in/a2/kernel",
                                        "", "base/in/a2/kernel", "first/bias", NULL, NULL });
}

static void weights_without_a_model_are_named_by_their_dimensions(void **state)
{
    (void)state;
    assert_names(&(espl__keras){ .ctx = ctx },
                 (const char *const[]){ "", "", "sep/depthwise/depthwise_kernel", "sep/kernel",
                                        "old/depthwise/depthwise_kernel", "old/kernel", "norm/moving_variance",
                                        "norm/gamma", "norm/beta", "norm/moving_mean", "", "", "", "", "", "", "",
                                        "base/a2/kernel", "first/conv2d_7/bias", NULL, NULL });
}

static int end(void **state)
{
    (void)state;
    json_decref(config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_padding_puts_the_odd_row_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(keras_1_is_read_and_padding_goes_into_the_convolution, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_and_products_become_a_hard_sigmoid, setup, teardown),
        cmocka_unit_test_setup_teardown(keras_3_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_no_counterpart_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(the_version_says_what_a_hard_sigmoid_is, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_are_named_by_the_model, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_without_a_model_are_named_by_their_dimensions, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
