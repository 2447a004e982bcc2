/* One average for each cycle, of its last steps, begun anew behind every restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "average_rig.h"

/* Runs through 4 cycles of 250 steps; the value of a step is its number. */
static void check(const char *options, double of_last)
{
    float mean = 0;
    rig r;

    rig_open(&r);
    assert_int_equal(rig_begin(&r, "average-cycles", options), ESPL_OK);
    assert_true(espl_run_has_cycles(&r.run));
    for (int i = 0; i < RIG_STEPS; i++) {
        rig_average(&r, i, (float)i, &mean);
        if (i % 250 != 249)
            continue;
        rig_near((double)mean, i - (of_last - 1) / 2, 1e-6);
        *(int64_t *)(void *)((char *)r.run.members[0].self + offsetof(espl__average, count)) = 0; /* the cycle's end */
    }
    rig_close(&r);
}

static void test_averages_the_end_of_each_cycle(void **unused)
{
    (void)unused;
    check("cycles: 4, last: 10st", 10);
    check("cycles: 4, last: 250st", 250);
    check("cycles: 4, last: 1st", 1); /* plain snapshots */
}

static void test_refuses_more_than_a_cycle(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "average-cycles", "cycles: 4, last: 251st"), ESPL_OK);
    r.run.fit.cycle_left = 249;
    assert_int_equal(espl__moment(&r.run, ESPL_STEP_BEGIN), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(r.ctx), "this cycle has only 250"));
    rig_close(&r);
    rig_refuses("average-cycles", "cycles: 2000", "do not fit");
    rig_refuses("average-cycles", "last: 0.2st", "last");
}

/* A schedule's cycles are used as they are. */
static void test_goes_by_the_schedule(void **unused)
{
    float mean = 0;
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(espl_run_attach(&r.run, "schedule-cyclical", "period: 100st"), ESPL_OK);
    assert_int_equal(rig_begin(&r, "average-cycles", "cycles: 4, last: 2st"), ESPL_OK);
    for (int i = 0; i < 100; i++)
        rig_average(&r, i, (float)i, &mean);
    rig_near((double)mean, 98.5, 1e-6);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_averages_the_end_of_each_cycle),
        cmocka_unit_test(test_refuses_more_than_a_cycle),
        cmocka_unit_test(test_goes_by_the_schedule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
