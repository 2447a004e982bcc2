/* Tensors of other programs: their names, their orders of dimensions, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "formats/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHTS "test_fill_net.safetensors"
#define NET "test_fill_net.yaml"

static espl_context *ctx;

/* conv 2 -> 3, 1x2; depthwise; flatten of 3 planes of 1x2 pixels; dense to 2 */
static const char description[] =
    "settings: {classes: 2, top: yes, pad: 0}\n"
    "input: {channels: 2, height: 1, width: 3}\n"
    "layers:\n"
    "  - {conv2d: {channels: 3, kernel: [1, 2], bias: no}, name: stem}\n"
    "  - {batch_norm: 1e-3, name: norm}\n"
    "  - {conv2d: {channels: 3, kernel: 1, groups: 0, bias: no}, name: depthwise_1}\n"
    "  - flatten\n"
    "  - {dense: classes, name: fc, when: top}\n"
    "files:\n"
    "  - from: somewhere\n"
    "    prepare: {rule: unit, mean: 0.5}\n"
    "    headless: {top: no}\n"
    "    layers: {stem: body/conv1, norm: 'body/bn', 'depthwise_{n}': 'dw{n - 1}', fc: head}\n";

static int setup(void **state)
{
    (void)state;
    FILE *file = fopen(NET, "w");
    fputs(description, file);
    fclose(file);
    return espl_context_open(&(espl_context_settings){ .seed = 3 }, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    remove(WEIGHTS);
    remove(NET);
    return 0;
}

static const float count[64] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* As Keras has it: (height, width, in, out), (height, width, channels, multiplier), (in, out). */
static const espl__to_store keras[] = {
    { "body/conv1/kernel:0", ESPL__F32, 4, { 1, 2, 2, 3 }, count },
    { "body/bn/gamma:0", ESPL__F32, 1, { 3 }, count },
    { "body/bn/beta:0", ESPL__F32, 1, { 3 }, count + 1 },
    { "body/bn/moving_mean:0", ESPL__F32, 1, { 3 }, count + 2 },
    { "body/bn/moving_variance:0", ESPL__F32, 1, { 3 }, count + 3 },
    { "dw0/depthwise_kernel:0", ESPL__F32, 4, { 1, 1, 3, 1 }, count },
    { "head/kernel:0", ESPL__F32, 2, { 6, 2 }, count },
    { "head/bias:0", ESPL__F32, 1, { 2 }, count },
};

static espl_status open_with(const espl__to_store *tensors, int tensor_count, const char *net, espl_net **result)
{
    assert_int_equal(espl__safetensors_write(ctx, WEIGHTS, tensors, tensor_count, NULL, 0), ESPL_OK);
    return espl_net_open_with(ctx, net, NULL, WEIGHTS, result);
}

static void assert_values(const espl_net *net, const char *name, const float *values)
{
    for (int i = 0; i < net->graph->parameter_count; i++)
        if (espl__text_equal(net->graph->parameters[i].name, name)) {
            assert_memory_equal(net->parameters[i].value, values, (size_t)net->parameters[i].count * sizeof(float));
            return;
        }
    fail_msg("there is no %s", name);
}

static void keras_is_turned_around(void **state)
{
    /* [out][in][x] from count[x][in][out] */
    const float stem[] = { 0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11 };
    /* [out][channel][pixel] from count[pixel][channel][out] */
    const float fc[] = { 0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11 };
    espl_net *net;

    (void)state;
    if (open_with(keras, ESPL__COUNT(keras), NET, &net))
        fail_msg("%s", espl_message(ctx));
    assert_values(net, "stem.weight", stem);
    assert_values(net, "depthwise_1.weight", count);
    assert_values(net, "fc.weight", fc);
    assert_values(net, "norm.shift", count + 1);
    assert_values(net, "norm.variance", count + 3);
    assert_true(net->preparation.known);
    assert_true(net->preparation.scale == 1.0 / 255 && net->preparation.mean[1] == 0.5);
    espl_net_free(net);
}

static void a_file_without_a_head_is_a_net_without_one(void **state)
{
    espl_net *net;

    (void)state;
    assert_int_equal(open_with(keras, 6, NET, &net), ESPL_OK);
    assert_int_equal(espl_net_classes(net), 6);
    espl_net_free(net);
}

static void pytorch_is_taken_as_it_is(void **state)
{
    const espl__to_store torch[] = {
        { "module.stem.weight", ESPL__F32, 4, { 3, 2, 1, 2 }, count },
        { "module.norm.weight", ESPL__F32, 1, { 3 }, count },
        { "module.norm.bias", ESPL__F32, 1, { 3 }, count },
        { "module.norm.running_mean", ESPL__F32, 1, { 3 }, count },
        { "module.norm.running_var", ESPL__F32, 1, { 3 }, count },
        { "module.norm.num_batches_tracked", ESPL__I64, 0, { 0 }, count },
        { "module.depthwise_1.weight", ESPL__F32, 4, { 3, 1, 1, 1 }, count },
        { "module.fc.weight", ESPL__F32, 4, { 2, 6, 1, 1 }, count }, /* as a 1x1 convolution */
        { "module.fc.bias", ESPL__F32, 1, { 2 }, count },
    };
    espl_net *net;

    (void)state;
    if (open_with(torch, ESPL__COUNT(torch), NET, &net))
        fail_msg("%s", espl_message(ctx));
    assert_values(net, "stem.weight", count);
    assert_values(net, "fc.weight", count);
    assert_false(net->preparation.known);
    espl_net_free(net);
}

static void refuses(const espl__to_store *tensors, int tensor_count, const char *message)
{
    espl_net *net = (void *)ctx;

    assert_int_equal(open_with(tensors, tensor_count, NET, &net), ESPL_BAD_FILE);
    assert_null(net);
    if (!strstr(espl_message(ctx), message))
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), message);
}

