/* ONNX models, recorded by tests/golden/onnx_*.py with what PyTorch, NumPy and Keras answer: every way in which
 * exporters say things, and what must be refused. The files are those that fuzz_onnx begins from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "net/net.h"
#include <espalier/report.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SEEDS ESPL__SOURCE_DIR "/tests/fuzz/seeds/onnx/"
#define ANSWERS ESPL__SOURCE_DIR "/tests/golden/onnx/"
#define MADE "test_onnx.onnx"

static espl_context *ctx;
static espl_net *net;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(&(espl_context_settings){ .seed = 3, .threads = 1 }, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    espl_net_free(net);
    net = NULL;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    remove(MADE);
    return 0;
}

static void load(const char *path)
{
    espl_net_free(net);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
}

static const espl__node *node(const char *name)
{
    const int index = espl__graph_find(net->graph, name);

    if (index < 0)
        fail_msg("there is no %s", name);
    return &net->graph->nodes[index];
}

static int count_of(const char *op)
{
    int count = 0;

    for (int i = 1; i < net->graph->node_count; i++)
        count += espl__text_equal(net->graph->nodes[i].op->name, op);
    return count;
}

/* ---- the same answers ---- */

static void answers_are_those_of_the_other_program(void **state)
{
    static const char *const names[] = { "plain", "activations", "shuffle", "typed", "old", "last", "folded", "dynamo", "tensorflow" };
    char path[300];
    espl_check check;

    (void)state;
    for (int i = 0; i < ESPL__COUNT(names); i++) {
        snprintf(path, sizeof path, SEEDS "%s.onnx", names[i]);
        load(path);
        snprintf(path, sizeof path, ANSWERS "%s.safetensors", names[i]);
        if (espl_net_check(net, path, &check))
            fail_msg("%s", espl_message(ctx));
        if (!(check.largest_difference < 1e-5) || check.samples != 2)
            fail_msg("%s: differs by %g", names[i], check.largest_difference);
    }
}

/* ---- what becomes of it ---- */

static void batch_norm_stays_and_names_are_those_of_the_modules(void **state)
{
    (void)state;
    load(SEEDS "plain.onnx");
    assert_string_equal(node("0.first")->op->name, "batch_norm");
    assert_string_equal(node("0.conv1")->op->name, "conv2d");
    assert_string_equal(node("0.fc")->op->name, "dense");
    assert_string_equal(net->graph->nodes[net->graph->output].name, "0.fc");
    assert_string_equal(espl_net_name(net), "plain");
    assert_int_equal(count_of("pad"), 1); /* the first has gone into the convolution */
}

static void spelled_out_activations_are_found(void **state)
{
    (void)state;
    load(SEEDS "activations.onnx");
    assert_int_equal(count_of("silu"), 1);
    assert_int_equal(count_of("gelu"), 1);
    assert_int_equal(count_of("hard_swish"), 1);
    assert_int_equal(count_of("hard_sigmoid"), 2);
    assert_int_equal(count_of("sigmoid"), 0);
    load(SEEDS "old.onnx");
    assert_int_equal(count_of("hard_swish"), 1);
    assert_string_equal(net->graph->nodes[net->graph->output].op->name, "softmax");
}

static void channels_last_only_look_different(void **state)
{
    (void)state;
    load(SEEDS "last.onnx");
    assert_int_equal(count_of("transpose"), 0);
    assert_int_equal(net->graph->nodes[0].shape.dim[0], 3);
    assert_string_equal(node("point")->op->name, "conv2d");
    assert_int_equal(node("point")->parameter_count, 2); /* the sum behind it is its bias */
}

static void metadata_name_classes_and_prepare_samples(void **state)
{
    (void)state;
    load(SEEDS "typed.onnx");
    assert_string_equal(espl_net_class_name(net, 4), "e");
    assert_true(net->preparation.known);
    assert_string_equal(net->preparation.order, "bgr");
    assert_true(fabs(net->preparation.scale - 1.0 / 255) < 1e-12);
    load(SEEDS "folded.onnx");
    assert_string_equal(espl_net_class_name(net, 1), "bee");
    load(SEEDS "plain.onnx");
    assert_false(net->preparation.known);
    assert_null(espl_net_class_name(net, 0));
}

/* ---- what is refused ---- */

static void refuses(const char *path, const char *reason)
{
    espl_net *none;

    assert_int_not_equal(espl_net_load(ctx, path, &none), ESPL_OK);
    assert_null(none);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
}

static void quantized_models_are_refused(void **state)
{
    (void)state;
    refuses(SEEDS "quantized.onnx", "node \"q\" (QuantizeLinear): belongs to a quantized model");
}

