/* Clipping scales to exactly the limit, leaves what is below it alone, and counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"

/* What the technique does to gradients of this norm. The run's norm is told to it instead of summed. */
static double factor_at(rig *r, double norm)
{
    r->run.fit.norm = norm;
    r->run.fit.factor = 1;
    assert_int_equal(espl__moment(&r->run, ESPL_GRADIENTS_READY), ESPL_OK);
    return r->run.fit.factor;
}

static void test_scales_to_the_limit(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "clip-gradients", "norm: 2"), ESPL_OK);
    rig_close_to(factor_at(&r, 8), 0.25);
    rig_close_to(factor_at(&r, 2), 1);
    rig_close_to(factor_at(&r, 1.9), 1);
    rig_close_to(factor_at(&r, 0), 1);
    rig_close(&r);
}

/* The run names the layer; clipping must not hide it behind a factor that is no number. */
static void test_leaves_what_is_not_finite(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "clip-gradients", ""), ESPL_OK);
    rig_close_to(factor_at(&r, INFINITY), 1);
    rig_close_to(factor_at(&r, NAN), 1);
    rig_close(&r);
}

static void test_counts_for_the_log(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "clip-gradients", "norm: 1"), ESPL_OK);
    factor_at(&r, 8);
    factor_at(&r, 0.5);
    factor_at(&r, 3);
    assert_int_equal(espl__moment(&r.run, ESPL_EPOCH_END), ESPL_OK);
    assert_int_equal(r.run.report_count, 1);
    assert_string_equal(r.run.report[0].name, "clipped");
    rig_close_to(r.run.report[0].value, 2);
    assert_int_equal(espl__moment(&r.run, ESPL_EPOCH_END), ESPL_OK);
    assert_int_equal(r.run.report_count, 1);
    rig_close_to(r.run.report[0].value, 0);
    rig_close(&r);
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("clip-gradients", "norm: 0", "norm");
    rig_refuses("clip-gradients", "norm: -1", "norm");
    rig_refuses("clip-gradients", "norm: nan", "norm");
    rig_refuses("clip-gradients", "nrm: 1", "norm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scales_to_the_limit),
        cmocka_unit_test(test_leaves_what_is_not_finite),
        cmocka_unit_test(test_counts_for_the_log),
        cmocka_unit_test(test_bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
