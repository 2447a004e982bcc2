/* Cyclical rates against the figures of the reference code: lowest .001, highest .006, half a cycle of 2000. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

static const int64_t at[] = { 0, 500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000 };

static void check(espl__cyclical_shape shape, const double *expected)
{
    for (int i = 0; i < 10; i++) {
        const double got = espl__rate_cyclical(0.006, 0.001, 4000, shape, 0.99994, at[i]);
        if (fabs(got - expected[i]) > 5e-9)
            fail_msg("shape %d at %d: %.9g, expected %.9g", (int)shape, (int)at[i], got, expected[i]);
    }
}

static void test_values(void **unused)
{
    (void)unused;
    check(ESPL__TRIANGULAR, (const double[]){ .001, .00225, .0035, .006, .0035, .001, .0035, .006, .001, .006 });
    check(ESPL__TRIANGULAR2,
          (const double[]){ .001, .00225, .0035, .006, .0035, .001, .00225, .0035, .001, .00225 });
    check(ESPL__EXP_RANGE, (const double[]){ .001, .00221306, .00335441, .00543459, .00308816, .001, .00285203,
                                             .00448834, .001, .00374401 });
}

static void test_stays_between(void **unused)
{
    (void)unused;
    for (int64_t t = 0; t < 30000; t += 7)
        for (int shape = 0; shape < 3; shape++) {
            const double rate = espl__rate_cyclical(0.006, 0.001, 333, (espl__cyclical_shape)shape, 0.999, t);
            assert_true(rate >= 0.001 && rate <= 0.006);
        }
    /* halved so often that nothing is left */
    rig_close_to(espl__rate_cyclical(0.006, 0.001, 2, ESPL__TRIANGULAR2, 1, 100001), 0.001);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-cyclical", "period: 2ep, lowest: 0.02", { 0, 0.02 }, { 50, 0.06 }, { 100, 0.1 },
              { 150, 0.06 }, { 200, 0.02 }, { 300, 0.1 });
    RIG_CHECK("schedule-cyclical", "shape: triangular2, period: 2ep, lowest: 0.02", { 300, 0.06 }, { 500, 0.04 });
    RIG_CHECK("schedule-cyclical", "shape: exp-range, decay: 0.99, period: 2ep", { 0, 0 },
              { 100, 0.036603234127322950 });
    RIG_CHECK("schedule-cyclical", "period: 2ep, lowest: 0.02, warm-up: 1ep", { 0, 0.0002 }, { 99, 0.02 },
              { 100, 0.02 }, { 200, 0.1 }, { 300, 0.02 });
}

static void test_says_where_cycles_end(void **unused)
{
    const int64_t ends[] = { 199, 399, 599, 799, 999 };

    (void)unused;
    rig_cycles("schedule-cyclical", "period: 2ep", ends, 5);
    rig_warns("schedule-cyclical", "period: 2ep", NULL);
    rig_warns("schedule-cyclical", "period: 4ep", "8 or 12 epochs");
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-cyclical", "period: 1st", "shorter than two steps");
    rig_refuses("schedule-cyclical", "lowest: 0.2", "above the optimizer's rate");
    rig_refuses("schedule-cyclical", "lowest: -1", "lowest");
    rig_refuses("schedule-cyclical", "decay: 0", "decay");
    rig_refuses("schedule-cyclical", "decay: 1.1", "decay");
    rig_refuses("schedule-cyclical", "shape: square", "shape");
    rig_refuses("schedule-cyclical", "warm-up: 1ep", "begins at a rate of 0");
    rig_refuses("schedule-cyclical", "warm-up: -1ep", "warm");
    rig_refuses("schedule-cyclical", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-cyclical", "warm-up: 5", "warm");
    rig_refuses("schedule-cyclical", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-cyclical", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_stays_between),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_says_where_cycles_end),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
