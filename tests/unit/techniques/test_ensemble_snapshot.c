/* Snapshots in a run: one for each cycle, the ensemble of the last ones scored as it is logged, the same after a
 * stop, and the paper's baselines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/train/tiny_run.h"

#define RUN(more) TINY_RECIPE("tiny.yaml", "techniques:\n" more)
/* 21 steps: cycles of 7, each an epoch */
#define CYCLES "  - schedule-warm-restarts: {cycles: 3}\n"

typedef struct opened {
    espl_context *ctx;
    espl_net *net;
} opened;

static opened open_net(const tiny *t, const char *name)
{
    opened o = { 0 };
    char path[256];

    snprintf(path, sizeof path, "%s/%s.safetensors", t->folder, name);
    assert_int_equal(espl_context_open(NULL, &o.ctx), ESPL_OK);
    if (espl_net_load(o.ctx, path, &o.net))
        fail_msg("%s", espl_message(o.ctx));
    return o;
}

static void close_net(opened *o)
{
    espl_net_free(o->net);
    espl_context_free(o->ctx);
}

static uint64_t hash_of(const tiny *t, const char *name)
{
    opened o = open_net(t, name);
    const uint64_t hash = espl_net_hash(o.net);

    close_net(&o);
    return hash;
}

static int members_of(const tiny *t, const char *name)
{
    opened o = open_net(t, name);
    const int count = o.net->graph->nodes[o.net->graph->output].input_count;

    assert_string_equal(o.net->graph->nodes[o.net->graph->output].op->name, "combine");
    close_net(&o);
    return count;
}

static bool exists(const tiny *t, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s.safetensors", t->folder, name);
    return access(path, F_OK) == 0;
}

static void test_keeps_one_for_each_cycle(void **state)
{
    tiny *t = *state;

    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES "  - ensemble-snapshot: {last: 2}\n") });
    for (int m = 1; m <= 3; m++) { /* what the schedule itself keeps there */
        char snapshot[32], cycle[32];
        snprintf(snapshot, sizeof snapshot, "run/snapshots/%d", m);
        snprintf(cycle, sizeof cycle, "run/cycles/%d", m);
        assert_true(hash_of(t, snapshot) == hash_of(t, cycle));
    }
    assert_true(hash_of(t, "run/snapshots/1") != hash_of(t, "run/snapshots/3"));
    assert_int_equal(members_of(t, "run/ensemble"), 2);
    assert_true(tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES), .out = "without" }) == hash); /* training does not notice */
}

/* The figures in the log and in the file are those of the file. */
static void test_is_scored_as_it_is(void **state)
{
    tiny *t = *state;
    char path[256], expected[96];
    espl_data *data = NULL;
    espl_score score;

    tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES "  - ensemble-snapshot\n") });
    opened o = open_net(t, "run/ensemble");
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(o.ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_score_net(o.net, data, ESPL_HELD_OUT, 0, &score), ESPL_OK);
    snprintf(expected, sizeof expected, "\"held_out_top1\": %.9g, \"held_out_loss\": %.9g}", score.top1, score.loss);
    assert_non_null(strstr(o.net->origin, expected));
    espl_score_free(&score);
    espl_data_free(data);
    close_net(&o);
    char *log = tiny_read(t, "run/log.jsonl");
    assert_non_null(strstr(log, "\"ensemble_top1\":"));
    free(log);
}

static void test_stopped_saves_the_same(void **state)
{
    static const char text[] = RUN(CYCLES "  - ensemble-snapshot: {combine: vote}\n");
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = text });
    for (int64_t stop = 2; stop < 21; stop += 5) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop, .threads = 2 }).status,
                         ESPL_INTERRUPTED);
        tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true, .threads = 3 });
        assert_true(hash_of(t, "stopped/ensemble") == hash_of(t, "run/ensemble"));
        assert_int_equal(members_of(t, "stopped/ensemble"), 3);
    }
}

/* NoCycle: parts of an ordinary run. One part: the net itself. */
static void test_without_cycles(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RUN("  - schedule-step: {every: 1ep}\n  - ensemble-snapshot: {cycles: 3}\n") });
    assert_int_equal(members_of(t, "run/ensemble"), 3);
    tiny_hash(t, &(tiny_job){ .text = RUN("  - schedule-cosine\n  - ensemble-snapshot\n"), .out = "one" });
    assert_int_equal(members_of(t, "one/ensemble"), 1);
    assert_false(exists(t, "one/snapshots/2"));
    assert_true(hash_of(t, "one/ensemble") == hash_of(t, "one/net"));
}

/* SingleCycle: what comes before a cycle leaves no trace in it. */
static void test_fresh(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES "  - ensemble-snapshot\n") });
    tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES "  - ensemble-snapshot: {fresh: yes}\n"), .out = "fresh" });
    assert_true(hash_of(t, "run/snapshots/1") == hash_of(t, "fresh/snapshots/1"));
    assert_true(hash_of(t, "run/snapshots/2") != hash_of(t, "fresh/snapshots/2"));
}

/* The frozen layers are in the file once. */
static void test_shares_what_is_frozen(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RUN(CYCLES "  - transfer-freeze\n  - ensemble-snapshot\n") });
    opened ensemble = open_net(t, "run/ensemble"), member = open_net(t, "run/snapshots/1");
    const int64_t head = 3 * (6 * 4 * 4 + 1);
    assert_int_equal(espl_net_parameters(ensemble.net), espl_net_parameters(member.net) + 2 * head);
    close_net(&ensemble);
    close_net(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_keeps_one_for_each_cycle),
        TINY_TEST_OF(test_is_scored_as_it_is),
        TINY_TEST_OF(test_stopped_saves_the_same),
        TINY_TEST_OF(test_without_cycles),
        TINY_TEST_OF(test_fresh),
        TINY_TEST_OF(test_shares_what_is_frozen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
