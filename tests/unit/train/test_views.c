/* Test-time augmentation: what the views are, that one view is the plain answer, and that several give the mean
 * of their probabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "train/views.h"
#include "unit/train/tiny_run.h"

static void test_views_are_mirrored_and_moved(void **unused)
{
    float sample[8 * 8], seen[8 * 8];

    (void)unused;
    for (int i = 0; i < 64; i++)
        sample[i] = (float)i;
    espl__view_make(sample, 1, 8, 8, 0, seen);
    assert_memory_equal(seen, sample, sizeof seen);
    espl__view_make(sample, 1, 8, 8, 1, seen);
    assert_true(seen[0] == 7 && seen[7] == 0 && seen[8] == 15);
    espl__view_make(sample, 1, 8, 8, 2, seen); /* an eighth of 8 is one pixel; the edge comes twice */
    assert_true(seen[0] == 1 && seen[6] == 7 && seen[7] == 7);
    espl__view_make(sample, 1, 8, 8, 5, seen);
    assert_true(seen[7] == 0 && seen[6] == 0 && seen[5] == 1);
    espl__view_make(sample, 1, 8, 8, 6, seen);
    assert_true(seen[0] == 8 && seen[63] == 63 && seen[55] == 63);
}

static espl_net *open_net(espl_context *ctx, const tiny *t, const char *name)
{
    char path[160];
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (espl_net_open(ctx, path, NULL, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

static void fill(float *samples)
{
    for (int64_t i = 0; i < 5; i++)
        for (int64_t p = 0; p < 64; p++)
            samples[i * 64 + p] = (float)tiny_pixel(i, p / 8, p % 8) / 100;
}

static void test_predicts_the_mean(void **state)
{
    espl_context *ctx = NULL;
    float samples[5 * 64], views[64], one[5 * 3], mirrored[3], both[5 * 3];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *net = open_net(ctx, *state, "tiny.yaml");
    fill(samples);
    assert_int_equal(espl_predict(net, samples, 5, one), ESPL_OK);
    assert_int_equal(espl_net_set_views(net, 3), ESPL_BAD_OPTION);
    assert_int_equal(espl_net_set_views(net, 2), ESPL_OK);
    assert_int_equal(espl_predict(net, samples, 5, both), ESPL_OK);
    assert_int_equal(espl_net_set_views(net, 1), ESPL_OK);
    for (int i = 0; i < 5; i++) {
        espl__view_make(samples + i * 64, 1, 8, 8, 1, views);
        assert_int_equal(espl_predict(net, views, 1, mirrored), ESPL_OK);
        for (int c = 0; c < 3; c++)
            assert_float_equal(both[i * 3 + c], (one[i * 3 + c] + mirrored[c]) / 2, 1e-5);
    }
    espl_net_free(net);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static void test_scores_the_mean(void **state)
{
    const tiny *t = *state;
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_score plain, again, ten;
    char path[160];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *net = open_net(ctx, t, "tiny.yaml");
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 4, &plain), ESPL_OK);
    assert_int_equal(espl_net_set_views(net, 10), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 4, &ten), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 15, &again), ESPL_OK);
    assert_true(ten.loss == again.loss && ten.top1 == again.top1); /* however it is cut in batches */
    assert_true(ten.loss > 0 && ten.loss != plain.loss);
    espl_score_free(&plain);
    espl_score_free(&again);
    espl_score_free(&ten);
    espl_data_free(data);
    espl_net_free(net);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_are_mirrored_and_moved),
        TINY_TEST_OF(test_predicts_the_mean),
        TINY_TEST_OF(test_scores_the_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
