/* Damped swings against hand-computed figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

static void near(double got, double expected)
{
    if (fabs(got - expected) > 5e-7)
        fail_msg("got %.9g, expected %.9g", got, expected);
}

/* A period of 10 and a fade of 20, in half steps so that 2.5 is a whole number of them. */
static void test_cosine(void **unused)
{
    const double at[] = { 0, 2.5, 5, 10, 20, 40 };
    const double expected[] = { .1, .044125, 0, .060653, .036788, .013534 };

    (void)unused;
    for (int i = 0; i < 6; i++)
        near(espl__rate_damped_cosine(0.1, 0, 20, 40, (int64_t)(2 * at[i])), expected[i]);
}

static void test_triangle(void **unused)
{
    (void)unused;
    near(espl__rate_damped_triangular(0.1, 0, 10, 0.5, 5), 0.1);
    near(espl__rate_damped_triangular(0.1, 0, 10, 0.5, 15), 0.05);
    near(espl__rate_damped_triangular(0.1, 0, 10, 0.5, 25), 0.025);
    for (int64_t t = 0; t <= 20; t += 10)
        near(espl__rate_damped_triangular(0.1, 0, 10, 0.5, t), 0);
    near(espl__rate_damped_triangular(0.1, 0.02, 10, 0.5, 15), 0.06);
}

static void test_peaks_fall_and_the_lowest_holds(void **unused)
{
    double before[2] = { 1, 1 };

    (void)unused;
    for (int64_t t = 0; t < 2000; t++)
        for (int shape = 0; shape < 2; shape++) {
            const double rate = shape ? espl__rate_damped_triangular(0.1, 0.01, 100, 0.7, t)
                                      : espl__rate_damped_cosine(0.1, 0.01, 100, 300, t);
            assert_true(rate >= 0.01);
            if (t % 100 != (shape ? 50 : 0))
                continue;
            assert_true(rate < before[shape]);
            before[shape] = rate;
        }
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-damped", "period: 2ep, fade: 4ep", { 0, 0.1 }, { 100, 0 }, { 200, 0.060653065971263342 },
              { 400, 0.036787944117144233 });
    RIG_CHECK("schedule-damped", "shape: triangular, period: 2ep, lowest: 0.02", { 0, 0.02 }, { 100, 0.1 },
              { 300, 0.06 });
    RIG_CHECK("schedule-damped", "warm-up: 1ep, period: 2ep, fade: 4ep", { 0, 0.001 }, { 99, 0.1 }, { 100, 0.1 },
              { 300, 0.060653065971263342 });
}

static void test_says_where_cycles_end(void **unused)
{
    const int64_t valleys[] = { 100, 300, 500, 700, 900 }, ends[] = { 199, 399, 599, 799, 999 };

    (void)unused;
    rig_cycles("schedule-damped", "period: 2ep", valleys, 5);
    rig_cycles("schedule-damped", "shape: triangular, period: 2ep", ends, 5);
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-damped", "period: 1st", "shorter than two steps");
    rig_refuses("schedule-damped", "fade: 0.1st", "fade: is shorter than one step");
    rig_refuses("schedule-damped", "fade: -1ep", "fade");
    rig_refuses("schedule-damped", "factor: 0", "factor");
    rig_refuses("schedule-damped", "factor: 1", "factor");
    rig_refuses("schedule-damped", "lowest: 0.2", "above the optimizer's rate");
    rig_refuses("schedule-damped", "shape: triangular, warm-up: 1ep", "begins at a rate of 0");
    rig_refuses("schedule-damped", "warm-up: -1ep", "warm");
    rig_refuses("schedule-damped", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-damped", "warm-up: 5", "warm");
    rig_refuses("schedule-damped", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-damped", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_triangle),
        cmocka_unit_test(test_peaks_fall_and_the_lowest_holds),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_says_where_cycles_end),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
