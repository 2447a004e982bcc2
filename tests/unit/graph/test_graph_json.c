/* Graphs as JSON: every net comes back the same, and what is wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(NULL, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

static void assert_same(const espl__graph *a, const espl__graph *b)
{
    assert_int_equal(a->node_count, b->node_count);
    assert_int_equal(a->parameter_count, b->parameter_count);
    assert_int_equal(a->output, b->output);
    for (int i = 0; i < a->node_count; i++) {
        const espl__node *x = &a->nodes[i], *y = &b->nodes[i];
        assert_string_equal(x->name, y->name);
        assert_ptr_equal(x->op, y->op);
        assert_true(espl__shape_equal(x->shape, y->shape));
        assert_int_equal(x->input_count, y->input_count);
        for (int k = 0; k < x->input_count; k++)
            assert_int_equal(x->inputs[k], y->inputs[k]);
        if (x->op && x->op->size)
            assert_memory_equal(x->attributes, y->attributes, x->op->size);
        assert_int_equal(x->macs, y->macs);
    }
    for (int i = 0; i < a->parameter_count; i++) {
        assert_string_equal(a->parameters[i].name, b->parameters[i].name);
        assert_true(espl__shape_equal(a->parameters[i].spec.shape, b->parameters[i].spec.shape));
    }
}

static void nets_come_back(void **state)
{
    static const char *const names[] = { "lenet-5", "resnet-20", "densenet-bc-16-4", "wide-resnet-10-1",
                                         "mobilenet-v1-0.25", "mobilenet-v2-0.1", "squeezenet-1.1" };

    (void)state;
    for (int i = 0; i < ESPL__COUNT(names); i++) {
        espl_net *net;
        espl__text first = { 0 }, second = { 0 };
        espl__graph *read;
        assert_int_equal(espl_net_open(ctx, names[i], "classes: 7", &net), ESPL_OK);
        assert_int_equal(espl__graph_write(net->graph, &first), ESPL_OK);
        if (espl__graph_read(ctx, first.data, first.length, &read))
            fail_msg("%s: %s", names[i], espl_message(ctx));
        assert_same(net->graph, read);
        assert_int_equal(espl__graph_write(read, &second), ESPL_OK);
        assert_string_equal(first.data, second.data);
        espl__text_free(ctx, &first);
        espl__text_free(ctx, &second);
        espl__graph_free(read);
        espl_net_free(net);
    }
}

/* Attributes that are not said have their defaults. */
static void reads_what_others_write(void **state)
{
    const char *json = "{\"version\":1,\"input\":[4],\"output\":\"b\",\"nodes\":["
                       "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"input\"],\"attributes\":{}},"
                       "{\"name\":\"b\",\"op\":\"dense\",\"inputs\":[\"a\"],\"attributes\":{\"units\":\"3\"}}]}";
    espl__graph *graph;

    (void)state;
    assert_int_equal(espl__graph_read(ctx, json, strlen(json), &graph), ESPL_OK);
    assert_int_equal(graph->output, 2);
    assert_int_equal(graph->nodes[2].parameter_count, 2);
    espl__graph_free(graph);
}

static void refuses(const char *json, const char *reason)
{
    espl__graph *graph = (void *)ctx;

    assert_int_equal(espl__graph_read(ctx, json, strlen(json), &graph), ESPL_BAD_FILE);
    assert_null(graph);
    if (!strstr(espl_message(ctx), reason) || strncmp(espl_message(ctx), "the graph", 9) != 0)
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
}

