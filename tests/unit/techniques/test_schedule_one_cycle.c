/* One cycle: rates and momentum against hand-computed values, and momentum as it reaches the weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "../train/tiny_run.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    (void)unused;
    /* 101 points: up to step 30, down to step 100 */
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 101, 0), 0.004);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 101, 15), 0.052);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 101, 30), 0.1);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 101, 65), 0.0500005);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 101, 100), 1e-6);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, false, 101, 10), 0.004 + 0.096 / 4); /* cos 60 */
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, false, 101, 65), 0.0500005);
    /* no rise, nothing but a rise, and a run of one step */
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0, true, 101, 0), 0.1);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 1, true, 101, 50), 0.052);
    rig_close_to(espl__one_cycle(0.004, 0.1, 1e-6, 0.3, true, 1, 0), 1e-6);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    /* 1000 steps: the top lies at step 299.7 */
    RIG_CHECK("schedule-one-cycle", "shape: linear, rise: 0.5", { 0, 0.004 }, { 999, 1e-6 },
              { 333, 0.068 });
    RIG_CHECK("schedule-one-cycle", "shape: linear, rise: 0, warm-up: 1ep", { 0, 0.001 }, { 99, 0.1 },
              { 100, 0.1 }, { 999, 1e-6 });
}

static double momentum_at(rig *r, int64_t step)
{
    r->run.fit.momentum = espl_run_base_momentum(&r->run);
    rig_rate(r, step);
    return r->run.fit.momentum;
}

static void check_momentum(const char *optimizer, const double expected[3])
{
    double options[32] = { 0.1, 0 };
    rig r;

    rig_open(&r);
    r.run.recipe.optimizer = espl__optimizer_find(optimizer);
    r.run.recipe.optimizer_options = options;
    assert_int_equal(espl__options_begin(r.ctx, r.run.recipe.optimizer->options, options), ESPL_OK);
    assert_int_equal(rig_begin(&r, "schedule-one-cycle", "shape: linear, rise: 0.5"), ESPL_OK);
    rig_close_to(momentum_at(&r, 0), expected[0]);
    rig_close_to(momentum_at(&r, 333), expected[1]);
    rig_close_to(momentum_at(&r, 999), expected[2]);
    rig_close(&r);
}

static void test_momentum_goes_the_other_way(void **unused)
{
    (void)unused;
    const double swings[] = { 0.95, 0.95 - 0.1 * 2 / 3, 0.95 };
    check_momentum("sgd", swings);
    check_momentum("adam", swings);
    check_momentum("adamw", swings);
    /* without momentum there is nothing to change */
    check_momentum("rmsprop", (const double[]){ 0, 0, 0 });
}

#define RECIPE(options) TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-one-cycle: {" options "}\n")

/* The same rates with another momentum end elsewhere, and with the optimizer's own momentum where a
 * constant one says. */
static void test_momentum_reaches_the_weights(void **state)
{
    tiny *t = *state;
    const uint64_t swings = tiny_hash(t, &(tiny_job){ .text = RECIPE("") });
    const uint64_t flat = tiny_hash(t, &(tiny_job){ .text = RECIPE("momentum-low: 0.9, momentum-high: 0.9") });

    assert_true(swings != flat);
    /* the weights of a run with momentum 0.8 in its options, brought to 0.9 by the schedule */
    const char *const other[] = { "optimizer.sgd.momentum=0.8", NULL };
    assert_true(flat == tiny_hash(t, &(tiny_job){ .set = other }));
}

static void test_resumes(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE("") });

    for (int64_t stop = 2; stop < 21; stop += 5) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop }).status, ESPL_INTERRUPTED);
        assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true }) == hash);
    }
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-one-cycle", "rise: -0.1", "rise");
    rig_refuses("schedule-one-cycle", "rise: 1.1", "rise");
    rig_refuses("schedule-one-cycle", "start: 2", "start");
    rig_refuses("schedule-one-cycle", "end: -1", "end");
    rig_refuses("schedule-one-cycle", "momentum-high: 1", "momentum");
    rig_refuses("schedule-one-cycle", "momentum-low: 0", "momentum");
    rig_refuses("schedule-one-cycle", "momentum-low: 0.95, momentum-high: 0.9", "above momentum-high");
    rig_refuses("schedule-one-cycle", "warm-up: -1ep", "warm");
    rig_refuses("schedule-one-cycle", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-one-cycle", "warm-up: 5", "warm");
    rig_refuses("schedule-one-cycle", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-one-cycle", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_momentum_goes_the_other_way),
        TINY_TEST_OF(test_momentum_reaches_the_weights),
        TINY_TEST_OF(test_resumes),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
