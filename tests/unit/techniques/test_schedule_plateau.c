/* The test of the slope against known distributions, and falls of the rate where the loss is flat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule_rig.h"
#include "../train/tiny_run.h"
#include "techniques/schedule/schedule_rates.h"

/* Tables of Student's distribution: P(T <= t) = 0.95 and 0.975. */
static void test_student(void **unused)
{
    const struct {
        int64_t degrees;
        double t95, t975;
    } table[] = { { 1, 6.3138, 12.7062 }, { 2, 2.9200, 4.3027 }, { 3, 2.3534, 3.1824 }, { 4, 2.1318, 2.7764 }, { 5, 2.0150, 2.5706 }, { 10, 1.8125, 2.2281 }, { 29, 1.6991, 2.0452 }, { 62, 1.6698, 1.9990 } };

    (void)unused;
    for (int i = 0; i < ESPL__COUNT(table); i++) {
        assert_true(fabs(espl__student(table[i].t95, table[i].degrees) - 0.95) < 2e-5);
        assert_true(fabs(espl__student(table[i].t975, table[i].degrees) - 0.975) < 2e-5);
        assert_true(fabs(espl__student(-table[i].t95, table[i].degrees) - 0.05) < 2e-5);
        rig_close_to(espl__student(0, table[i].degrees), 0.5);
    }
}

static void test_slopes(void **unused)
{
    (void)unused;
    assert_true(espl__falling((const double[]){ 3, 2, 1 }, 3) == 1);
    assert_true(espl__falling((const double[]){ 1, 2, 3 }, 3) == 0);
    assert_true(espl__falling((const double[]){ 2, 2, 2, 2 }, 4) == 0);
    /* 3 2 2: slope -1/2, rests 1/6 -1/3 1/6, deviation sqrt(1/6 / 1 / 2): t = sqrt 3 at 1 degree: 5/6 */
    assert_true(fabs(espl__falling((const double[]){ 3, 2, 2 }, 3) - 5.0 / 6) < 1e-12);
    assert_true(fabs(espl__falling((const double[]){ 2, 2, 3 }, 3) - 1.0 / 6) < 1e-12);
}

/* Of a flat loss with noise, one window in ten is taken for falling at a confidence of 0.9. */
static void test_noise_alone_is_seldom_progress(void **unused)
{
    espl__random random = espl__random_at(espl__stream_of(7, "test"), 0, 0);
    double value[8];
    int falling = 0;

    (void)unused;
    for (int trial = 0; trial < 4000; trial++) {
        for (int i = 0; i < 8; i++)
            value[i] = 1 + 0.3 * (double)espl__random_normal(&random);
        falling += espl__falling(value, 8) >= 0.9;
    }
    assert_true(abs(falling - 400) < 5 * 19); /* five deviations of sqrt(4000 0.1 0.9) */
}

static void end_epoch(rig *r, double loss)
{
    r->run.progress.step += RIG_EPOCH;
    r->run.progress.scored = true;
    r->run.progress.last_loss = loss;
    assert_int_equal(espl__moment(&r->run, ESPL_EPOCH_END), ESPL_OK);
}

static double rate_now(rig *r)
{
    return rig_rate(r, r->run.progress.step);
}

static void test_falls_when_the_loss_does_not(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "schedule-plateau", "window: 4, factor: 0.5, cooldown: 2, lowest: 0.03"), ESPL_OK);
    for (int i = 0; i < 6; i++)
        end_epoch(&r, 6 - i);
    rig_close_to(rate_now(&r), 0.1);
    end_epoch(&r, 1.3); /* 3 2 1 1.3: still falling? t = 3.27 at 2 degrees, 0.96 sure */
    rig_close_to(rate_now(&r), 0.1);
    end_epoch(&r, 1.1); /* 2 1 1.3 1.1 is not */
    rig_close_to(rate_now(&r), 0.05);
    for (int i = 0; i < 5; i++) { /* two to cool down, then a whole window is seen */
        end_epoch(&r, 1);
        rig_close_to(rate_now(&r), 0.05);
    }
    end_epoch(&r, 1);
    rig_close_to(rate_now(&r), 0.03);
    for (int i = 0; i < 30; i++)
        end_epoch(&r, 1);
    rig_close_to(rate_now(&r), 0.03);
    rig_close(&r);
}

static void test_patience(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "schedule-plateau", "window: 3, factor: 0.5, patience: 3"), ESPL_OK);
    for (int i = 0; i < 4; i++)
        end_epoch(&r, 1);
    rig_close_to(rate_now(&r), 0.1);
    end_epoch(&r, 1);
    rig_close_to(rate_now(&r), 0.05);
    rig_close(&r);
}

