/* A new head: where the old one began is found, everything before it stays to the bit, and a head of zeros
 * gives every class the same chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "execute/plan.h"
#include "failing.h"
#include "layers_rig.h"

#include <espalier/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BODY                                                       \
    { "conv2d", "channels: 4, kernel: 3, pad: 1", "conv1", NULL }, \
        { "batch_norm", NULL, "norm1", NULL },                     \
        { "relu", NULL, "relu1", NULL },                           \
        { "conv2d", "channels: 6, kernel: 1", "conv2", NULL },     \
    {                                                              \
        "relu", NULL, "relu2", NULL                                \
    }

static const rig_layer with_dense[] = { BODY, { "global_avg_pool", NULL, "pool", NULL }, { "dense", "7", "fc", NULL }, { "softmax", NULL, "answer", NULL }, { 0 } };
static const rig_layer with_conv[] = { BODY, { "dropout", "0.5", "drop", NULL }, { "conv2d", "channels: 7, kernel: 1", "classes", NULL }, { "relu", NULL, "relu3", NULL }, { "global_avg_pool", NULL, "pool", NULL }, { 0 } };
static const rig_layer planes[] = { BODY, { "batch_norm", NULL, "norm2", NULL }, { 0 } };
static const rig_layer pooled[] = { BODY, { "batch_norm", NULL, "norm2", NULL }, { "global_avg_pool", NULL, "pool", NULL }, { 0 } };

static const float *sample(void)
{
    static float values[2 * SIZE];

    for (int i = 0; i < 2 * SIZE; i++)
        values[i] = sinf((float)i);
    return values;
}

/* What the net gives for both samples when it ends with this layer. */
static void values_of(espl_net *net, const char *name, float *values)
{
    const int node = espl__graph_find(net->graph, name);
    espl__graph *graph;
    espl__plan *plan;

    assert_true(node > 0);
    assert_int_equal(espl__graph_copy(net->graph, &graph), ESPL_OK);
    espl__graph_cut(graph, node);
    const int64_t size = espl__shape_size(graph->nodes[node].shape);
    assert_int_equal(espl__plan_open(net, graph, &(espl__plan_settings){ .batch = 2 }, &plan), ESPL_OK);
    espl__plan_run(plan, &(espl__feed){ .count = 2, .values = sample() });
    for (int i = 0; i < 2; i++)
        memcpy(values + i * size, espl__plan_output(plan, i), (size_t)size * sizeof *values);
    espl__plan_free(plan);
    espl__graph_free(graph);
}

/* The layer whose values the new head takes is `after`; `count` of them. */
static void replaced(const rig_layer *layers, const char *settings, const char *after, int64_t count, int kept)
{
    float before[2 * 4 * SIDE * SIDE * 2], behind[2 * 4 * SIDE * SIDE * 2], chance[2 * 5];
    espl_net *net = make_net(layers);

    values_of(net, after, before);
    assert_int_equal(espl_net_replace_head(net, 5, settings), ESPL_OK);
    values_of(net, after, behind);
    assert_memory_equal(before, behind, 2 * (size_t)count * sizeof *before);
    assert_int_equal(espl_net_classes(net), 5);
    const espl__graph *graph = net->graph;
    assert_int_equal(graph->parameter_count, kept + 2);
    assert_string_equal(graph->nodes[graph->output].name, "head");
    assert_int_equal(espl__net_head(graph), graph->output);
    assert_int_equal(espl_predict(net, sample(), 2, chance), ESPL_OK);
    for (int i = 0; i < 10 && !settings; i++) /* a loss of ln 5 */
        assert_true(fabsf(chance[i] - 0.2f) < 1e-7f);
    espl_net_free(net);
}

static void the_old_head_is_found(void **state)
{
    (void)state;
    replaced(with_dense, NULL, "pool", 6, 8);
    replaced(with_conv, NULL, "drop", 6 * SIDE * SIDE, 8);
    replaced(planes, NULL, "norm2", 6 * SIDE * SIDE, 12);
    replaced(pooled, NULL, "pool", 6, 12);
}

