/* A net for colour takes other channels: what it answers follows from what it answered before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "layers_rig.h"
#include "train/scorer.h"

#include <math.h>
#include <string.h>

#define PIXELS (SIDE * SIDE)

#define REST                                       \
    { "batch_norm", NULL, "norm1", NULL },         \
        { "relu", NULL, "relu1", NULL },           \
        { "global_avg_pool", NULL, "pool", NULL }, \
        { "dense", "5", "fc", NULL },              \
    {                                              \
        0                                          \
    }

static const rig_layer padded[] = { { "conv2d", "channels: 4, kernel: 3, pad: 1, bias: no", "conv1", NULL }, REST };
static const rig_layer biased[] = { { "max_pool", "2", "pool0", NULL }, { "conv2d", "channels: 4, kernel: 3", "conv1", NULL }, REST };
static const rig_layer bare[] = { { "conv2d", "channels: 4, kernel: 3, bias: no", "conv1", NULL }, REST };
/* the colours are read twice */
static const rig_layer branches[] = { { "conv2d", "channels: 4, kernel: 3, pad: 1", "conv1", NULL }, { "conv2d", "channels: 4, kernel: 1", "conv2", "input" }, { "add", NULL, "sum", "conv1, conv2" }, REST };

/* Raw pixels; every plane of a grey picture is the first. */
static void fill(float *values, int channels, bool grey)
{
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < PIXELS; i++)
            values[c * PIXELS + i] = floorf(127.5f + 127.5f * sinf((float)(i * 7 + (grey ? 0 : c * 31))));
}

static void answer(espl_net *net, const float *values, float logits[5])
{
    if (espl__predict_logits(net, values, 1, false, logits))
        fail_msg("%s", espl_message(ctx));
}

/* Beside the largest of them. Sums of a few hundred products. */
static void assert_alike(const float before[5], const float behind[5])
{
    float largest = 0;

    for (int i = 0; i < 5; i++)
        largest = fmaxf(largest, fabsf(before[i]));
    assert_true(largest > 0.01f); /* it is no net that answers nothing */
    for (int i = 0; i < 5; i++)
        assert_true(fabsf(before[i] - behind[i]) < 1e-5f * largest);
}

static espl_net *prepared(const rig_layer *layers, const char *rule)
{
    espl_net *net = make_net(layers);

    if (rule)
        assert_int_equal(espl_net_prepare(net, rule), ESPL_OK);
    return net;
}

/* So many equal planes are answered as three of them were. */
static void as_grey(const rig_layer *layers, const char *rule, int channels, int parameters)
{
    espl_net *net = prepared(layers, rule);
    float values[4 * PIXELS], before[5], behind[5];

    fill(values, 4, true);
    answer(net, values, before);
    if (espl_net_take_channels(net, channels))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(net->graph->nodes[0].shape.dim[0], channels);
    assert_int_equal(net->graph->parameter_count, parameters);
    answer(net, values, behind);
    assert_alike(before, behind);
    espl_net_free(net);
}

static void weights_are_summed_for_grey(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 2; channels++) {
        as_grey(padded, "symmetric", channels, 7); /* one mean for all: nothing is left for the bias */
        as_grey(padded, "unit", channels, 7);
        as_grey(bare, "imagenet", channels, 8); /* the convolution is given a bias */
        as_grey(bare, "caffe", channels, 8);
        as_grey(biased, "imagenet", channels, 8);
        as_grey(branches, "unit", channels, 10);
    }
}

/* Without a preparation weights are plainly summed, in any order of colours. */
static void sums_are_what_they_are(void **state)
{
    espl_net *net = make_net(padded);
    float old[4 * 3 * 9];

    (void)state;
    memcpy(old, net->parameters[0].value, sizeof old);
    net->parameters[0].frozen = true;
    assert_int_equal(espl_net_take_channels(net, 1), ESPL_OK);
    assert_int_equal(net->parameters[0].count, 4 * 9);
    assert_true(net->parameters[0].frozen && !net->parameters[1].frozen);
    for (int o = 0; o < 4; o++)
        for (int t = 0; t < 9; t++) {
            const float *w = old + o * 27 + t;
            assert_float_equal(net->parameters[0].value[o * 9 + t], (double)w[0] + w[9] + w[18], 1e-6);
        }
    espl_net_free(net);
}

static void a_fourth_plane_says_nothing_yet(void **state)
{
    static const char *const rules[] = { NULL, "imagenet", "caffe" };
    float values[4 * PIXELS], before[5], behind[5];

    (void)state;
    for (int i = 0; i < 3; i++) {
        espl_net *net = prepared(padded, rules[i]);
        fill(values, 4, false);
        answer(net, values, before);
        assert_int_equal(espl_net_take_channels(net, 4), ESPL_OK);
        answer(net, values, behind);
        assert_alike(before, behind);
        espl_net_free(net);
    }
}

/* The net is as it was, and the sentence says why. */
static void refuses(const rig_layer *layers, int channels, espl_status status, const char *words)
{
    espl_net *net = make_net(layers);
    const uint64_t hash = espl_net_hash(net);

    assert_int_equal(espl_net_take_channels(net, channels), status);
    if (!strstr(espl_message(ctx), words))
        fail_msg("expected \"%s\" in: %s", words, espl_message(ctx));
    assert_true(espl_net_hash(net) == hash && net->graph->nodes[0].shape.dim[0] == 3);
    espl_net_free(net);
}

static void what_cannot_be_is_refused(void **state)
{
    static const rig_layer depthwise[] = { { "conv2d", "channels: 3, kernel: 3, groups: 0", "first", NULL }, REST };
    static const rig_layer norm[] = { { "batch_norm", NULL, "first", NULL }, { "conv2d", "channels: 4, kernel: 3", "conv1", NULL }, { 0 } };
    static const rig_layer dense[] = { { "flatten", NULL, "first", NULL }, { "dense", "5", "fc", NULL }, { 0 } };
    static const rig_layer join[] = { { "conv2d", "channels: 3, kernel: 1", "conv1", NULL }, { "concat", NULL, "first", "conv1, input" }, REST };
    static const rig_layer none[] = { { "relu", NULL, "relu1", NULL }, { 0 } };

    (void)state;
    refuses(padded, 3, ESPL_BAD_OPTION, "1, 2 or 4");
    refuses(padded, 5, ESPL_BAD_OPTION, "3x8x8");
    refuses(depthwise, 1, ESPL_BAD_SHAPE, "\"first\" before an ordinary convolution");
    refuses(norm, 1, ESPL_BAD_SHAPE, "batch_norm \"first\"");
    refuses(dense, 4, ESPL_BAD_SHAPE, "\"first\"");
    refuses(join, 2, ESPL_BAD_SHAPE, "concat \"first\"");
    refuses(none, 1, ESPL_BAD_SHAPE, "no convolution");
}

static espl_status change_one(espl_context *context, void *unused)
{
    espl_net *net = NULL;
    espl_status s = build_layers(context, bare, &net);

    (void)unused;
    if (!s && !(s = espl_net_prepare(net, "imagenet")))
        s = espl_net_take_channels(net, 1);
    espl_net_free(net);
    return s;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    failing_every(change_one, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_summed_for_grey),
        cmocka_unit_test(sums_are_what_they_are),
        cmocka_unit_test(a_fourth_plane_says_nothing_yet),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