static void what_does_not_fit_is_named(void **state)
{
    espl__to_store wrong[ESPL__COUNT(keras)];

    (void)state;
    memcpy(wrong, keras, sizeof keras);
    wrong[2].name = "body/bn/gamm:0";
    refuses(wrong, ESPL__COUNT(wrong), "the net's tensor \"body.bn.shift\" is missing");
    wrong[2].name = "head/gamma:0";
    wrong[2].dim[0] = 2;
    refuses(wrong, ESPL__COUNT(wrong), "the net's tensor \"body.bn.shift\" is missing");
    memcpy(wrong, keras, sizeof keras);
    wrong[0].dim[0] = 2;
    wrong[0].dim[1] = 1;
    refuses(wrong, ESPL__COUNT(wrong), "tensor \"body/conv1/kernel:0\": has the shape 2x1x2x3, but the net needs 3x2x1x2");
    refuses(keras, 5, "is missing");
}

static void square_kernels_alone_are_ambiguous(void **state)
{
    const espl__to_store square[] = { { "fc1.kernel", ESPL__F32, 2, { 2, 2 }, count }, { "fc1.bias", ESPL__F32, 1, { 2 }, count } };
    FILE *file = fopen(NET, "w");

    (void)state;
    fputs("input: {channels: 2, height: 1, width: 1}\nlayers: [flatten, {dense: 2, name: fc1}]\n", file);
    fclose(file);
    refuses(square, 2, "call it \"weight\" if outputs are first");
}

static void preparation_is_said_in_words_or_numbers(void **state)
{
    espl_net *net;

    (void)state;
    assert_int_equal(espl_net_open(ctx, "resnet-20", NULL, &net), ESPL_OK);
    assert_int_equal(espl_net_prepare(net, "caffe"), ESPL_OK);
    assert_string_equal(net->preparation.order, "bgr");
    assert_true(net->preparation.mean[0] == 103.939);
    assert_int_equal(espl_net_prepare(net, "scale: 1 / 4, mean: [1, 2, 3], deviation: 2, resize: stretch"), ESPL_OK);
    assert_true(net->preparation.scale == 0.25 && net->preparation.mean[2] == 3 && net->preparation.deviation[2] == 2);
    assert_string_equal(net->preparation.resize, "stretch");
    assert_int_not_equal(espl_net_prepare(net, "caffee"), ESPL_OK);
    assert_int_not_equal(espl_net_prepare(net, "mean: [1, 2]"), ESPL_OK);
    assert_int_not_equal(espl_net_prepare(net, "deviation: 0"), ESPL_OK);
    assert_int_not_equal(espl_net_prepare(net, "order: gbr"), ESPL_OK);
    assert_true(net->preparation.scale == 0.25);
    espl_net_free(net);
}

static espl_status open_and_free(espl_context *with, void *argument)
{
    espl_net *net;
    const espl_status s = espl_net_open_with(with, NET, NULL, WEIGHTS, &net);

    (void)argument;
    espl_net_free(net);
    return s;
}

static void survives_any_failing_allocation(void **state)
{
    espl_net *net;

    (void)state;
    assert_int_equal(open_with(keras, 6, NET, &net), ESPL_OK);
    espl_net_free(net);
    failing_every(open_and_free, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keras_is_turned_around, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_without_a_head_is_a_net_without_one, setup, teardown),
        cmocka_unit_test_setup_teardown(pytorch_is_taken_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(square_kernels_alone_are_ambiguous, setup, teardown),
        cmocka_unit_test_setup_teardown(preparation_is_said_in_words_or_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_failing_allocation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
