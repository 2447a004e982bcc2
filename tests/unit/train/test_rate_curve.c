/* Reading rates off curves by the known rules, by hand-computed cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "train/rate_curve.h"

#include <math.h>

static void assert_near(double value, double expected, double error)
{
    if (!(fabs(value - expected) <= error))
        fail_msg("%.9g is not %.9g", value, expected);
}

static void test_spreads_evenly_in_the_logarithm(void **unused)
{
    double rate[100];

    (void)unused;
    espl__rates_spread(1e-7, 10, 100, rate);
    assert_near(rate[0], 1e-7, 1e-20);
    assert_near(rate[99], 10, 1e-12);
    for (int i = 1; i < 100; i++)
        assert_near(rate[i] / rate[i - 1], 1.2045035, 1e-7);
}

static void test_smoothing_is_corrected_for_its_beginning(void **unused)
{
    const double loss[] = { 2.30, 2.28, 1.90, 1.20, 3.00 };
    const double corrected[] = { 2.3, 2.289474, 2.145756, 1.870747, 2.146504 };
    double smooth[5];

    (void)unused;
    espl__smooth(loss, 5, 0.9, smooth);
    for (int i = 0; i < 5; i++)
        assert_near(smooth[i], corrected[i], 1e-6);
}

/* A straight line stays where it is, apart from its ends, when smoothed both ways. */
static void test_still_smoothing_shifts_nothing(void **unused)
{
    double line[101], one[101], both[101];

    (void)unused;
    for (int i = 0; i < 101; i++)
        line[i] = i;
    espl__smooth(line, 101, 0.8, one);
    espl__smooth_still(line, 101, 0.8, both);
    assert_near(one[50], 46, 1e-3); /* late by memory / (1 - memory) */
    assert_near(both[50], 50, 1e-9);
}

static const double curve[] = { 2.30, 2.29, 2.25, 2.05, 1.60, 1.10, 0.95, 1.30, 4.50 }; /* at 1e-4 10^(i / 2) */

static void test_rules(void **unused)
{
    double rate[9];

    (void)unused;
    espl__rates_spread(1e-4, 1, 9, rate);
    assert_int_equal(espl__steepest(rate, curve, 9), 4);
    assert_near(rate[4], 0.01, 1e-9);
    assert_int_equal(espl__lowest(curve, 9), 6);
    assert_int_equal(espl__valley(curve, 9), 3); /* from point 0 to 6; fastai begins one point before the true start */
    assert_near(rate[3], 0.0031623, 1e-7);
}

static void test_rules_without_an_answer(void **unused)
{
    const double rising[] = { 1, 2, 3, 4 }, rate[] = { 1, 2, 4, 8 };

    (void)unused;
    assert_int_equal(espl__steepest(rate, rising, 4), -1);
    assert_int_equal(espl__valley(rising, 4), -1);
}

static void test_stops_above_four_times_the_least(void **unused)
{
    double long_curve[11] = { 2.3, 2.3 }; /* two points more in front: not before the tenth */

    (void)unused;
    for (int i = 0; i < 9; i++)
        long_curve[i + 2] = curve[i];
    for (int i = 1; i <= 10; i++)
        assert_false(espl__has_diverged(long_curve, i));
    assert_true(espl__has_diverged(long_curve, 11)); /* 4.5 > 4 * 0.95 */
    assert_false(espl__has_diverged(curve, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spreads_evenly_in_the_logarithm),
        cmocka_unit_test(test_smoothing_is_corrected_for_its_beginning),
        cmocka_unit_test(test_still_smoothing_shifts_nothing),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_without_an_answer),
        cmocka_unit_test(test_stops_above_four_times_the_least),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
