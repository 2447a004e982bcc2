/* The nets of nets/: every name resolves, and parameters and multiplications are the published ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/describe.h"
#include "net/description.h"

#include <inttypes.h>
#include <string.h>

static espl_context *ctx;

/* Parameters count what is trained; MACs are multiply-accumulates of convolutions and dense layers for
 * one sample. Figures of which the last digits are not printed in papers were taken from the models of
 * torchvision 0.14 and Keras, or follow from the formulas beside them. */
static const struct {
    const char *name;
    int64_t parameters, macs;
} published[] = {
    { "lenet-300-100", 266610, 784 * 300 + 300 * 100 + 100 * 10 },
    { "lenet-5", 431080, 20 * 25 * 576 + 50 * 500 * 64 + 800 * 500 + 500 * 10 },
    { "conv-2", 4301642, 64 * 27 * 1024 + 64 * 576 * 1024 + 16384 * 256 + 256 * 256 + 2560 },
    { "conv-4", 2425930, 98306560 },
    { "conv-6", 2262602, 153881088 },
    { "plain-20", 269722, 40551040 },
    { "plain-56", 853018, 125485696 },
    { "resnet-20", 269722, 40551040 },
    { "resnet-32", 464154, 68862592 },
    { "resnet-44", 658586, 97174144 },
    { "resnet-56", 853018, 125485696 },
    { "resnet-110", 1727962, 252887680 },
    { "resnet-cifar-50", 755802, 111329920 }, /* 8 units a stage: between 44 and 56 */
    { "wide-resnet-16-4", 2748890, 392612352 },
    { "wide-resnet-28-10", 36479194, 5243328768 },
    { "wide-resnet-40-2", 2243546, 327599360 },
    { "densenet-40-12", 1019722, 264812928 },
    { "densenet-100-12", 6979642, 1769516448 },
    { "densenet-bc-100-12", 769162, 287929692 },
    { "vgg-11", 132863336, 7609090048 },
    { "vgg-16", 138357544, 15470264320 },
    { "vgg-16-bn", 138365992, 15470264320 },
    { "vgg-19", 143667240, 19632062464 },
    { "mobilenet-v1-1.0", 4231976, 568740352 },
    { "mobilenet-v1-0.75", 2585560, 325400448 },
    { "mobilenet-v1-0.5", 1331592, 149497088 },
    { "mobilenet-v1-0.25", 470072, 41030272 },
    { "mobilenet-v2-1.0", 3504872, 300774272 },
    { "mobilenet-v2-1.4", 6108776, 582195824 },
    { "squeezenet-1.0", 1248424, 818924576 },
    { "squeezenet-1.1", 1235496, 349151936 },
    { "resnet-18", 11689512, 1814073344 },
    { "resnet-34", 21797672, 3663761408 },
    { "resnet-50", 25557032, 4089184256 },
    { "resnet-101", 44549160, 7801405440 },
};

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

static espl_net *net_of(const char *source, const char *settings)
{
    espl_net *net = NULL;

    if (espl_net_open(ctx, source, settings, &net))
        fail_msg("%s: %s", source, espl_message(ctx));
    return net;
}

/* The graph alone: filling the large nets takes seconds. */
static espl__graph *graph_of(const char *name)
{
    espl__given given;
    espl__wish wish = { .fallback_name = name, .given = &given };
    espl__document *document;
    espl__graph *graph;
    char text[ESPL__NET_NAME_MAX];

    assert_int_equal(espl__find_description(ctx, name, &document, &given, &wish.constants), ESPL_OK);
    assert_non_null(document);
    wish.document = document;
    if (espl__describe_graph(ctx, &wish, text, &graph))
        fail_msg("%s: %s", name, espl_message(ctx));
    espl__document_free(document);
    return graph;
}

