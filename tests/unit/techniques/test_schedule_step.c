/* Falls at equal distances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    (void)unused;
    rig_close_to(espl__rate_step(0.1, 0.1, 30, 0), 0.1);
    rig_close_to(espl__rate_step(0.1, 0.1, 30, 29), 0.1);
    rig_close_to(espl__rate_step(0.1, 0.1, 30, 30), 0.01);
    rig_close_to(espl__rate_step(0.1, 0.1, 30, 60), 0.001);
    rig_close_to(espl__rate_step(0.1, 0.5, 30, 119), 0.0125);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-step", "", { 0, 0.1 }, { 299, 0.1 }, { 300, 0.01 }, { 600, 0.001 }, { 900, 0.0001 });
    RIG_CHECK("schedule-step", "every: 2ep, factor: 0.5, warm-up: 100st", { 0, 0.001 }, { 99, 0.1 },
              { 199, 0.1 }, { 200, 0.05 }, { 400, 0.025 });
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-step", "every: 0ep", "every");
    rig_refuses("schedule-step", "every: 0.3st", "every: is shorter than one step");
    rig_refuses("schedule-step", "factor: 0", "factor");
    rig_refuses("schedule-step", "factor: 1.5", "factor");
    rig_refuses("schedule-step", "factor: -0.5", "factor");
    rig_refuses("schedule-step", "warm-up: -1ep", "warm");
    rig_refuses("schedule-step", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-step", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-step", "warm-up: 5", "warm");
    rig_refuses("schedule-step", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-step", "warm-up-from: nan", "warm");
    rig_refuses("schedule-step", "wram-up: 1ep", "warm-up");
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
