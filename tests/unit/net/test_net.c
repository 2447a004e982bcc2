/* Nets: first values, hashes, class names, layers, and the builder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "layers_rig.h"

#include <espalier/report.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const rig_layer layers[] = {
    { "conv2d", "channels: 64, kernel: 3, pad: 1", "conv1", NULL },
    { "batch_norm", NULL, "norm1", NULL },
    { "relu", "", NULL, NULL },
    { "add", NULL, "sum", "relu_1, conv1" },
    { "global_avg_pool", NULL, NULL, NULL },
    { "dense", "5", "fc", NULL },
    { 0 }
};

static espl_status build_one(espl_context *context, void *unused)
{
    espl_net *net = NULL;
    const espl_status s = build_layers(context, layers, &net);

    (void)unused;
    espl_net_free(net);
    return s;
}

static const espl__parameter *parameter(const espl_net *net, const char *name)
{
    for (int i = 0; i < net->graph->parameter_count; i++)
        if (espl__text_equal(net->graph->parameters[i].name, name))
            return &net->parameters[i];
    fail_msg("no parameter %s", name);
    return NULL;
}

static void first_values_have_the_asked_spread(void **state)
{
    espl_net *net;
    double sum = 0, squares = 0, largest = 0;

    (void)state;
    assert_int_equal(espl_net_open(ctx, "lenet-300-100", NULL, &net), ESPL_OK);
    const espl__parameter *w = parameter(net, "fc1.weight");
    for (int64_t i = 0; i < w->count; i++) {
        sum += w->value[i];
        squares += (double)w->value[i] * w->value[i];
        largest = fmax(largest, fabs(w->value[i]));
    }
    const double n = (double)w->count, variance = 2.0 / 784; /* n = 235200 */
    assert_true(fabs(sum / n) < 5 * sqrt(variance / n));
    assert_true(fabs(squares / n / variance - 1) < 5 * sqrt(2 / n));
    assert_true(largest > 4 * sqrt(variance)); /* not truncated: 4 deviations are met 15 times */
    for (int64_t i = 0; i < 300; i++)
        assert_true(parameter(net, "fc1.bias")->value[i] == 0);
    espl_net_free(net);
    net = make_net(layers);
    assert_true(parameter(net, "norm1.scale")->value[63] == 1);
    assert_true(parameter(net, "norm1.shift")->value[63] == 0);
    assert_true(parameter(net, "norm1.variance")->value[63] == 1);
    espl_net_free(net);
}

/* The number of workers must not matter, and neither must what else is in the net. */
static void first_values_depend_on_seed_and_name_alone(void **state)
{
    espl_net *net = make_net(layers), *same, *other;
    espl_context *single;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .seed = 7, .threads = 1 }, &single), ESPL_OK);
    assert_int_equal(build_layers(single, layers, &same), ESPL_OK);
    assert_true(espl_net_hash(net) == espl_net_hash(same));
    espl__net_fill(same, 8);
    assert_true(espl_net_hash(net) != espl_net_hash(same));
    espl__net_fill(same, 7);
    assert_true(espl_net_hash(net) == espl_net_hash(same));
    espl_net_free(same);
    espl_context_free(single);

    espl_builder *b;
    assert_int_equal(espl_builder_open(ctx, 3, 8, 8, &b), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "conv2d", "channels: 8, kernel: 1", "other", NULL), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "conv2d", "{channels: 64, kernel: 3}", "conv1", "input"), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "slice", "begin: [0, 1, 1], end: [0, -1, -1]", NULL, "other"), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "concat", NULL, NULL, "slice_1 ,conv1"), ESPL_OK);
    assert_int_equal(espl_net_build(b, "other", &other), ESPL_OK);
    espl_builder_free(b);
    assert_memory_equal(parameter(net, "conv1.weight")->value, parameter(other, "conv1.weight")->value,
                        64 * 27 * sizeof(float));
    espl_net_free(other);
    espl_net_free(net);
}

static void hash_sees_every_value(void **state)
{
    espl_net *net = make_net(layers);
    const uint64_t before = espl_net_hash(net);

    (void)state;
    for (int i = 0; i < net->graph->parameter_count; i++) {
        float *last = &net->parameters[i].value[net->parameters[i].count - 1];
        const float kept = *last;
        *last += 1;
        assert_true(espl_net_hash(net) != before);
        *last = kept;
        assert_true(espl_net_hash(net) == before);
    }
    espl_net_free(net);
}

static void classes_have_names(void **state)
{
    const char *const names[] = { "a", "b", "c", "d", "e" };
    espl_net *net = make_net(layers);

    (void)state;
    assert_int_equal(espl_net_classes(net), 5);
    assert_null(espl_net_class_name(net, 0));
    assert_int_equal(espl__net_set_classes(net, names, 4), ESPL_BAD_SHAPE);
    assert_int_equal(espl__net_set_classes(net, names, 5), ESPL_OK);
    assert_int_equal(espl__net_set_classes(net, names, 5), ESPL_OK);
    assert_string_equal(espl_net_class_name(net, 4), "e");
    assert_null(espl_net_class_name(net, 5));
    assert_null(espl_net_class_name(net, -1));
    espl_net_free(net);
}

