/* Powers of what is left of the run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    (void)unused;
    rig_close_to(espl__rate_polynomial(0.1, 0, 1, 100, 0), 0.1);
    rig_close_to(espl__rate_polynomial(0.1, 0, 1, 100, 25), 0.075);
    rig_close_to(espl__rate_polynomial(0.1, 0, 2, 100, 50), 0.025);
    rig_close_to(espl__rate_polynomial(0.1, 0, 0.5, 100, 75), 0.05);
    rig_close_to(espl__rate_polynomial(0.1, 0.02, 2, 100, 50), 0.04);
    rig_close_to(espl__rate_polynomial(0.1, 0.02, 2, 100, 100), 0.02);
    rig_close_to(espl__rate_polynomial(0.1, 0.02, 2, 100, 101), 0.02);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-polynomial", "", { 0, 0.1 }, { 500, 0.05 }, { 999, 0.0001 });
    RIG_CHECK("schedule-polynomial", "power: 2, warm-up: 2ep, lowest: 0.01", { 0, 0.0005 }, { 199, 0.1 },
              { 200, 0.1 }, { 600, 0.0325 });
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-polynomial", "power: 0", "power");
    rig_refuses("schedule-polynomial", "power: -1", "power");
    rig_refuses("schedule-polynomial", "lowest: -1", "lowest");
    rig_refuses("schedule-polynomial", "lowest: 0.5", "above the optimizer's rate");
    rig_refuses("schedule-polynomial", "warm-up: -1ep", "warm");
    rig_refuses("schedule-polynomial", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-polynomial", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-polynomial", "warm-up: 5", "warm");
    rig_refuses("schedule-polynomial", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-polynomial", "warm-up-from: nan", "warm");
    rig_refuses("schedule-polynomial", "wram-up: 1ep", "warm-up");
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
