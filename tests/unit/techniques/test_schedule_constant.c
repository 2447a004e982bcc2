/* One rate, and the warm-up that all schedules share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "techniques/schedule/schedule_warm_up.h"

static void test_stays(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-constant", "", { 0, 0.1 }, { 1, 0.1 }, { 999, 0.1 });
}

/* 200 steps from a fifth: 0.02 + 0.08 (t + 1) / 200; the last of them has the full rate. */
static void test_warms_up(void **unused)
{
    (void)unused;
    RIG_CHECK("schedule-constant", "warm-up: 2ep, warm-up-from: 0.2", { 0, 0.0204 }, { 99, 0.06 },
              { 198, 0.0996 }, { 199, 0.1 }, { 200, 0.1 }, { 999, 0.1 });
    RIG_CHECK("schedule-constant", "warm-up: 4st", { 0, 0.025 }, { 1, 0.05 }, { 2, 0.075 }, { 3, 0.1 },
              { 4, 0.1 });
    RIG_CHECK("schedule-constant", "warm-up: 0.01run", { 0, 0.01 }, { 4, 0.05 }, { 10, 0.1 });
}

static void test_warm_up_as_a_function(void **unused)
{
    (void)unused;
    rig_close_to(espl__warm_up_rate(0.4, 0, 8, 0), 0.05);
    rig_close_to(espl__warm_up_rate(0.4, 0, 8, 7), 0.4);
    rig_close_to(espl__warm_up_rate(0.4, 0.5, 8, 3), 0.3);
    rig_close_to(espl__warm_up_rate(0.4, 0, 0, 0), 0.4);
    for (int64_t t = 1; t < 8; t++)
        assert_true(espl__warm_up_rate(0.4, 0, 8, t) > espl__warm_up_rate(0.4, 0, 8, t - 1));
}

static void test_a_run_takes_one_schedule(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(espl_run_attach(&r.run, "schedule-constant", NULL), ESPL_OK);
    assert_int_equal(espl_run_attach(&r.run, "schedule-cosine", NULL), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(r.ctx), "schedule-constant"));
    rig_close(&r);
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-constant", "warm-up: -1ep", "warm");
    rig_refuses("schedule-constant", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-constant", "warm-up: 20ep", "warm-up");
    rig_refuses("schedule-constant", "warm-up: 5", "warm");
    rig_refuses("schedule-constant", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-constant", "warm-up-from: nan", "warm");
    rig_refuses("schedule-constant", "wram-up: 1ep", "warm-up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stays),
        cmocka_unit_test(test_warms_up),
        cmocka_unit_test(test_warm_up_as_a_function),
        cmocka_unit_test(test_a_run_takes_one_schedule),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
