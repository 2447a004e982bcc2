/* Half a cosine against hand-computed values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    (void)unused;
    /* cos(pi/3) = 1/2, cos(pi/2) = 0, cos(2 pi/3) = -1/2 */
    rig_close_to(espl__rate_cosine(0.1, 0, 300, 0), 0.1);
    rig_close_to(espl__rate_cosine(0.1, 0, 300, 100), 0.075);
    rig_close_to(espl__rate_cosine(0.1, 0, 300, 150), 0.05);
    rig_close_to(espl__rate_cosine(0.1, 0, 300, 200), 0.025);
    rig_close_to(espl__rate_cosine(0.1, 0.02, 300, 100), 0.08);
    rig_close_to(espl__rate_cosine(0.1, 0.02, 300, 300), 0.02);
    rig_close_to(espl__rate_cosine(0.1, 0.02, 300, 400), 0.02);
}

static void test_comes_down_and_stays_above_the_lowest(void **unused)
{
    (void)unused;
    for (int64_t t = 1; t <= 1000; t++) {
        assert_true(espl__rate_cosine(0.1, 0.01, 1000, t) < espl__rate_cosine(0.1, 0.01, 1000, t - 1));
        assert_true(espl__rate_cosine(0.1, 0.01, 1000, t) >= 0.01);
    }
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-cosine", "", { 0, 0.1 }, { 500, 0.05 }, { 250, 0.085355339059327376 },
              { 750, 0.014644660940672624 });
    /* the course begins behind the warm-up: 900 steps from 100 on */
    RIG_CHECK("schedule-cosine", "warm-up: 1ep, lowest: 0.02", { 0, 0.001 }, { 49, 0.05 }, { 99, 0.1 },
              { 100, 0.1 }, { 400, 0.08 }, { 550, 0.06 }, { 700, 0.04 });
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-cosine", "lowest: -0.1", "lowest");
    rig_refuses("schedule-cosine", "lowest: 0.2", "above the optimizer's rate");
    rig_refuses("schedule-cosine", "lowest: nan", "lowest");
    rig_refuses("schedule-cosine", "warm-up: -1ep", "warm");
    rig_refuses("schedule-cosine", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-cosine", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-cosine", "warm-up: 5", "warm");
    rig_refuses("schedule-cosine", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-cosine", "warm-up-from: nan", "warm");
    rig_refuses("schedule-cosine", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_comes_down_and_stays_above_the_lowest),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
