/* The exponential average against its definition: a sum over all values by their age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "average_rig.h"

static void begin(rig *r, const char *options)
{
    rig_open(r);
    assert_int_equal(rig_begin(r, "average-ema", options), ESPL_OK);
}

/* 1, 2, 3 with a decay of 0.9: from zero 0.1, 0.29, 0.561, each divided by 1 - 0.9^n. */
static void test_corrects_for_its_beginning(void **unused)
{
    const double expected[] = { 1, 1.526316, 2.070110 };
    float mean = 77; /* whatever was there */
    rig r;

    (void)unused;
    begin(&r, "decay: 0.9");
    for (int i = 0; i < 3; i++) {
        rig_average(&r, i, (float)(i + 1), &mean);
        rig_near((double)mean, expected[i], 1e-6);
    }
    rig_close(&r);
}

static void test_a_constant_stays(void **unused)
{
    float mean = 0;
    rig r;

    (void)unused;
    begin(&r, "decay: 0.99");
    for (int i = 0; i < RIG_STEPS; i++) {
        rig_average(&r, i, 0.3f, &mean);
        assert_true(mean == 0.3f);
    }
    rig_close(&r);
}

/* After a jump from 0 to 1 half of the way is gone in ln 0.5 / ln decay steps: 68.97 for 0.99. */
static void test_half_life(void **unused)
{
    float mean = 0;
    rig r;

    (void)unused;
    begin(&r, "decay: 0.99, warm-up: counted");
    for (int i = 0; i < 900; i++)
        rig_average(&r, i, 0, &mean);
    for (int i = 900; i < 968; i++)
        rig_average(&r, i, 1, &mean);
    assert_true(mean < 0.5f);
    rig_average(&r, 968, 1, &mean);
    assert_true(mean > 0.5f);
    rig_close(&r);
}

static void test_warm_up_by_counting(void **unused)
{
    const struct {
        int64_t k;
        double decay;
    } known[] = { { 1, 0.181818 }, { 10, 0.55 }, { 100, 0.918182 }, { 8990, 0.999 }, { 100000, 0.999 } };

    (void)unused;
    rig_near(espl__share_counted(0.999, 1), 1, 0);
    for (int i = 0; i < ESPL__COUNT(known); i++)
        rig_near(1 - espl__share_counted(0.999, known[i].k + 1), known[i].decay, 1e-5);
}

static void test_warm_up_by_a_power(void **unused)
{
    (void)unused;
    rig_near(espl__share_power(0.999, 1), 1, 0);
    rig_near(espl__share_power(0.999, 8), 0.25, 1e-9); /* 8^(-2/3) */
    rig_near(espl__share_power(0.9, 1000), 0.1, 1e-9);
}

/* The first value whole, then the decay that has grown to 2 / 11 and 3 / 12. */
static void test_begins_at_the_first_value(void **unused)
{
    float mean = 5;
    rig r;

    (void)unused;
    begin(&r, "decay: 0.9, warm-up: counted");
    rig_average(&r, 0, 1, &mean);
    rig_near((double)mean, 1, 0);
    rig_average(&r, 1, 2, &mean);
    rig_near((double)mean, 1 + 9.0 / 11, 1e-6);
    rig_close(&r);
}

static void test_begins_when_it_is_told(void **unused)
{
    float mean = 0;
    rig r;

    (void)unused;
    begin(&r, "start: 0.5run");
    rig_average(&r, 499, 9, &mean);
    assert_true(mean == 0);
    rig_average(&r, 500, 4, &mean);
    assert_true(mean == 4);
    rig_close(&r);
}

/* A tenth of the rig's 1000 steps: half of a jump is gone where it is with a decay of 0.99. */
static void test_reaches_back_over_a_time(void **unused)
{
    float by_reach = 0, by_decay = 0;
    rig r, d;

    (void)unused;
    begin(&r, "reach: 0.1run");
    begin(&d, "decay: 0.99");
    for (int i = 0; i < 300; i++) {
        rig_average(&r, i, (float)(i % 7), &by_reach);
        rig_average(&d, i, (float)(i % 7), &by_decay);
    }
    rig_near((double)by_reach, (double)by_decay, 1e-6);
    rig_close(&r);
    rig_close(&d);
}

static void test_refuses(void **unused)
{
    (void)unused;
    rig_refuses("average-ema", "decay: 1", "decay");
    rig_refuses("average-ema", "decay: -0.1", "decay");
    rig_refuses("average-ema", "name: a/b", "name");
    rig_refuses("average-ema", "name: ''", "name");
    rig_warns("average-ema", "decay: 0.9999", "a decay of 0.99 would");
    rig_warns("average-ema", "decay: 0.99", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corrects_for_its_beginning),
        cmocka_unit_test(test_a_constant_stays),
        cmocka_unit_test(test_half_life),
        cmocka_unit_test(test_warm_up_by_counting),
        cmocka_unit_test(test_warm_up_by_a_power),
        cmocka_unit_test(test_begins_at_the_first_value),
        cmocka_unit_test(test_begins_when_it_is_told),
        cmocka_unit_test(test_reaches_back_over_a_time),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