static void layers_are_listed(void **state)
{
    espl_net *net = make_net(layers);

    (void)state;
    assert_int_equal(espl_net_layer_count(net), 7);
    const espl_layer conv = espl_net_layer(net, 1), norm = espl_net_layer(net, 2), sum = espl_net_layer(net, 4);
    assert_string_equal(espl_net_layer(net, 0).op, "input");
    assert_string_equal(conv.name, "conv1");
    assert_string_equal(conv.shape, "64x8x8");
    assert_int_equal(conv.parameters, 64 * 27 + 64);
    assert_int_equal(conv.macs, 64 * 27 * 64);
    assert_int_equal(conv.activation_bytes, 64 * 64 * 4);
    assert_int_equal(norm.parameters, 128); /* statistics are no parameters, but bytes */
    assert_int_equal(norm.parameter_bytes, 4 * 64 * 4);
    assert_string_equal(sum.inputs, "relu_1, conv1");
    assert_int_equal(espl_net_macs(net), 64 * 27 * 64 + 64 * 5);
    assert_string_equal(espl_net_name(net), "tiny");
    espl_net_free(net);
}

static void long_input_lists_are_cut(void **state)
{
    char names[8][64], from[600] = "";
    espl_builder *b;
    espl_net *net;

    (void)state;
    assert_int_equal(espl_builder_open(ctx, 1, 2, 2, &b), ESPL_OK);
    for (int i = 0; i < 8; i++) {
        memset(names[i], 'a' + i, 50);
        names[i][50] = 0;
        assert_int_equal(espl_builder_add(b, "relu", NULL, names[i], NULL), ESPL_OK);
        strcat(strcat(from, i ? "," : ""), names[i]);
    }
    assert_int_equal(espl_builder_add(b, "concat", NULL, NULL, from), ESPL_OK);
    assert_int_equal(espl_net_build(b, "n", &net), ESPL_OK);
    const espl_layer layer = espl_net_layer(net, 9);
    assert_int_equal(strlen(layer.inputs), 255);
    assert_string_equal(layer.inputs + 252, "...");
    espl_net_free(net);
    espl_builder_free(b);
}

static void builder_tells_mistakes(void **state)
{
    espl_builder *b;
    espl_net *net;

    (void)state;
    assert_int_equal(espl_builder_open(ctx, 0, 8, 8, &b), ESPL_BAD_SHAPE);
    assert_null(b);
    assert_int_equal(espl_builder_open(ctx, 3, 8, 8, &b), ESPL_OK);
    assert_int_equal(espl_net_build(b, "n", &net), ESPL_BAD_STATE);
    assert_int_equal(espl_builder_add(b, "conv", NULL, NULL, NULL), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(ctx), "conv2d"));
    assert_int_equal(espl_builder_add(b, "conv2d", "channels: 3", "c", NULL), ESPL_BAD_RECIPE);
    assert_non_null(strstr(espl_message(ctx), "kernel"));
    assert_int_equal(espl_builder_add(b, "conv2d", "channels: 3, kernel: 20", "c", NULL), ESPL_BAD_SHAPE);
    assert_int_equal(espl_builder_add(b, "relu", NULL, NULL, "c"), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(ctx), "no layer is named \"c\"");
    assert_int_equal(espl_builder_add(b, "relu", NULL, NULL, ""), ESPL_BAD_OPTION);
    assert_int_equal(espl_builder_add(b, "relu", NULL, "r", NULL), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "relu", NULL, "r", NULL), ESPL_BAD_STATE);
    assert_int_equal(espl_builder_add(b, "relu", NULL, NULL, "input"), ESPL_OK);
    assert_int_equal(espl_net_build(b, "n", &net), ESPL_BAD_STATE);
    assert_string_equal(espl_message(ctx),
                        "n: the layer \"r\" does not lead to the last one; nothing uses what it computes");
    assert_int_equal(espl_builder_add(b, "add", NULL, NULL, "r, relu_1"), ESPL_OK);
    assert_int_equal(espl_net_build(b, "n", &net), ESPL_OK);
    espl_net_free(net);
    assert_int_equal(espl_builder_add(b, "relu", NULL, NULL, NULL), ESPL_BAD_STATE);
    assert_int_equal(espl_net_build(b, "n", &net), ESPL_BAD_STATE);
    espl_builder_free(b);
    espl_builder_free(NULL);
    espl_net_free(NULL);
}

static void too_large_a_net_is_refused(void **state)
{
    espl_context *small;
    espl_net *net;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .memory_limit = 1000000 }, &small), ESPL_OK);
    assert_int_equal(espl_net_open(small, "lenet-300-100", NULL, &net), ESPL_NO_MEMORY);
    assert_non_null(strstr(espl_message(small), "lenet-300-100: the parameters alone need"));
    assert_int_equal(espl__bytes_now(small), 0);
    espl_context_free(small);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    failing_every(build_one, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_values_have_the_asked_spread, setup, teardown),
        cmocka_unit_test_setup_teardown(first_values_depend_on_seed_and_name_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(hash_sees_every_value, setup, teardown),
        cmocka_unit_test_setup_teardown(classes_have_names, setup, teardown),
        cmocka_unit_test_setup_teardown(layers_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(long_input_lists_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(builder_tells_mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large_a_net_is_refused, setup, teardown),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