static void another_place_may_be_named(void **state)
{
    (void)state;
    replaced(with_dense, "after: relu1, start: he", "relu1", 4 * SIDE * SIDE, 6);
    replaced(with_conv, "{after: drop, start: he}", "drop", 6 * SIDE * SIDE, 8);
}

/* A head can be replaced again, and draws what any layer of its name draws. */
static void drawn_weights_follow_the_seed(void **state)
{
    espl_net *net = make_net(with_dense);

    (void)state;
    assert_int_equal(espl_net_replace_head(net, 3, "start: he"), ESPL_OK);
    const uint64_t first = espl_net_hash(net);
    assert_int_equal(espl_net_replace_head(net, 3, NULL), ESPL_OK);
    assert_true(espl_net_hash(net) != first);
    assert_int_equal(espl_net_replace_head(net, 3, "start: he"), ESPL_OK);
    assert_true(espl_net_hash(net) == first);
    float *weight = net->parameters[net->graph->parameter_count - 2].value;
    assert_true(weight[0] != 0 && weight[17] != 0);
    espl_net_free(net);
}

static void wrong_wishes_change_nothing(void **state)
{
    espl_net *net = make_net(with_dense);
    const uint64_t hash = espl_net_hash(net);

    (void)state;
    assert_int_equal(espl_net_replace_head(net, 1, NULL), ESPL_BAD_OPTION);
    assert_int_equal(espl_net_replace_head(net, 5, "after: pol"), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(ctx), "answer"));
    assert_int_equal(espl_net_replace_head(net, 5, "start: cold"), ESPL_BAD_OPTION);
    assert_true(espl_net_hash(net) == hash && espl_net_classes(net) == 7);
    espl_net_free(net);
}

/* The old rows come first, to the bit, and the new ones of zeros after them. */
static void added_classes_leave_the_old_ones(void **state)
{
    static const rig_layer plain[] = { BODY, { "global_avg_pool", NULL, "pool", NULL }, { "dense", "units: 7, bias: no", "fc", NULL }, { 0 } };
    static const rig_layer *const nets[] = { with_dense, plain };

    (void)state;
    for (int n = 0; n < 2; n++) {
        espl_net *net = make_net(nets[n]);
        float before[14], behind[18];
        values_of(net, "fc", before);
        assert_int_equal(espl_net_replace_head(net, 9, "classes: added"), ESPL_OK);
        values_of(net, "head", behind);
        for (int i = 0; i < 2; i++)
            for (int k = 0; k < 9; k++)
                assert_true(fabsf(behind[i * 9 + k] - (k < 7 ? before[i * 7 + k] : 0)) < 1e-6f);
        espl_net_free(net);
    }
}

static void heads_without_rows_are_refused(void **state)
{
    static const struct {
        const rig_layer *layers;
        const char *settings;
        int classes;
    } cases[] = { { with_conv, "classes: added", 9 }, { planes, "classes: added", 9 }, { with_dense, "classes: added, after: conv2", 9 }, { with_dense, "classes: added", 5 } };

    (void)state;
    for (int i = 0; i < 4; i++) {
        espl_net *net = make_net(cases[i].layers);
        const uint64_t hash = espl_net_hash(net);
        assert_int_equal(espl_net_replace_head(net, cases[i].classes, cases[i].settings), ESPL_BAD_OPTION);
        assert_non_null(strstr(espl_message(ctx), "no such layer"));
        assert_true(espl_net_hash(net) == hash);
        espl_net_free(net);
    }
}

static espl_status replace_one(espl_context *context, void *unused)
{
    espl_net *net = NULL;
    espl_status s = build_layers(context, with_conv, &net);

    (void)unused;
    if (!s)
        s = espl_net_replace_head(net, 5, "start: he");
    espl_net_free(net);
    return s;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    failing_every(replace_one, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_head_is_found),
        cmocka_unit_test(another_place_may_be_named),
        cmocka_unit_test(drawn_weights_follow_the_seed),
        cmocka_unit_test(wrong_wishes_change_nothing),
        cmocka_unit_test(added_classes_leave_the_old_ones),
        cmocka_unit_test(heads_without_rows_are_refused),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
