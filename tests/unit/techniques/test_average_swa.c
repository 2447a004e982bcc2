/* Averages at the ends of epochs, or of cycles where there are some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "average_rig.h"

/* The mean after a whole run in which each step's value is its number. */
static double mean_of(const char *schedule, const char *options)
{
    float mean = 0;
    rig r;

    rig_open(&r);
    if (schedule)
        assert_int_equal(espl_run_attach(&r.run, "schedule-cyclical", schedule), ESPL_OK);
    assert_int_equal(rig_begin(&r, "average-swa", options), ESPL_OK);
    for (int i = 0; i < RIG_STEPS; i++)
        rig_average(&r, i, (float)i, &mean);
    rig_close(&r);
    return (double)mean;
}

static void test_averages_ends_of_epochs(void **unused)
{
    (void)unused;
    rig_near(mean_of(NULL, "start: 0.8run"), (899 + 999) / 2.0, 1e-6);
    rig_near(mean_of(NULL, "start: 7ep"), (799 + 899 + 999) / 3.0, 1e-6);
}

static void test_averages_ends_of_cycles(void **unused)
{
    (void)unused;
    rig_near(mean_of("period: 250st", "start: 0.5run"), (749 + 999) / 2.0, 1e-6);
    rig_near(mean_of("period: 250st", "start: 0.5run, at: epochs"), (599 + 699 + 799 + 899 + 999) / 5.0, 1e-6);
}

static void test_refuses(void **unused)
{
    (void)unused;
    rig_refuses("average-swa", "at: cycles", "cycles");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_averages_ends_of_epochs),
        cmocka_unit_test(test_averages_ends_of_cycles),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