static void test_epochs_that_are_not_scored_do_not_count(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "schedule-plateau", "window: 3, factor: 0.5"), ESPL_OK);
    for (int i = 0; i < 20; i++) {
        r.run.progress.step += RIG_EPOCH;
        assert_int_equal(espl__moment(&r.run, ESPL_EPOCH_END), ESPL_OK);
    }
    rig_close_to(rate_now(&r), 0.1);
    rig_close(&r);
}

static void test_means_of_the_training_loss(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r);
    assert_int_equal(rig_begin(&r, "schedule-plateau", "watch: training, every: 10st, window: 4, factor: 0.5"),
                     ESPL_OK);
    for (int64_t i = 0; i < 80; i++) {
        /* means of 10 fall to step 50 and stay; the noise has a mean of 0 over 10 */
        r.run.fit.step_loss = (i < 50 ? 5 - (double)(i / 10) : 1) + (i % 2 ? 0.4 : -0.4);
        r.run.progress.step++;
        assert_int_equal(espl__moment(&r.run, ESPL_STEP_END), ESPL_OK);
        if (i == 68)
            rig_close_to(rate_now(&r), 0.1);
    }
    rig_close_to(rate_now(&r), 0.05);
    rig_close(&r);
}

#define RECIPE                                                                                              \
    TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-plateau: {watch: training, every: 1st, window: 3, " \
                             "confidence: 0.99, cooldown: 1, factor: 0.7}\n")

static void test_resumes(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });
    const char *const never[] = { "techniques.schedule-plateau.lowest=0.05", NULL };

    assert_true(hash != tiny_hash(t, &(tiny_job){ .out = "flat", .set = never })); /* it did fall */
    for (int64_t stop = 1; stop < 21; stop += 2) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop }).status, ESPL_INTERRUPTED);
        assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true }) == hash);
    }
}

static void test_bad_options_are_refused(void **unused)
{
    (void)unused;
    rig_refuses("schedule-plateau", "window: 2", "window");
    rig_refuses("schedule-plateau", "window: 65", "window");
    rig_refuses("schedule-plateau", "confidence: 1", "confidence");
    rig_refuses("schedule-plateau", "confidence: 0.4", "confidence");
    rig_refuses("schedule-plateau", "factor: 1", "factor");
    rig_refuses("schedule-plateau", "factor: 0", "factor");
    rig_refuses("schedule-plateau", "patience: 0", "patience");
    rig_refuses("schedule-plateau", "cooldown: -1", "cooldown");
    rig_refuses("schedule-plateau", "every: 0.1st", "every: is shorter than one step");
    rig_refuses("schedule-plateau", "lowest: 0.2", "above the optimizer's rate");
    rig_refuses("schedule-plateau", "warm-up: -1ep", "warm");
    rig_refuses("schedule-plateau", "warm-up: 1run", "warm-up: lasts 1000 steps");
    rig_refuses("schedule-plateau", "warm-up: 5", "warm");
    rig_refuses("schedule-plateau", "warm-up-from: 1.5", "warm");
    rig_refuses("schedule-plateau", "wram-up: 1ep", "warm-up");
}

/* A damaged checkpoint: what is kept is checked before it is used as an index. */
static void test_impossible_state_is_refused(void **unused)
{
    const int64_t impossible[] = { -1, 5, INT64_MAX };

    (void)unused;
    for (int i = 0; i < ESPL__COUNT(impossible); i++) {
        rig r;
        rig_open(&r);
        assert_int_equal(rig_begin(&r, "schedule-plateau", "window: 4"), ESPL_OK);
        const espl_field *field = r.run.members[0].technique->kept;
        while (!espl__text_equal(field->name, "count"))
            field++;
        memcpy((char *)r.run.members[0].self + field->offset, &impossible[i], sizeof *impossible);
        assert_int_equal(espl__moment(&r.run, ESPL_RUN_BEGIN), ESPL_BAD_FILE);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student),
        cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_noise_alone_is_seldom_progress),
        cmocka_unit_test(test_falls_when_the_loss_does_not),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_epochs_that_are_not_scored_do_not_count),
        cmocka_unit_test(test_means_of_the_training_loss),
        TINY_TEST_OF(test_resumes),
        cmocka_unit_test(test_bad_options_are_refused),
        cmocka_unit_test(test_impossible_state_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