static void counts_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < ESPL__COUNT(published); i++) {
        espl__graph *graph = graph_of(published[i].name);
        if (espl__graph_parameters(graph) != published[i].parameters || espl__graph_macs(graph) != published[i].macs)
            fail_msg("%s: %" PRId64 " parameters and %" PRId64 " MACs", published[i].name,
                     espl__graph_parameters(graph), espl__graph_macs(graph));
        espl__graph_free(graph);
    }
}

/* Every name that `list` shows is found, in the description it was taken from. */
static void every_name_is_found(void **state)
{
    int count = 0, listed = 0;

    (void)state;
    for (int i = 0; espl__builtin_at(i); i++) {
        const espl__builtin *b = espl__builtin_at(i);
        espl__document *document;
        assert_int_equal(espl__document_parse(ctx, b->name, (const char *)b->text, b->bytes, &document), ESPL_OK);
        count += espl__tree_get(document->root, "names")->count;
        espl__document_free(document);
    }
    for (const espl__named_net *n; (n = espl__named_net_at(listed)); listed++) {
        espl__text text = { 0 };
        assert_true(strlen(n->summary) > 20);
        assert_true(strlen(n->paper) > 20);
        assert_int_equal(espl__net_settings_text(ctx, n->name, &text), ESPL_OK);
        assert_non_null(strstr(text.data, "classes\tnumber\t1"));
        assert_non_null(strstr(text.data, "input\tcounts\t["));
        espl__text_free(ctx, &text);
    }
    assert_int_equal(listed, count);
}

static void settings_are_told(void **state)
{
    espl__text text = { 0 };

    (void)state;
    assert_int_equal(espl__net_settings_text(ctx, "vgg-{depth}-bn", &text), ESPL_OK);
    assert_null(strstr(text.data, "depth")); /* said by the name */
    assert_null(strstr(text.data, "norm"));
    assert_non_null(strstr(text.data, "hidden\tnumber\t4096\t"));
    espl__text_free(ctx, &text);
    assert_int_equal(espl__net_settings_text(ctx, "resnet", &text), ESPL_OK);
    assert_non_null(strstr(text.data, "depth\tnumber\t20\t"));
    espl__text_free(ctx, &text);
    assert_int_equal(espl__net_settings_text(ctx, "nothing-like-it", &text), ESPL_BAD_OPTION);
}

static void settings_override(void **state)
{
    (void)state;
    espl_net *net = net_of("resnet", "depth: 8, classes: 100, width: 4 * 2");
    assert_string_equal(espl_net_name(net), "resnet-8");
    assert_int_equal(espl_net_classes(net), 100);
    espl_net_free(net);
    net = net_of("mobilenet-v2-0.35", "size: 96, classes: 5");
    assert_string_equal(espl_net_name(net), "mobilenet-v2-0.35");
    assert_int_equal(espl_net_classes(net), 5);
    espl_net_free(net);
    net = net_of("lenet-5", "{input: [3, 32, 32]}");
    assert_int_equal(espl_net_parameters(net), 20 * 75 + 20 + 50 * 500 + 50 + 1250 * 500 + 500 + 5010);
    espl_net_free(net);
    net = net_of("resnet-20", "input: {channels: 1}");
    assert_int_equal(espl_net_parameters(net), 269722 - 16 * 2 * 9);
    espl_net_free(net);
}

static void adapts_to_data(void **state)
{
    const espl__net_fit fit = { 1, 28, 28, 7 };
    espl__document *document;
    espl_net *net;

    (void)state;
    assert_int_equal(espl__document_parse_settings(ctx, "recipe", "classes: 9", &document), ESPL_OK);
    assert_int_equal(espl__net_make(ctx, "resnet-20", NULL, NULL, &fit, &net), ESPL_OK);
    assert_int_equal(espl_net_classes(net), 7);
    assert_int_equal(net->graph->nodes[0].shape.dim[1], 28);
    espl_net_free(net);
    /* what is said explicitly wins */
    assert_int_equal(espl__net_make(ctx, "resnet-20", document, document->root, &fit, &net), ESPL_OK);
    assert_int_equal(espl_net_classes(net), 9);
    espl_net_free(net);
    espl__document_free(document);
}

