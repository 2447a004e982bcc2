/* Statistics estimated anew: sums that are joined rather than averaged, against the net's own values over the
 * whole data, and left alone where nothing is to be estimated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"
#include "train/statistics.h"

typedef struct rig {
    espl_context *ctx;
    espl_net *net;
    espl_data *data;
} rig;

static void rig_open(const tiny *t, const char *net, rig *r)
{
    char path[160];

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 2, .oversubscribe = true }, &r->ctx),
                     ESPL_OK);
    snprintf(path, sizeof path, "%s/%s", t->folder, net);
    assert_int_equal(espl_net_open(r->ctx, path, NULL, &r->net), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(r->ctx, path, NULL, &r->data), ESPL_OK);
}

static void rig_close(rig *r)
{
    espl_data_free(r->data);
    espl_net_free(r->net);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
}

static float *parameter(rig *r, const char *part)
{
    for (int i = 0; i < r->net->graph->parameter_count; i++)
        if (strstr(r->net->graph->parameters[i].name, part))
            return r->net->parameters[i].value;
    fail_msg("there is no %s", part);
    return NULL;
}

static void estimate(rig *r, int64_t batch)
{
    espl__statistics *s = NULL;

    assert_int_equal(espl__statistics_open(r->net, batch, false, &s), ESPL_OK);
    assert_non_null(s);
    assert_int_equal(espl__statistics_run(s, r->data, NULL, 0, (TINY_TRAIN + batch - 1) / batch), ESPL_OK);
    espl__statistics_free(s);
}

/* Batches of means 1, 3, 2 and 4, 4, 2 samples: the mean of all samples is 2. Two of variance 1 (over four
 * values each) have a pooled variance of 2. */
static void test_joins_moments(void **unused)
{
    espl__moments m = { 0 };

    (void)unused;
    m = espl__moments_join(m, (espl__moments){ 4, 1, 4 });
    m = espl__moments_join(m, (espl__moments){ 4, 3, 4 });
    assert_true(fabs(m.mean - 2) < 1e-12 && fabs(m.squares / m.count - 2) < 1e-12);
    m = espl__moments_join(m, (espl__moments){ 2, 2, 0 });
    assert_true(fabs(m.mean - 2) < 1e-12 && m.count == 10);
    m = (espl__moments){ 4, 1, 0 };
    m = espl__moments_join(m, (espl__moments){ 4, 3, 0 });
    m = espl__moments_join(m, (espl__moments){ 2, 5, 0 });
    assert_true(fabs(m.mean - 2.6) < 1e-12);
}

static void test_counts_batches(void **unused)
{
    (void)unused;
    assert_int_equal(espl__statistics_batches(391), 40);
    assert_int_equal(espl__statistics_batches(12), 4);
    assert_int_equal(espl__statistics_batches(2), 2);
}

/* A convolution that only hands its input on, with a weight of 1 or -1: its statistics are those of the data,
 * and a weight of 0, the mean of the two, has a variance of 0 and not the mean of theirs. */
static void test_is_what_the_data_give(void **state)
{
    rig r;

    rig_open(*state, "tiny.yaml", &r);
    float *weight = parameter(&r, "weight"), *mean = parameter(&r, ".mean"), *variance = parameter(&r, ".variance");
    for (int c = 0; c < 6; c++)
        for (int i = 0; i < 9; i++)
            weight[c * 9 + i] = i == 4 ? (float)(c % 3 - 1) : 0;
    double sum = 0, squares = 0, count = TINY_TRAIN * TINY_SIDE * TINY_SIDE;
    for (int64_t i = 0; i < TINY_TRAIN; i++)
        for (int64_t p = 0; p < TINY_SIDE * TINY_SIDE; p++) {
            const double value = tiny_pixel(i, p / TINY_SIDE, p % TINY_SIDE);
            sum += value;
            squares += value * value;
        }
    const double expected = sum / count, spread = (squares - sum * sum / count) / (count - 1);
    for (int64_t batch = 7; batch <= TINY_TRAIN; batch += 43) {
        estimate(&r, batch);
        for (int c = 0; c < 6; c++) {
            const double sign = c % 3 - 1;
            assert_true(fabs((double)mean[c] - sign * expected) <= 1e-5 * expected);
            assert_true(fabs((double)variance[c] - sign * sign * spread) <= 1e-4 * spread);
        }
    }
    rig_close(&r);
}

static void test_twice_is_once(void **state)
{
    rig r;

    rig_open(*state, "tiny.yaml", &r);
    const uint64_t before = espl__net_hash(r.net);
    estimate(&r, 16);
    const uint64_t once = espl__net_hash(r.net);
    estimate(&r, 16);
    assert_true(once != before && espl__net_hash(r.net) == once);
    rig_close(&r);
}

static void test_nothing_to_estimate(void **state)
{
    espl__statistics *s = NULL;
    rig r;

    rig_open(*state, "plain.yaml", &r);
    assert_int_equal(espl__statistics_open(r.net, 16, false, &s), ESPL_OK);
    assert_null(s);
    rig_close(&r);
    rig_open(*state, "tiny.yaml", &r);
    for (int i = 0; i < r.net->graph->parameter_count; i++) /* a frozen norm keeps its statistics */
        r.net->parameters[i].frozen = true;
    assert_int_equal(espl__statistics_open(r.net, 16, false, &s), ESPL_OK);
    assert_null(s);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins_moments),
        cmocka_unit_test(test_counts_batches),
        TINY_TEST_OF(test_is_what_the_data_give),
        TINY_TEST_OF(test_twice_is_once),
        TINY_TEST_OF(test_nothing_to_estimate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
