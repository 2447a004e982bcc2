/* Cutting a trained net: without a copied layer the run is a training from scratch, with all of them the net that was
 * there; in between, what lies below the cut keeps its bytes or trains at its own rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "deep_net.h"
#include "unit/train/tiny_run.h"
#define RECIPE(net) TINY_RECIPE(net, "keep: last\n")
#define TRAINED RECIPE("source/net.safetensors")

static void make_source(tiny *t)
{
    tiny_write(t, "deep.yaml", DEEP_NET);
    tiny_hash(t, &(tiny_job){ .out = "source", .text = RECIPE("deep.yaml"), .set = (const char *const[]){ "seed=3", NULL } });
}

static uint64_t hash_cut(tiny *t, const char *out, const char *options)
{
    char text[128];
    const char *const with[] = { text, NULL };

    snprintf(text, sizeof text, "transfer-cut: {groups: 3, %s}", options);
    return tiny_hash(t, &(tiny_job){ .out = out, .text = TRAINED, .with = with });
}

/* Of which parameters do two of the test's nets have the same bytes? */
static void expect_same(const tiny *t, const char *one, const char *other, const char *patterns)
{
    espl_context *ctx = NULL;
    espl_net *net[2] = { NULL };
    char path[160];

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/net.safetensors", t->folder, i ? other : one);
        if (espl_net_load(ctx, path, &net[i]))
            fail_msg("%s", espl_message(ctx));
    }
    for (int p = 0; p < net[0]->graph->parameter_count; p++) {
        const char *name = net[0]->graph->parameters[p].name;
        const bool same = !memcmp(net[0]->parameters[p].value, net[1]->parameters[p].value,
                                  (size_t)net[0]->parameters[p].count * sizeof(float));
        if (same != (strchr(patterns, *name) != NULL))
            fail_msg("%s of %s and %s %s", name, one, other, same ? "is the same" : "differs");
    }
    espl_net_free(net[0]);
    espl_net_free(net[1]);
    espl_context_free(ctx);
}

static void test_nothing_copied_is_training_from_scratch(void **state)
{
    tiny *t = *state;

    make_source(t);
    const uint64_t scratch = tiny_hash(t, &(tiny_job){ .out = "scratch", .text = RECIPE("deep.yaml") });
    assert_true(hash_cut(t, "cut", "copied: 0") == scratch);
    assert_true(hash_cut(t, "cut", "copied: 0, rate: 0.1") == scratch);
}

static void test_what_is_copied_is_frozen(void **state)
{
    tiny *t = *state;

    make_source(t);
    hash_cut(t, "one", "copied: 1");
    expect_same(t, "source", "one", "a");
    hash_cut(t, "two", "copied: 2");
    expect_same(t, "source", "two", "ab");
    tiny_refuses(t, &(tiny_job){ .text = TRAINED, .with = (const char *const[]){ "transfer-cut: {groups: 3, copied: 3}", NULL } },
                 ESPL_BAD_STATE, "nothing trains");
}

/* All copied, at a tenth of the rate: fine-tuning of the whole net at a tenth of the rate. */
static void test_what_is_copied_trains_at_its_rate(void **state)
{
    tiny *t = *state;

    make_source(t);
    const uint64_t whole = hash_cut(t, "whole", "copied: 3, rate: 1");
    assert_true(whole == tiny_hash(t, &(tiny_job){ .out = "plain", .text = TRAINED }));
    assert_true(whole != hash_cut(t, "slow", "copied: 3, rate: 0.1"));
    tiny_hash(t, &(tiny_job){ .out = "tenth", .text = TRAINED, .set = (const char *const[]){ "optimizer.sgd.rate=0.005", NULL } });
    expect_same(t, "slow", "tenth", "abo");
}

static void test_stopped_and_resumed(void **state)
{
    tiny *t = *state;
    const char *const with[] = { "transfer-cut: {groups: 3, copied: 1, rate: 0.5}", NULL };
    const tiny_job stopped = { .out = "stopped", .with = with, .stop_at = 9 };

    make_source(t);
    const uint64_t hash = hash_cut(t, "whole", "copied: 1, rate: 0.5");
    assert_int_equal(tiny_do(t, &stopped).status, ESPL_INTERRUPTED);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .with = with, .resume = true }) == hash);
}

static void test_refuses(void **state)
{
    tiny *t = *state;

    make_source(t);
    tiny_refuses(t, &(tiny_job){ .text = TRAINED, .with = (const char *const[]){ "transfer-cut: {groups: 3, copied: 4}", NULL } },
                 ESPL_BAD_OPTION, "copied: 4, but the net's layers lie in 3 groups");
    tiny_refuses(t, &(tiny_job){ .text = TRAINED, .with = (const char *const[]){ "transfer-cut: {groups: 4}", NULL } },
                 ESPL_BAD_OPTION, "3 layers with weights");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_nothing_copied_is_training_from_scratch),
        TINY_TEST_OF(test_what_is_copied_is_frozen),
        TINY_TEST_OF(test_what_is_copied_trains_at_its_rate),
        TINY_TEST_OF(test_stopped_and_resumed),
        TINY_TEST_OF(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
