/* Warm restarts against the figures of the papers, and the nets that they keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "../train/tiny_run.h"
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

static void near(double got, double expected)
{
    if (fabs(got - expected) > 5e-7)
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static double cosine(int64_t period, double stretch, double rate, int64_t t)
{
    const espl__cycle c = espl__cycle_at(period, stretch, t);

    return espl__rate_cosine(rate, 0, c.length, t - c.start);
}

/* SGDR with a first cycle of 10 and twice as long each time, in half epochs. */
static void test_sgdr(void **unused)
{
    const double epoch[] = { 0, 5, 10, 20, 29, 30, 50, 69.5, 70 };
    const double expected[] = { .05, .025, .05, .025, .000308, .05, .025, .000019, .05 };

    (void)unused;
    for (int i = 0; i < 9; i++)
        near(cosine(20, 2, 0.05, (int64_t)(2 * epoch[i])), expected[i]);
}

static void test_cycles_lie_end_to_end(void **unused)
{
    const int64_t ends[] = { 10, 30, 70, 150 };

    (void)unused;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(espl__cycle_at(10, 2, ends[i]).start, ends[i]);
        assert_int_equal(espl__cycle_at(10, 2, ends[i]).number, i + 1);
        assert_int_equal(espl__cycle_at(10, 2, ends[i] - 1).number, i);
    }
    for (double stretch = 1; stretch < 2; stretch += 0.13) {
        espl__cycle before = { .length = 7 };
        for (int64_t t = 0; t < 3000; t++) {
            const espl__cycle c = espl__cycle_at(7, stretch, t);
            assert_true(c.start <= t && t - c.start < c.length && c.length >= before.length);
            if (c.number != before.number) {
                assert_int_equal(c.number, before.number + 1);
                assert_int_equal(c.start, before.start + before.length);
            }
            before = c;
        }
    }
}

static void test_exponential(void **unused)
{
    (void)unused;
    near(espl__rate_decaying(0.1, 0, 0.9, 1), .09);
    near(espl__rate_decaying(0.1, 0, 0.9, 15), .0205891);
    near(espl__rate_decaying(0.1, 0, 0.9, 29), .0047101);
    near(espl__rate_decaying(0.1, 0.01, 0.9, 29), .01);
    assert_int_equal(espl__cycle_at(30, 1, 30).start, 30);
    assert_true(fabs(espl__decay_to(0.01, 30) - .85316785) < 5e-9);
    near(espl__rate_decaying(0.1, 0, espl__decay_to(0.01, 30), 29), .001);
}

/* Huang et al.: 20 steps in 4 cycles. */
static void test_snapshot_cosine(void **unused)
{
    const double expected[] = { .1, .090451, .065451, .034549, .009549 };

    (void)unused;
    for (int64_t t = 0; t < 20; t++) {
        const espl__cycle c = espl__cycle_of_count(20, 4, 0, t);
        assert_int_equal(c.number, t / 5);
        near(espl__rate_cosine(0.1, 0, c.length, t - c.start), expected[t % 5]);
    }
    /* 6 cycles of 20 steps: ceil would make 5 of them; here the last is longer */
    assert_int_equal(espl__cycle_of_count(20, 6, 0, 19).number, 5);
    assert_int_equal(espl__cycle_of_count(20, 6, 0, 19).start, 15);
    assert_int_equal(espl__cycle_of_count(20, 6, 0, 19).length, 5);
    assert_int_equal(espl__cycle_of_count(20, 6, 0, 14).length, 3);
    /* a first cycle of 8, and three of 4 */
    for (int64_t t = 0; t < 20; t++) {
        const espl__cycle c = espl__cycle_of_count(20, 4, 8, t);
        assert_int_equal(c.number, t < 8 ? 0 : t / 4 - 1);
        assert_int_equal(c.start, t < 8 ? 0 : t / 4 * 4);
        assert_int_equal(c.length, t < 8 ? 8 : 4);
    }
    /* one cycle is the plain cosine */
    for (int64_t t = 0; t < 20; t++)
        assert_int_equal(espl__cycle_of_count(20, 1, 0, t).length, 20);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-warm-restarts", "period: 2ep, factor: 0.5", { 0, 0.1 }, { 100, 0.05 }, { 200, 0.05 },
              { 300, 0.025 }, { 400, 0.025 });
    RIG_CHECK("schedule-warm-restarts", "period: 1ep, stretch: 3, lowest: 0.02", { 0, 0.1 }, { 50, 0.06 },
              { 100, 0.1 }, { 250, 0.06 }, { 400, 0.1 });
    RIG_CHECK("schedule-warm-restarts", "shape: exponential, period: 101st, end: 0.01", { 0, 0.1 }, { 50, 0.01 },
              { 100, 0.001 }, { 101, 0.1 });
    RIG_CHECK("schedule-warm-restarts", "cycles: 3, warm-up: 1ep", { 0, 0.001 }, { 99, 0.1 }, { 100, 0.1 },
              { 250, 0.05 }, { 400, 0.1 }, { 700, 0.1 });
    RIG_CHECK("schedule-warm-restarts", "cycles: 3, first: 6ep, factor: 0.5", { 0, 0.1 }, { 300, 0.05 }, { 600, 0.05 },
              { 700, 0.025 }, { 800, 0.025 });
}

