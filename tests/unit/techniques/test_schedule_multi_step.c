/* A fall at each of the given times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_rates.h"

static void test_values(void **unused)
{
    const int64_t at[] = { 10, 20, 25 };

    (void)unused;
    rig_close_to(espl__rate_multi_step(1, 0.5, at, 3, 0), 1);
    rig_close_to(espl__rate_multi_step(1, 0.5, at, 3, 9), 1);
    rig_close_to(espl__rate_multi_step(1, 0.5, at, 3, 10), 0.5);
    rig_close_to(espl__rate_multi_step(1, 0.5, at, 3, 24), 0.25);
    rig_close_to(espl__rate_multi_step(1, 0.5, at, 3, 1000), 0.125);
}

static void test_in_a_run(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-multi-step", "", { 0, 0.1 }, { 499, 0.1 }, { 500, 0.01 }, { 749, 0.01 },
              { 750, 0.001 }, { 999, 0.001 });
    /* times count from the start of the run */
    RIG_CHECK("schedule-multi-step", "at: [300st, 6ep, 0.8run], factor: 0.5, warm-up: 2ep", { 0, 0.0005 },
              { 199, 0.1 }, { 299, 0.1 }, { 300, 0.05 }, { 600, 0.025 }, { 800, 0.0125 });
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-multi-step", "at: [2ep, 1ep]", "must ascend");
    rig_refuses("schedule-multi-step", "at: [1ep, 1ep]", "must ascend");
    rig_refuses("schedule-multi-step", "at: []", "at");
    rig_refuses("schedule-multi-step", "at: [0ep]", "at");
    rig_refuses("schedule-multi-step", "at: [0.1st]", "at");
    rig_refuses("schedule-multi-step", "factor: 0", "factor");
    rig_refuses("schedule-multi-step", "factor: 2", "factor");
    rig_refuses("schedule-multi-step", "warm-up: -1ep", "warm");
    rig_refuses("schedule-multi-step", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-multi-step", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-multi-step", "warm-up: 5", "warm");
    rig_refuses("schedule-multi-step", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-multi-step", "warm-up-from: nan", "warm");
    rig_refuses("schedule-multi-step", "wram-up: 1ep", "warm-up");
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
