/* The mean of all weights: the arithmetic mean, and what theory says of noise around a minimum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "average_rig.h"

static void test_is_the_arithmetic_mean(void **unused)
{
    double sum = 0;
    float mean = 3;
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "average-polyak", "start: 100st"), ESPL_OK);
    for (int i = 0; i < RIG_STEPS; i++) {
        const float value = (float)((i * 7919) % 1000) / 1000;
        rig_average(&r, i, value, &mean);
        if (i < 100)
            continue;
        sum += (double)value;
        rig_near((double)mean, sum / (i - 99), 1e-6);
    }
    rig_close(&r);
}

static void test_takes_every_nth(void **unused)
{
    float mean = 0;
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "average-polyak", "start: 10st, every: 1ep"), ESPL_OK);
    for (int i = 0; i < 310; i++)
        rig_average(&r, i, (float)i, &mean);
    rig_near((double)mean, (109 + 209 + 309) / 3.0, 1e-6);
    rig_close(&r);
}

/* x - rate (x + noise): the variance of x is rate / (2 - rate), that of the mean of n about 1 / n. */
static void test_noise_cancels_around_a_minimum(void **unused)
{
    const int runs = 200, settle = 200, steps = 800;
    double variance = 0, variance_of_mean = 0;
    espl__random random = espl__random_at(espl__stream_of(5, "noise"), 0, 0);

    (void)unused;
    for (int k = 0; k < runs; k++) {
        float x = 0, mean = 0;
        rig r;
        rig_open(&r);
        assert_int_equal(rig_begin(&r, "average-polyak", "start: 200st"), ESPL_OK);
        for (int i = 0; i < settle + steps; i++) {
            x -= 0.1f * (x + espl__random_normal(&random));
            rig_average(&r, i, x, &mean);
        }
        rig_close(&r);
        variance += (double)(x * x) / runs;
        variance_of_mean += (double)(mean * mean) / runs;
    }
    /* means over 200 runs: one in a thousand is off by more than a third */
    rig_near(variance, 0.1 / 1.9, 0.35);
    rig_near(variance_of_mean, 1.0 / steps, 0.35);
}

static void test_refuses(void **unused)
{
    (void)unused;
    rig_refuses("average-polyak", "every: 0.1st", "every");
    rig_refuses("average-polyak", "start: -1st", "start");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_arithmetic_mean),
        cmocka_unit_test(test_takes_every_nth),
        cmocka_unit_test(test_noise_cancels_around_a_minimum),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
