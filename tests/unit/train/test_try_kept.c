/* Averages in a run: training does not notice them, what they save is scored as it is, and a run that was
 * stopped saves the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#define ALL                                  \
    "techniques:\n"                          \
    "  - schedule-cyclical: {period: 1ep}\n" \
    "  - average-ema: {decay: 0.9}\n"        \
    "  - average-polyak: {start: 1ep}\n"     \
    "  - average-swa: {start: 1ep}\n"        \
    "  - average-cycles: {last: 3st}\n"
#define RECIPE TINY_RECIPE("tiny.yaml", ALL)

static const char *const saved[] = { "ema", "polyak", "swa", "cycle-1", "cycle-2", "cycle-3" };

static uint64_t hash_of(const tiny *t, const char *out, const char *net)
{
    espl_context *ctx = NULL;
    espl_net *found = NULL;
    char path[256];

    snprintf(path, sizeof path, "%s/%s/averages/%s.safetensors", t->folder, out, net);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_net_load(ctx, path, &found))
        fail_msg("%s", espl_message(ctx));
    const uint64_t hash = espl_net_hash(found);
    espl_net_free(found);
    espl_context_free(ctx);
    return hash;
}

static void test_training_does_not_notice(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });

    assert_true(tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-cyclical: {period: 1ep}\n") }) ==
                hash);
}

static void test_stopped_saves_the_same(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RECIPE });
    for (int64_t stop = 1; stop < 21; stop += 3) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop, .threads = 2 }).status,
                         ESPL_INTERRUPTED);
        tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true, .threads = 3 });
        for (int i = 0; i < ESPL__COUNT(saved); i++)
            if (hash_of(t, "stopped", saved[i]) != hash_of(t, "run", saved[i]))
                fail_msg("stopped after %d, %s is another net", (int)stop, saved[i]);
    }
}

/* The score in the net's file is what scoring the file gives. */
static void check_score(const tiny *t, const char *name)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_score score;
    char path[256], expected[96];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    snprintf(path, sizeof path, "%s/run/averages/%s.safetensors", t->folder, name);
    assert_int_equal(espl_net_load(ctx, path, &net), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &score), ESPL_OK);
    snprintf(expected, sizeof expected, "\"held_out_top1\": %.9g, \"held_out_loss\": %.9g}", score.top1, score.loss);
    if (!strstr(net->origin, expected))
        fail_msg("%s: %s, but scored %s", name, net->origin, expected);
    espl_score_free(&score);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
}

static void test_is_scored_as_it_is(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RECIPE });
    for (int i = 0; i < ESPL__COUNT(saved); i++)
        check_score(t, saved[i]);
    char *log = tiny_read(t, "run/log.jsonl");
    assert_non_null(strstr(log, "\"ema_top1\":"));
    assert_non_null(strstr(log, "\"polyak_loss\":"));
    assert_non_null(strstr(log, "\"swa_top1\":"));
    assert_non_null(strstr(log, "\"cycle_top1\":"));
    free(log);
}

/* Every step within the last cycle's whole length: the same mean, however it is asked for. */
static void test_one_cycle_is_polyak(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "techniques:\n  - average-cycles: {cycles: 1, last: 10st}\n"
                                                               "  - average-polyak: {start: 11st}\n") });
    assert_true(hash_of(t, "run", "cycle-1") == hash_of(t, "run", "polyak"));
}

/* The average of a cycle's last step alone is the net that the ensemble takes there. */
static void test_one_step_is_a_snapshot(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("plain.yaml", "techniques:\n  - schedule-warm-restarts: {cycles: 3}\n"
                                                                "  - average-cycles: {last: 1st}\n  - ensemble-snapshot\n") });
    for (int i = 1; i <= 3; i++) {
        char average[32], snapshot[32];
        snprintf(average, sizeof average, "cycle-%d", i);
        snprintf(snapshot, sizeof snapshot, "../snapshots/%d", i);
        assert_true(hash_of(t, "run", average) == hash_of(t, "run", snapshot));
    }
}

static void test_steps_allocate_nothing(void **state)
{
    assert_int_equal(tiny_do(*state, &(tiny_job){ .text = RECIPE }).result.step_allocations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_training_does_not_notice),
        TINY_TEST_OF(test_stopped_saves_the_same),
        TINY_TEST_OF(test_is_scored_as_it_is),
        TINY_TEST_OF(test_one_cycle_is_polyak),
        TINY_TEST_OF(test_one_step_is_a_snapshot),
        TINY_TEST_OF(test_steps_allocate_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
