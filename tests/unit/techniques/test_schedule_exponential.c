/* The same factor in every stretch of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    (void)unused;
    rig_close_to(espl__rate_exponential(0.1, 0.5, 100, 0, 0), 0.1);
    rig_close_to(espl__rate_exponential(0.1, 0.5, 100, 0, 100), 0.05);
    rig_close_to(espl__rate_exponential(0.1, 0.5, 100, 0, 50), 0.070710678118654752);
    rig_close_to(espl__rate_exponential(0.1, 0.5, 100, 0, 300), 0.0125);
    rig_close_to(espl__rate_exponential(0.1, 0.5, 100, 0.03, 300), 0.03);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-exponential", "every: 2ep, factor: 0.25", { 0, 0.1 }, { 100, 0.05 }, { 200, 0.025 });
    RIG_CHECK("schedule-exponential", "every: 1ep, factor: 0.5, warm-up: 1ep, lowest: 0.01", { 0, 0.001 },
              { 99, 0.1 }, { 100, 0.1 }, { 200, 0.05 }, { 999, 0.01 });
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-exponential", "every: 0ep", "every");
    rig_refuses("schedule-exponential", "every: 0.1st", "every: is shorter than one step");
    rig_refuses("schedule-exponential", "factor: 0", "factor");
    rig_refuses("schedule-exponential", "factor: 1.1", "factor");
    rig_refuses("schedule-exponential", "lowest: -1", "lowest");
    rig_refuses("schedule-exponential", "lowest: 0.5", "above the optimizer's rate");
    rig_refuses("schedule-exponential", "warm-up: -1ep", "warm");
    rig_refuses("schedule-exponential", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-exponential", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-exponential", "warm-up: 5", "warm");
    rig_refuses("schedule-exponential", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-exponential", "warm-up-from: nan", "warm");
    rig_refuses("schedule-exponential", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_in_a_run),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