/* A recorded file with one text in place of another of the same length. */
static void refuses_changed(const char *seed, const char *from, const char *to, size_t length, const char *reason)
{
    char *bytes, path[300];
    size_t count, at = 0;

    snprintf(path, sizeof path, "%s%s", *seed == '/' ? "" : SEEDS, seed);
    assert_int_equal(espl__file_read(ctx, path, SIZE_MAX, &bytes, &count), ESPL_OK);
    while (at + length < count && memcmp(bytes + at, from, length) != 0)
        at++;
    assert_true(at + length < count);
    memcpy(bytes + at, to, length);
    assert_int_equal(espl__file_replace(ctx, MADE, bytes, count), ESPL_OK);
    espl__release(ctx, bytes);
    refuses(MADE, reason);
}

static void what_is_not_understood_is_named(void **state)
{
    (void)state;
    refuses_changed("plain.onnx", "\"\x03"
                                  "Elu",
                    "\"\x03"
                    "Foo",
                    5, "(Foo): there is no such operation here");
    refuses_changed("typed.onnx", "group", "Group", 5, "its weight takes 1 channels in 1 groups, but there are 4");
    refuses_changed("typed.onnx", "SAME_UPPER", "SAME_UPPE?", 10, "its auto_pad is not known");
    refuses_changed("old.onnx", "\x12\x02s2", "\x12\x02s1", 4, "is there already");
    refuses_changed("typed.onnx", "B\x02"
                                  "b1",
                    "B\x02"
                    "b9",
                    4, "takes \"b1\", which no node before it gives");
}

static void sizes_that_lie_are_refused(void **state)
{
    (void)state;
    /* a weight of 2x3x3x3 announced as 2x3x3x127, then as 127x3x3x3 */
    refuses_changed("typed.onnx", "\x08\x02\x08\x03\x08\x03\x08\x03", "\x08\x02\x08\x03\x08\x03\x08\x7f", 8, "holds 2286 values by its dimensions, but another number is stored");
    refuses_changed("typed.onnx", "\x08\x02\x08\x03\x08\x03\x08\x03", "\x08\x7f\x08\x03\x08\x03\x08\x03", 8, "holds 3429 values by its dimensions, but another number is stored");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    refuses("no_such.onnx", "cannot be opened");
    assert_int_equal(espl__file_replace(ctx, MADE, "\xff\xff\xff\xff", 4), ESPL_OK);
    refuses(MADE, "is no ONNX model, or is damaged");
    assert_int_equal(espl__file_replace(ctx, MADE, "", 0), ESPL_OK);
    refuses(MADE, "holds no graph");
}

static void weights_may_lie_beside_the_model_and_nowhere_else(void **state)
{
    (void)state;
    load(ANSWERS "beside.onnx");
    const float turned[] = { 0, 2, 4, 1, 3, 5 };
    assert_memory_equal(net->parameters[0].value, turned, sizeof turned);
    refuses_changed(ANSWERS "beside.onnx", "beside.bin", "another.bi", 10, "tensor \"w\": another.bi, which holds its values, cannot be opened");
    refuses_changed(ANSWERS "beside.onnx", "beside.bin", "../etc/bin", 10, "not named or not beside the model");
    refuses_changed(ANSWERS "beside.onnx", "beside.bin", "/dev/zero0", 10, "not named or not beside the model");
}

static espl_status load_and_free(espl_context *with, void *argument)
{
    espl_net *loaded;
    const espl_status s = espl_net_load(with, argument, &loaded);

    espl_net_free(loaded);
    return s;
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    failing_every(load_and_free, (void *)(uintptr_t)(SEEDS "plain.onnx"), NULL);
    failing_every(load_and_free, (void *)(uintptr_t)(SEEDS "typed.onnx"), NULL);
    failing_every(load_and_free, (void *)(uintptr_t)(ANSWERS "beside.onnx"), NULL);
}

/* Whether this build reads such files at all. */
static bool is_built(void)
{
    bool built;

    setup(NULL);
    built = espl_net_load(ctx, SEEDS "plain.onnx", &net) != ESPL_UNSUPPORTED;
    teardown(NULL);
    return built;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_those_of_the_other_program, setup, teardown),
        cmocka_unit_test_setup_teardown(batch_norm_stays_and_names_are_those_of_the_modules, setup, teardown),
        cmocka_unit_test_setup_teardown(spelled_out_activations_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(channels_last_only_look_different, setup, teardown),
        cmocka_unit_test_setup_teardown(metadata_name_classes_and_prepare_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(quantized_models_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_that_lie_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(weights_may_lie_beside_the_model_and_nowhere_else, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_failing_allocation, setup, teardown),
    };

    if (!is_built()) {
        puts("skipped: built without protobuf-c");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