static void recipes_name_nets(void **state)
{
    espl__document *document;
    espl_net *net;

    (void)state;
    assert_int_equal(espl__document_parse_settings(ctx, "r.yaml", "net: {resnet: {depth: 8}}", &document), ESPL_OK);
    assert_int_equal(espl__net_of_recipe(document, document->root->first, NULL, &net), ESPL_OK);
    assert_string_equal(espl_net_name(net), "resnet-8");
    espl_net_free(net);
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(ctx, "r.yaml", "net: lenet-5", &document), ESPL_OK);
    assert_int_equal(espl__net_of_recipe(document, document->root->first, NULL, &net), ESPL_OK);
    espl_net_free(net);
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(ctx, "r.yaml", "net: lenot-5", &document), ESPL_OK);
    assert_int_equal(espl__net_of_recipe(document, document->root->first, NULL, &net), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(ctx), "r.yaml:1:6: there is no net \"lenot-5\"; did you mean \"lenet-5\"?");
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(ctx, "r.yaml", "net: {resnet: {depht: 8}}", &document), ESPL_OK);
    assert_int_equal(espl__net_of_recipe(document, document->root->first, NULL, &net), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(ctx), "r.yaml:1:16: unknown key \"depht\"; did you mean \"depth\"?");
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(ctx, "r.yaml", "net: [a]", &document), ESPL_OK);
    assert_int_equal(espl__net_of_recipe(document, document->root->first, NULL, &net), ESPL_BAD_RECIPE);
    espl__document_free(document);
}

static void refuses(const char *source, const char *settings, const char *reason)
{
    espl_net *net = (void *)ctx;

    assert_int_not_equal(espl_net_open(ctx, source, settings, &net), ESPL_OK);
    assert_null(net);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("%s: \"%s\" does not say \"%s\"", source, espl_message(ctx), reason);
}

static void tells_mistakes(void **state)
{
    (void)state;
    refuses("resnt-20", NULL, "did you mean \"resnet-{depth}\"?");
    refuses("wide-resnt-16-4", NULL, "did you mean \"wide-resnet-{depth}-{width}\"?");
    refuses("zzz", NULL, "there is no net \"zzz\"");
    refuses("", NULL, "there is no net");
    refuses("resnet-21", NULL, "6n+2, such as 20, 32, 44, 56 or 110; it is 21");
    refuses("resnet-20", "depth: 32", "already said by the name");
    refuses("resnet", "depth: 20.5", "it is 20.5");
    refuses("resnet", "classes: 0", "not within");
    refuses("resnet", "classes: ten", "settings:1:10: there is no variable \"ten\"");
    refuses("resnet", "classes: [1, 2]", "not a list");
    refuses("resnet", "input: 3", "\"input\" is");
    refuses("resnet", "input: [3, 32]", "\"input\" is");
    refuses("resnet", "input: [3, 32, 0]", "1 or more");
    refuses("resnet", "input: {chanels: 3}", "did you mean \"channels\"?");
    refuses("vgg-12", NULL, "depth is 12, but it can only be one of: 11, 13, 16, 19");
    refuses("vgg-16", "input: [3, 8, 8]", "max_pool_1");
    refuses("nope.yaml", NULL, "nope.yaml: cannot be opened");
    refuses("nope.safetensors", NULL, "nope.safetensors: cannot be opened");
    refuses("nope.safetensors", "a: 1", "a finished net");
    refuses("some/where.txt", NULL, "net files end in");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_are_the_published_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(every_name_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_override, setup, teardown),
        cmocka_unit_test_setup_teardown(adapts_to_data, setup, teardown),
        cmocka_unit_test_setup_teardown(recipes_name_nets, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_mistakes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