#define HEAD "{\"version\":1,\"input\":[3,8,8],\"output\":\"a\",\"nodes\":["
#define NODE(rest) HEAD "{\"name\":\"a\"," rest "}]}"

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    refuses("", "not valid JSON");
    refuses("[]", "version");
    refuses("{}", "version");
    refuses("{\"version\":2}", "version");
    refuses("{\"version\":1,\"version\":1}", "not valid JSON");
    refuses("{\"version\":1,\"input\":3}", "\"input\"");
    refuses("{\"version\":1,\"input\":[]}", "\"input\"");
    refuses("{\"version\":1,\"input\":[1,1,1,1,1]}", "\"input\"");
    refuses("{\"version\":1,\"input\":[1.5]}", "\"input\"");
    refuses("{\"version\":1,\"input\":[0]}", "shape 0");
    refuses("{\"version\":1,\"input\":[9223372036854775807,9223372036854775807]}", "shape");
    refuses("{\"version\":1,\"input\":[3]}", "\"nodes\"");
    refuses("{\"version\":1,\"input\":[3],\"nodes\":[]}", "\"output\"");
    refuses("{\"version\":1,\"input\":[3],\"nodes\":[],\"output\":\"input\"}", "\"output\"");
    refuses(HEAD "3]}", "node 1: \"name\"");
    refuses(NODE("\"op\":\"relu\""), "\"inputs\"");
    refuses(NODE("\"inputs\":[\"input\"]"), "\"op\" is missing");
    refuses(NODE("\"op\":\"conv9d\",\"inputs\":[\"input\"]"), "no operation \"conv9d\"");
    refuses(NODE("\"op\":\"relu\",\"inputs\":[\"a\"]"), "the input \"a\" is none of the nodes before");
    refuses(NODE("\"op\":\"relu\",\"inputs\":[3]"), "none of the nodes before");
    refuses(NODE("\"op\":\"relu\",\"inputs\":[]"), "relu takes");
    refuses(NODE("\"op\":\"relu\",\"inputs\":[\"input\"],\"attributes\":[]"), "not a JSON object");
    refuses(NODE("\"op\":\"relu\",\"inputs\":[\"input\"],\"attributes\":{\"a\":\"1\"}"), "no attribute \"a\"");
    refuses(NODE("\"op\":\"conv2d\",\"inputs\":[\"input\"],\"attributes\":{\"channels\":3}"), "no attribute \"channels\"");
    refuses(NODE("\"op\":\"conv2d\",\"inputs\":[\"input\"],\"attributes\":{\"channels\":\"x\"}"), "channels");
    refuses(NODE("\"op\":\"conv2d\",\"inputs\":[\"input\"],\"attributes\":{\"kernel\":\"1\"}"), "channels");
    refuses(NODE("\"op\":\"conv2d\",\"inputs\":[\"input\"],\"attributes\":{\"channels\":\"1\",\"kernel\":\"9\"}"), "a: ");
    refuses(HEAD "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"input\"]},{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"a\"]}]}",
            "node 2: a: the graph already has");
    refuses(HEAD "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"input\"]},{\"name\":\"b\",\"op\":\"relu\",\"inputs\":[\"a\"]}]}",
            "\"b\" does not lead to the output");
    refuses(HEAD "{\"name\":\"b\",\"op\":\"relu\",\"inputs\":[\"input\"]}]}", "\"output\" is missing or names no node");
}

static void refuses_too_many_nodes(void **state)
{
    espl__text text = { 0 };

    (void)state;
    assert_int_equal(espl__text_add(ctx, &text, HEAD "0"), ESPL_OK);
    for (int i = 0; i < ESPL__GRAPH_NODES_MAX; i++)
        assert_int_equal(espl__text_add(ctx, &text, ",0"), ESPL_OK);
    assert_int_equal(espl__text_add(ctx, &text, "]}"), ESPL_OK);
    refuses(text.data, "at most 20000 nodes");
    espl__text_free(ctx, &text);
}

static espl_status write_and_read(espl_context *context, void *argument)
{
    const char *json = argument;
    espl__text text = { 0 };
    espl__graph *graph = NULL, *again = NULL;
    espl_status s = espl__graph_read(context, json, strlen(json), &graph);

    if (!s && !(s = espl__graph_write(graph, &text)))
        s = espl__graph_read(context, text.data, text.length, &again);
    espl__text_free(context, &text);
    espl__graph_free(graph);
    espl__graph_free(again);
    return s;
}

static void survives_failing_allocations(void **state)
{
    char json[] = NODE("\"op\":\"conv2d\",\"inputs\":[\"input\"],\"attributes\":{\"channels\":\"3\",\"kernel\":\"[3, 3]\"}");

    (void)state;
    assert_true(failing_every(write_and_read, json, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nets_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_what_others_write, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_too_many_nodes, setup, teardown),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