static void test_says_where_cycles_end(void **unused)
{
    const int64_t growing[] = { 99, 399 }, three[] = { 332, 665, 999 }, warm[] = { 399, 699, 999 };
    const int64_t long_first[] = { 599, 799, 999 };

    (void)unused;
    rig_cycles("schedule-warm-restarts", "period: 1ep, stretch: 3", growing, 2);
    rig_cycles("schedule-warm-restarts", "cycles: 3", three, 3);
    rig_cycles("schedule-warm-restarts", "cycles: 3, warm-up: 1ep", warm, 3);
    rig_cycles("schedule-warm-restarts", "cycles: 3, first: 6ep", long_first, 3);
    rig_warns("schedule-warm-restarts", "period: 1ep, stretch: 3", "4 or 13 epochs");
    rig_warns("schedule-warm-restarts", "cycles: 3", NULL);
    rig_warns("schedule-warm-restarts", "period: 5ep", NULL);
    rig_warns("schedule-warm-restarts", "period: 3ep, warm-up: 1ep", NULL);
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-warm-restarts", "period: 0.1st", "period: is shorter than one step");
    rig_refuses("schedule-warm-restarts", "stretch: 0.5", "stretch");
    rig_refuses("schedule-warm-restarts", "stretch: nan", "stretch");
    rig_refuses("schedule-warm-restarts", "cycles: -1", "cycles");
    rig_refuses("schedule-warm-restarts", "cycles: 1001", "1001 do not fit in 1000 steps");
    rig_refuses("schedule-warm-restarts", "cycles: 4, stretch: 2", "leave one of them out");
    rig_refuses("schedule-warm-restarts", "first: 2ep", "goes with cycles");
    rig_refuses("schedule-warm-restarts", "cycles: 1, first: 2ep", "no room for the other 0");
    rig_refuses("schedule-warm-restarts", "cycles: 3, first: 999st", "no room for the other 2");
    rig_refuses("schedule-warm-restarts", "lowest: 0.2", "above the optimizer's rate");
    rig_refuses("schedule-warm-restarts", "period: 1ep, factor: 0.1, lowest: 0.01", "below the lowest rate");
    rig_refuses("schedule-warm-restarts", "end: 0", "end");
    rig_refuses("schedule-warm-restarts", "end: 1.5", "end");
    rig_refuses("schedule-warm-restarts", "keep: some", "keep");
    rig_refuses("schedule-warm-restarts", "warm-up: -1ep", "warm");
    rig_refuses("schedule-warm-restarts", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-warm-restarts", "warm-up: 5", "warm");
    rig_refuses("schedule-warm-restarts", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-warm-restarts", "wram-up: 1ep", "warm-up");
}

/* ---- the nets that are kept: 21 steps in 3 epochs ---- */

#define RECIPE(options) TINY_RECIPE("tiny.yaml", "keep: last\ntechniques:\n  - schedule-warm-restarts: {" options "}\n")

static uint64_t hash_of(tiny *t, const char *name)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    char path[256];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    const uint64_t hash = espl__net_hash(net);
    espl_net_free(net);
    espl_context_free(ctx);
    return hash;
}

static bool is_there(tiny *t, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    return access(path, F_OK) == 0;
}

static void test_keeps_the_end_of_each_cycle(void **state)
{
    tiny *t = *state;
    const tiny_outcome whole = tiny_do(t, &(tiny_job){ .text = RECIPE("cycles: 3, keep: best") });

    assert_int_equal(whole.status, ESPL_OK);
    assert_int_equal(whole.result.step_allocations, 0);
    assert_true(hash_of(t, "run/cycles/3.safetensors") == whole.result.hash);
    assert_true(hash_of(t, "run/cycles/1.safetensors") != whole.result.hash);
    assert_true(is_there(t, "run/cycles/1-best.safetensors"));
    assert_true(is_there(t, "run/cycles/3-best.safetensors"));
    /* one scoring a cycle, right behind its last step: the best net is the last one */
    assert_true(hash_of(t, "run/cycles/2-best.safetensors") == hash_of(t, "run/cycles/2.safetensors"));
    assert_false(is_there(t, "run/cycles/4.safetensors"));
    tiny_hash(t, &(tiny_job){ .out = "bare", .text = RECIPE("cycles: 3, keep: none") });
    assert_false(is_there(t, "bare/cycles"));
}

static void test_resumes_in_the_middle_of_a_cycle(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE("period: 5st, stretch: 1.5, keep: best") });
    const uint64_t first = hash_of(t, "run/cycles/1.safetensors");
    const uint64_t best = hash_of(t, "run/cycles/2-best.safetensors");

    for (int64_t stop = 1; stop < 21; stop += 3) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop }).status, ESPL_INTERRUPTED);
        assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true }) == hash);
        assert_true(hash_of(t, "stopped/cycles/1.safetensors") == first);
        assert_true(hash_of(t, "stopped/cycles/2-best.safetensors") == best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgdr),
        cmocka_unit_test(test_cycles_lie_end_to_end),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_snapshot_cosine),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_says_where_cycles_end),
        cmocka_unit_test(test_bad_options_are_refused),
        TINY_TEST_OF(test_keeps_the_end_of_each_cycle),
        TINY_TEST_OF(test_resumes_in_the_middle_of_a_cycle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
