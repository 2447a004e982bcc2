/* Groups of layers by depth: the head is group 0, the body is cut evenly, blocks stay whole where they can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "contract/small_net.h"

#include <string.h>

static espl_net *open_net(espl_context *ctx, const char *name)
{
    espl_net *net = NULL;

    if (espl_net_open(ctx, name, NULL, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

static espl_context *open_context(void)
{
    espl_context *ctx = NULL;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    return ctx;
}

/* A chain of convolutions is cut evenly: LeNet-5 has two of them, a dense layer and its head. */
static void test_chain(void **unused)
{
    espl_context *ctx = open_context();
    espl_net *net = open_net(ctx, "lenet-5");
    int group[64], found = 0;

    (void)unused;
    for (int count = 1; count <= 4; count++) {
        assert_int_equal(espl__net_groups(net->graph, count, group, &found), ESPL_OK);
        assert_int_equal(found, count);
        assert_int_equal(group[espl__net_head(net->graph)], 0);
        assert_int_equal(group[0], count - 1);
        for (int i = 1; i < net->graph->node_count; i++)
            assert_true(group[i] == group[i - 1] || group[i] == group[i - 1] - 1);
    }
    assert_int_equal(group[espl__graph_find(net->graph, "conv1")], 3);
    assert_int_equal(group[espl__graph_find(net->graph, "conv2")], 2);
    assert_int_equal(group[espl__graph_find(net->graph, "fc1")], 1);
    assert_int_equal(espl__net_groups(net->graph, 5, group, &found), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(ctx), "groups: 5, but the net has 4 layers with weights"));
    espl_net_free(net);
    espl_context_free(ctx);
}

/* The value of a residual block is added to what came into it: both lie in one group, so that no edge crosses
 * from one group into another but the one between blocks. */
static void test_blocks_stay_whole(void **unused)
{
    espl_context *ctx = open_context();
    espl_net *net = open_net(ctx, "resnet-20");
    int group[256], found = 0;

    (void)unused;
    assert_int_equal(espl__net_groups(net->graph, 0, group, &found), ESPL_OK);
    assert_int_equal(found, 4);
    for (int i = 1; i < net->graph->node_count; i++) {
        const espl__node *node = &net->graph->nodes[i];
        for (int k = 1; k < node->input_count; k++)
            assert_true(group[node->inputs[k]] - group[i] <= 1);
        if (node->input_count == 2 && group[node->inputs[0]] != group[i])
            fail_msg("%s is torn", node->name);
    }
    espl_net_free(net);
    espl_context_free(ctx);
}

/* What has no weights, such as the pooling at the end, is no group of its own. */
static void test_every_group_has_weights(void **unused)
{
    espl_context *ctx = open_context();
    espl_net *net = open_net(ctx, "resnet-8");
    int group[256], found = 0;

    (void)unused;
    for (int count = 1; count <= 8; count++) {
        bool weights[16] = { false };
        assert_int_equal(espl__net_groups(net->graph, count, group, &found), ESPL_OK);
        assert_int_equal(found, count);
        for (int p = 0; p < net->graph->parameter_count; p++)
            weights[group[net->graph->parameters[p].node]] |= net->graph->parameters[p].spec.kind == ESPL_WEIGHT;
        for (int g = 0; g < count; g++)
            assert_true(weights[g]);
    }
    espl_net_free(net);
    espl_context_free(ctx);
}

/* Every layer a group of its own, even though that tears the blocks. */
static void test_as_many_as_layers(void **unused)
{
    espl_context *ctx = open_context();
    espl__graph *graph = small_graph(ctx, 4, 8, false);
    int group[64], found = 0, layers = 0;

    (void)unused;
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].parameter_count; k++)
            layers += graph->parameters[graph->nodes[i].parameters[k]].spec.kind == ESPL_WEIGHT;
    assert_int_equal(espl__net_groups(graph, layers, group, &found), ESPL_OK);
    assert_int_equal(found, layers);
    espl__graph_free(graph);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_blocks_stay_whole),
        cmocka_unit_test(test_every_group_has_weights),
        cmocka_unit_test(test_as_many_as_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
