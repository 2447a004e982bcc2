/* Answers of nets: scores, calibration, how alike two nets answer, and which of several to put together, on cases
 * worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "train/answers.h"
#include "unit/train/tiny_run.h"

#define NEAR(found, expected) assert_true(fabs((found) - (expected)) < 1e-6)

static espl__answers answers_of(float *probability, int32_t *label, int64_t samples, int classes)
{
    return (espl__answers){ .samples = samples, .classes = classes, .probability = probability, .label = label };
}

static void test_scores(void **unused)
{
    float p[] = { .7f, .2f, .1f, .5f, .5f, 0, .1f, .1f, .8f, 0, 1, 0 };
    int32_t label[] = { 0, 1, 2, 2 };
    espl__answers a = answers_of(p, label, 4, 3);
    const espl__quality q = espl__answers_score(&a);

    (void)unused;
    assert_int_equal(q.right, 2); /* of equals the lower class */
    NEAR(q.top1, .5);
    NEAR(q.nll, (-log(.7) - log(.5) - log(.8) + 149 * log(2)) / 4); /* no probability is not infinitely bad */
    /* bins of 1/15: 0.5, 0.7, 0.8 and 1 lie in four of them */
    NEAR(q.calibration_error, (.3 + .5 + .2 + 1) / 4);
}

/* Ten answers of 0.8 of which eight are right are as sure as they should be. */
static void test_calibrated(void **unused)
{
    float p[20];
    int32_t label[10];

    (void)unused;
    for (int n = 0; n < 10; n++) {
        p[2 * n] = .2f;
        p[2 * n + 1] = .8f;
        label[n] = n < 8;
    }
    espl__answers a = answers_of(p, label, 10, 2);
    NEAR(espl__answers_score(&a).calibration_error, 0);
}

static void test_compares(void **unused)
{
    float p[] = { .9f, .1f, .6f, .4f }, q[] = { .1f, .9f, .4f, .6f }, r[] = { .9f, .1f, .4f, .6f };
    int32_t label[] = { 0, 0 };
    espl__answers a = answers_of(p, label, 2, 2), b = answers_of(q, label, 2, 2), c = answers_of(r, label, 2, 2);

    (void)unused;
    NEAR(espl__answers_disagree(&a, &a), 0);
    NEAR(espl__answers_disagree(&a, &b), 1);
    NEAR(espl__answers_disagree(&a, &c), .5);
    NEAR(espl__answers_correlate(&a, &a), 1);
    NEAR(espl__answers_correlate(&a, &b), -1);
    NEAR(espl__answers_correlate(&a, &c), .15 / .17);
}

/* The best one, and one that is right where it is not; a good one that errs where the best does is no help. */
static void test_chooses(void **unused)
{
    float best[] = { .9f, .1f, .9f, .1f, .2f, .8f }, twin[] = { .8f, .2f, .8f, .2f, .1f, .9f };
    float other[] = { .5f, .5f, .5f, .5f, .9f, .1f };
    int32_t label[] = { 0, 0, 0 };
    const espl__answers members[] = { answers_of(twin, label, 3, 2), answers_of(best, label, 3, 2),
                                      answers_of(other, label, 3, 2) };
    espl_context *ctx = NULL;
    double weight[3];

    (void)unused;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl__answers_choose(ctx, members, 3, false, weight), ESPL_OK);
    NEAR(weight[0], 0);
    NEAR(weight[1], .5);
    NEAR(weight[2], .5);
    assert_int_equal(espl__answers_choose(ctx, members, 3, true, weight), ESPL_OK);
    assert_true(weight[0] == 0 && weight[1] > 0.2 && weight[2] > 0.2);
    NEAR(weight[1] + weight[2], 1);
    /* w p + (1 - w) q with the largest product over the samples: by differentiating, here w = 0.4405 */
    assert_true(fabs(weight[1] - .4405) < .05);
    espl_context_free(ctx);
}

/* What is taken from a net is what scoring it says. */
static void test_takes_from_a_net(void **state)
{
    const tiny *t = *state;
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl__answers a;
    espl_score score;
    char path[160];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/tiny.yaml", t->folder);
    assert_int_equal(espl_net_open(ctx, path, NULL, &net), ESPL_OK);
    assert_int_equal(espl_net_prepare(net, "unit"), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl__answers_take(net, data, ESPL_HELD_OUT, &a), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &score), ESPL_OK);
    assert_int_equal(a.samples, TINY_TEST);
    for (int64_t n = 0; n < a.samples; n++)
        assert_int_equal(a.label[n], (1000 + n) % TINY_CLASSES);
    const espl__quality q = espl__answers_score(&a);
    assert_true(q.top1 == score.top1 && fabs(q.nll - score.loss) < 1e-5);
    espl_score_free(&score);
    espl__answers_free(ctx, &a);
    espl_net_free(net);
    espl_data_free(data);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_calibrated),
        cmocka_unit_test(test_compares),
        cmocka_unit_test(test_chooses),
        TINY_TEST_OF(test_takes_from_a_net),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
