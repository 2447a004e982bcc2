/* What can be listed and timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tree.h"
#include "contract/small_net.h"
#include <espalier/report.h>

#include <string.h>

static const char *const kinds[] = { "technique", "op", "optimizer", "source", "format", "kernel", "net", "feature" };

static void test_every_kind_is_listed(void **unused)
{
    espl_listed listed;

    (void)unused;
    for (int k = 0; k < ESPL__COUNT(kinds); k++) {
        int count = 0;
        while (espl_listed_at(kinds[k], count, &listed)) {
            assert_string_equal(listed.kind, kinds[k]);
            assert_true(listed.name && *listed.name);
            assert_true(listed.summary && *listed.summary);
            count++;
        }
        if (!count)
            fail_msg("there is no %s", kinds[k]);
        assert_null(listed.name);
        assert_false(espl_listed_at(kinds[k], -1, &listed));
    }
    assert_false(espl_listed_at("thing", 0, &listed));
}

/* Every option has five fields: name, type, default, range, help. */
static void check_options(espl_context *ctx, const char *kind, const char *name)
{
    char *text = NULL;

    if (espl_options_text(ctx, kind, name, &text))
        fail_msg("%s", espl_message(ctx));
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        int tabs = 0;
        assert_non_null(end);
        for (const char *c = line; c < end; c++)
            tabs += *c == '\t';
        if (tabs != 4 || end[-1] == '\t')
            fail_msg("%s %s: \"%.*s\"", kind, name, (int)(end - line), line);
        line = end + 1;
    }
    espl_text_free(ctx, text);
}

static void test_options_of_everything(void **unused)
{
    espl_context *ctx = NULL;
    espl_listed listed;
    char *text = NULL;

    (void)unused;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int k = 0; k < 3; k++)
        for (int i = 0; espl_listed_at(kinds[k], i, &listed); i++)
            check_options(ctx, kinds[k], listed.name);
    assert_int_equal(espl_options_text(ctx, "optimizer", "sgd", &text), ESPL_OK);
    assert_non_null(strstr(text, "momentum\tnumber\t0.9\t0.."));
    espl_text_free(ctx, text);
    assert_int_equal(espl_options_text(ctx, "optimizer", "relu", &text), ESPL_BAD_OPTION);
    assert_int_equal(espl_options_text(ctx, "kernel", "x", &text), ESPL_BAD_OPTION);
    assert_null(text);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static void test_timing_leaves_the_net_as_it_was(void **unused)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_bench bench;

    (void)unused;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    assert_int_equal(espl__net_open(small_graph(ctx, 8, 8, false), "small", &net), ESPL_OK);
    const uint64_t hash = espl_net_hash(net);
    for (int train = 0; train < 2; train++) {
        const espl_bench_settings settings = { .train = train, .seconds = 0.02, .batch = 4 };
        if (espl_bench_net(net, &settings, &bench))
            fail_msg("%s", espl_message(ctx));
        assert_true(bench.min_ms > 0 && bench.min_ms <= bench.median_ms && bench.median_ms <= bench.max_ms);
        assert_true(bench.gflops > 0);
        assert_int_equal(bench.batch, 4);
        assert_true(bench.layer_count > 5);
        assert_true(*bench.layers[0].node && *bench.layers[0].kernel && *bench.layers[0].role);
        espl_bench_free(&bench);
        assert_true(espl_net_hash(net) == hash);
    }
    assert_int_equal(espl_bench_net(net, &(espl_bench_settings){ .batch = -1 }, &bench), ESPL_BAD_OPTION);
    assert_int_equal(espl_bench_net(net, &(espl_bench_settings){ .seconds = -1 }, &bench), ESPL_BAD_OPTION);
    espl_net_free(net);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

/* One net in two contexts, under two settings: both are timed, the failure of one is told by the other. */
static void test_two_in_turn(void **unused)
{
    const espl_bench_settings one = { .batch = 2, .seconds = 0.2 }, train = { .batch = 4, .train = true };
    espl_context *ctx[2] = { NULL };
    espl_net *net[2] = { NULL };
    espl_comparison c;

    (void)unused;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx[i]), ESPL_OK);
        assert_int_equal(espl__net_open(small_graph(ctx[i], 8, 8, false), "small", &net[i]), ESPL_OK);
    }
    assert_int_equal(espl_bench_compare(net[0], &one, net[1], &train, &c), ESPL_OK);
    assert_true(c.rounds >= 1 && c.ratio_min > 0 && c.ratio_min <= c.ratio && c.ratio <= c.ratio_max);
    assert_true(c.first.batch == 2 && c.second.batch == 4 && c.second.median_ms > 0);
    assert_int_equal(espl_bench_compare(net[0], &one, net[1], &(espl_bench_settings){ .batch = -1 }, &c), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(ctx[0]), "batch: -1"));
    for (int i = 0; i < 2; i++) {
        espl_net_free(net[i]);
        assert_int_equal(espl__bytes_now(ctx[i]), 0);
        espl_context_free(ctx[i]);
    }
}

/* Where another fast kernel fits, the list names it. */
static void test_runners_up_are_other_kernels(void **unused)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_bench bench;

    (void)unused;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    assert_int_equal(espl__net_open(small_graph(ctx, 8, 8, false), "small", &net), ESPL_OK);
    assert_int_equal(espl_bench_net(net, &(espl_bench_settings){ .seconds = 0.02, .runners_up = true, .train = true, .batch = 4 }, &bench), ESPL_OK);
    assert_true(bench.peak_gflops > 0 && bench.runs > 0 && bench.processor_ms > 0);
    for (int i = 0; i < bench.layer_count; i++) {
        assert_string_not_equal(bench.layers[i].runner_up, bench.layers[i].kernel);
        assert_true(!*bench.layers[i].runner_up || bench.layers[i].runner_up_ms > 0);
        assert_true(strcmp(bench.layers[i].role, "forward") != 0 || bench.layers[i].bytes > 0);
    }
    espl_bench_free(&bench);
    espl_net_free(net);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_listed),
        cmocka_unit_test(test_options_of_everything),
        cmocka_unit_test(test_timing_leaves_the_net_as_it_was),
        cmocka_unit_test(test_two_in_turn),
        cmocka_unit_test(test_runners_up_are_other_kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
