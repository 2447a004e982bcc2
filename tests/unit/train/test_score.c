/* Scoring and predicting: counts by hand, and the same answers by every way to ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

static void test_ranks(void **unused)
{
    const float values[] = { 1, 5, 3, 5, 0 }, sick[] = { 1, NAN, 3 };

    (void)unused;
    assert_int_equal(espl__answer(values, 5), 1); /* the first of equals */
    assert_int_equal(espl__rank(values, 5, 1), 0);
    assert_int_equal(espl__rank(values, 5, 3), 1);
    assert_int_equal(espl__rank(values, 5, 2), 2);
    assert_int_equal(espl__rank(values, 5, 4), 4);
    assert_int_equal(espl__answer(sick, 3), -1);
    assert_int_equal(espl__rank(sick, 3, 2), 3);
}

static void test_sums(void **unused)
{
    const float a[] = { 9, 8, 7, 6, 5, 4 }, one[] = { 0.5f }, sick[] = { NAN, 0, 0, 0, 0, 0 };
    espl__sums sums = { 0 };

    (void)unused;
    assert_true(espl__sums_loss(&sums) == 0 && espl__sums_top1(&sums) == 0);
    espl__sums_add(&sums, a, 6, 0, 2, 2); /* weight 2, loss 1 */
    espl__sums_add(&sums, a, 6, 4, 0.5, 0.5);
    espl__sums_add(&sums, a, 6, 5, 4, 1);
    espl__sums_add(&sums, sick, 6, 1, 0.5, 0.5);
    assert_int_equal(sums.samples, 4);
    assert_int_equal(sums.top1, 1);
    assert_int_equal(sums.top5, 2);
    assert_true(espl__sums_loss(&sums) == 7.0 / 4);
    assert_true(espl__sums_top1(&sums) == 0.25);
    sums = (espl__sums){ 0 };
    espl__sums_add(&sums, one, 1, 1, 0, 1); /* one logit above zero says class 1 */
    espl__sums_add(&sums, one, 1, 0, 0, 1);
    assert_int_equal(sums.top1, 1);
}

typedef struct trained {
    espl_context *ctx;
    espl_net *net;
    espl_data *data;
    espl_result result;
} trained;

static trained train(tiny *t)
{
    trained r = { 0 };
    char path[200];
    const tiny_outcome o = tiny_do(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "") });

    assert_int_equal(o.status, ESPL_OK);
    r.result = o.result;
    assert_int_equal(espl_context_open(NULL, &r.ctx), ESPL_OK);
    if (espl_net_load(r.ctx, o.result.net_path, &r.net))
        fail_msg("%s", espl_message(r.ctx));
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(r.ctx, path, NULL, &r.data), ESPL_OK);
    return r;
}

static void drop(trained *r)
{
    espl_net_free(r->net);
    espl_data_free(r->data);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
}

/* The saved net scores what the run said, to the last bit, at any batch. */
static void test_scores_what_the_run_said(void **state)
{
    trained r = train(*state);
    const int64_t batches[] = { 0, 2, 4, 7, 15, 100 };

    for (int i = 0; i < ESPL__COUNT(batches); i++) {
        espl_score score;
        assert_int_equal(espl_score_net(r.net, r.data, ESPL_HELD_OUT, batches[i], &score), ESPL_OK);
        assert_int_equal(score.examples, TINY_TEST);
        assert_true(score.top1 == r.result.top1);
        assert_true(score.top5 == 1);
        assert_true(score.loss == r.result.loss);
        espl_score_free(&score);
    }
    drop(&r);
}

static void test_class_by_class(void **state)
{
    trained r = train(*state);
    espl_score score;
    double right = 0;

    assert_int_equal(espl_score_net(r.net, r.data, ESPL_TRAIN, 0, &score), ESPL_OK);
    assert_int_equal(score.class_count, 3);
    assert_int_equal(score.classes[0].count, 17); /* 50 samples, class is index mod 3 */
    assert_int_equal(score.classes[1].count, 17);
    assert_int_equal(score.classes[2].count, 16);
    for (int c = 0; c < 3; c++) {
        assert_true(score.classes[c].precision >= 0 && score.classes[c].precision <= 1);
        right += score.classes[c].recall * (double)score.classes[c].count;
    }
    assert_true(fabs(right / 50 - score.top1) < 1e-12);
    espl_score_free(&score);
    espl_score_free(&score); /* twice does no harm */
    drop(&r);
}

/* Predicted one after the other or together, the right ones are as many as scoring counted. */
static void test_predicts_what_it_scores(void **state)
{
    trained r = train(*state);
    float samples[TINY_TEST * 64], together[TINY_TEST * 3], alone[3];
    int right = 0;

    for (int i = 0; i < TINY_TEST; i++)
        for (int p = 0; p < 64; p++)
            samples[i * 64 + p] = tiny_pixel(1000 + i, p / 8, p % 8);
    assert_int_equal(espl_predict(r.net, samples, TINY_TEST, together), ESPL_OK);
    for (int i = 0; i < TINY_TEST; i++) {
        const float *p = together + 3 * i;
        assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-5f);
        right += espl__answer(p, 3) == (1000 + i) % 3;
        assert_int_equal(espl_predict(r.net, samples + 64 * i, 1, alone), ESPL_OK);
        for (int c = 0; c < 3; c++)
            assert_true(fabsf(alone[c] - p[c]) < 1e-5f);
    }
    assert_int_equal(right, (int)(r.result.top1 * TINY_TEST + 0.5));
    drop(&r);
}

static void test_wrong_uses_are_refused(void **state)
{
    trained r = train(*state);
    float probabilities[3];
    espl_score score;

    assert_int_equal(espl_predict(r.net, probabilities, 0, probabilities), ESPL_BAD_OPTION);
    assert_int_equal(espl_predict_file(r.net, "/nowhere.png", probabilities), ESPL_NO_FILE);
    assert_non_null(strstr(espl_message(r.ctx), "/nowhere.png"));
    assert_int_equal(espl_score_net(r.net, r.data, ESPL_TRAIN, -1, &score), ESPL_BAD_OPTION);
    assert_null(score.classes);
    drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_sums),
        TINY_TEST_OF(test_scores_what_the_run_said),
        TINY_TEST_OF(test_class_by_class),
        TINY_TEST_OF(test_predicts_what_it_scores),
        TINY_TEST_OF(test_wrong_uses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
