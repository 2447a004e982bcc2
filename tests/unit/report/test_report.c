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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_listed),
        cmocka_unit_test(test_options_of_everything),
        cmocka_unit_test(test_timing_leaves_the_net_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
