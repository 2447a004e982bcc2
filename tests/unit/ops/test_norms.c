/* batch_norm, layer_norm and group_norm on two samples of four channels and two pixels whose
 * statistics are worked out apart, with the backward formula in inference and training on a single
 * channel. */
#include "op_run.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/sample_norm.h"

#define SIZE 8

static const double x[2 * SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 4, 2, 0, 2, 2, 4 };

static void open_norm(op_run *r, const char *op, const void *attributes)
{
    op_open_one(r, op, attributes, espl__shape_planes(4, 1, 2), 2);
    op_set(r->node.input[0], x, 2 * SIZE);
    op_fill(r->node.parameter[0], 1, one_parameter_size(&r->node, 0));
    op_fill(r->node.parameter[1], 0, one_parameter_size(&r->node, 1));
}

/* (x - mean) / sqrt(variance + 1e-5), statistics of value i given by `set` */
static void expect_normalized(const op_run *r, const double *mean, const double *variance,
                              int (*set)(int i))
{
    double expected[2 * SIZE];

    for (int i = 0; i < 2 * SIZE; i++)
        expected[i] = (x[i] - mean[set(i)]) / sqrt(variance[set(i)] + 1e-5);
    op_expect("y", r->result.output, expected, 2 * SIZE, 1e-6);
}

static int channel(int i)
{
    return i % SIZE / 2;
}

static int sample(int i)
{
    return i / SIZE;
}

static int half(int i)
{
    return i / 4;
}

static int sample_and_channel(int i)
{
    return i / 2;
}

static int sample_and_pixel(int i)
{
    return i / SIZE * 2 + i % 2;
}

static const double bn_mean[] = { 1.25, 3.25, 3.25, 5.25 };
static const double bn_variance[] = { .6875, .6875, 5.6875, 5.6875 };

static void open_batch_norm(op_run *r, const espl__batch_norm *a)
{
    open_norm(r, "batch_norm", a);
    op_fill(r->node.parameter[2], 0, 4);
    op_fill(r->node.parameter[3], 1, 4);
}

static void test_batch_norm(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-5, .momentum = 0.1 };
    op_run r;

    (void)state;
    open_batch_norm(&r, &a);
    op_go(&r, false);
    expect_normalized(&r, bn_mean, bn_variance, channel);
    op_expect("y[0]", r.result.output,
              (const double[]){ -.301509, .904527, -.301509, .904527, .733799, 1.153112, .733799,
                                1.153112 },
              8, 1e-6);
    op_expect("running mean", r.result.parameter[2], (const double[]){ .125, .325, .325, .525 }, 4,
              1e-7);
    op_expect("running variance", r.result.parameter[3],
              (const double[]){ .991667, .991667, 1.658333, 1.658333 }, 4, 1e-6);
    op_free(&r);
}

/* One sample a shard or both in one: the same statistics, and unbiased variance of them all. */
static void test_batch_norm_merges(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-5, .momentum = 1 };
    const espl__kernel *kernels[3];
    espl_context *ctx;
    one_node o;
    one_result r;
    const espl__shape input = espl__shape_planes(1, 1, 1);

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    one_open(&o, ctx, "batch_norm", &a, &input, 1, 2, 5, 1, 1);
    for (int n = 0; n < 9; n++)
        o.input[0][n] = (float)(1000 + n * n); /* far from zero: squares would lose what counts */
    op_fill(o.parameter[0], 1, 1);
    op_fill(o.parameter[1], 0, 1);
    one_reference_backward(&o, kernels);
    assert_true(one_run(&o, one_reference(&o, ESPL__FORWARD), kernels, &r));
    /* of n^2, n = 0..8: mean 204/9, sum of squared deviations 8772 - 204^2/9 */
    op_expect("mean", r.parameter[2], (const double[]){ 1000 + 204. / 9 }, 1, 1e-4);
    op_expect("variance", r.parameter[3], (const double[]){ (8772 - 204. * 204 / 9) / 8 }, 1, 1e-4);
    one_result_free(&r);
    one_free(&o);
    espl_context_free(ctx);
}

/* x = 1 2 4 7, scale 1.5, dy = .1 -.2 .3 .4. */
static void open_column(op_run *r, const espl__batch_norm *a)
{
    const double column[] = { 1, 2, 4, 7 }, dy[] = { .1, -.2, .3, .4 };

    op_open_one(r, "batch_norm", a, espl__shape_vector(1), 4);
    op_set(r->node.input[0], column, 4);
    op_set(r->node.grad_output, dy, 4);
    op_fill(r->node.parameter[0], 1.5, 1);
    op_fill(r->node.parameter[1], 0, 1);
    op_fill(r->node.parameter[3], 2, 1);
}

static void test_backward_of_batch(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-5, .momentum = 0.1 };
    double sum = 0, dot = 0;
    op_run r;

    (void)state;
    open_column(&r, &a);
    op_go(&r, true);
    op_expect("dx", r.result.grad_input[0],
              (const double[]){ .091963, -.154311, .073259, -.010911 }, 4, 1e-6);
    for (int i = 0; i < 4; i++) { /* nothing along a constant, nothing along xh */
        sum += r.result.grad_input[0][i];
        dot += r.result.grad_input[0][i] * r.result.output[i];
    }
    assert_true(fabs(sum) < 1e-6 && fabs(dot) < 1e-5);
    op_expect("dshift", r.result.grad_parameter[1], (const double[]){ .6 }, 1, 1e-6);
    op_free(&r);
}

static void test_backward_of_running(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-5, .momentum = 0.1 };
    op_run r;

    (void)state;
    open_column(&r, &a);
    r.node.at.training = false;
    op_go(&r, true);
    op_expect("dx", r.result.grad_input[0], (const double[]){ .106066, -.212132, .318197, .424263 },
              4, 1e-6);
    op_expect("mean", r.result.parameter[2], (const double[]){ r.node.parameter[2][0] }, 1, 0);
    op_expect("variance", r.result.parameter[3], (const double[]){ 2 }, 1, 0);
    op_free(&r);
}

/* The output does not change when x is scaled and moved. */
static void test_invariance(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-12, .momentum = 0.1 };
    double before[2 * SIZE];
    op_run r;

    (void)state;
    open_batch_norm(&r, &a);
    op_go(&r, false);
    for (int i = 0; i < 2 * SIZE; i++) {
        before[i] = r.result.output[i];
        r.node.input[0][i] = 3 * r.node.input[0][i] - 7;
    }
    op_go(&r, false);
    op_expect("y", r.result.output, before, 2 * SIZE, 1e-6);
    op_free(&r);
}

/* The residual is added before the activation, and gets the gradient behind it. */
static void test_residual(void **state)
{
    const espl__batch_norm a = { .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU6 };
    const espl__shape inputs[] = { espl__shape_vector(1), espl__shape_vector(1) };
    const double column[] = { 1, -1, 1, -1 }, residual[] = { -3, 2, 9, 1.5 }, dy[] = { 1, 2, 3, 4 };
    op_run r;

    (void)state;
    op_open(&r, "batch_norm", &a, inputs, 2, 4);
    r.node.at.training = false;
    op_set(r.node.input[0], column, 4);
    op_set(r.node.input[1], residual, 4);
    op_set(r.node.grad_output, dy, 4);
    for (int p = 0; p < 4; p++)
        op_fill(r.node.parameter[p], p == 0 || p == 3, 1);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 0, 1, 6, .5 }, 4, 1e-5);
    op_expect("the residual's gradient", r.result.grad_input[1], (const double[]){ 0, 2, 0, 4 }, 4,
              0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 0, 2, 0, 4 }, 4, 1e-4);
    op_free(&r);
}

static void test_layer_norm(void **state)
{
    const espl__layer_norm a = { .epsilon = 1e-5, .over = ESPL__OVER_SAMPLE };
    op_run r;

    (void)state;
    open_norm(&r, "layer_norm", &a);
    assert_int_equal(one_parameter_size(&r.node, 0), 8);
    op_go(&r, false);
    expect_normalized(&r, (const double[]){ 4.5, 2 }, (const double[]){ 5.25, 2 }, sample);
    op_expect("y[0]", r.result.output,
              (const double[]){ -1.527524, -1.091088, -.654653, -.218218, .218218, .654653,
                                1.091088, 1.527524 },
              8, 1e-6);
    op_free(&r);
}

static void test_layer_norm_over_channels(void **state)
{
    const espl__layer_norm a = { .epsilon = 1e-5, .over = ESPL__OVER_CHANNELS };
    op_run r;

    (void)state;
    open_norm(&r, "layer_norm", &a);
    assert_int_equal(one_parameter_size(&r.node, 0), 4);
    op_go(&r, false);
    expect_normalized(&r, (const double[]){ 4, 5, 2, 2 }, (const double[]){ 5, 5, 2, 2 },
                      sample_and_pixel);
    op_free(&r);
}

static void test_instance_norm(void **state)
{
    const espl__group_norm a = { .epsilon = 1e-5, .groups = 0 };
    op_run r;

    (void)state;
    open_norm(&r, "group_norm", &a);
    op_go(&r, false);
    expect_normalized(&r, (const double[]){ 1.5, 3.5, 5.5, 7.5, 1, 3, 1, 3 },
                      (const double[]){ .25, .25, .25, .25, 1, 1, 1, 1 }, sample_and_channel);
    op_expect("y[1]", r.result.output + 8,
              (const double[]){ .999995, -.999995, .999995, -.999995, -.999995, .999995, -.999995,
                                .999995 },
              8, 1e-6);
    op_free(&r);
}

static void test_group_norm(void **state)
{
    const espl__group_norm a = { .epsilon = 1e-5, .groups = 2 };
    op_run r;

    (void)state;
    open_norm(&r, "group_norm", &a);
    op_go(&r, false);
    expect_normalized(&r, (const double[]){ 2.5, 6.5, 2, 2 }, (const double[]){ 1.25, 1.25, 2, 2 },
                      half);
    op_expect("y[0]", r.result.output,
              (const double[]){ -1.341635, -.447212, .447212, 1.341635, -1.341635, -.447212,
                                .447212, 1.341635 },
              8, 1e-6);
    op_free(&r);
}

/* One group has the statistics of layer norm. */
static void test_one_group(void **state)
{
    const espl__group_norm a = { .epsilon = 1e-5, .groups = 1 };
    op_run r;

    (void)state;
    open_norm(&r, "group_norm", &a);
    op_go(&r, false);
    expect_normalized(&r, (const double[]){ 4.5, 2 }, (const double[]){ 5.25, 2 }, sample);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_batch_norm_merges),
        cmocka_unit_test(test_backward_of_batch),
        cmocka_unit_test(test_backward_of_running),
        cmocka_unit_test(test_invariance),
        cmocka_unit_test(test_residual),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_layer_norm_over_channels),
        cmocka_unit_test(test_instance_norm),
        cmocka_unit_test(test_group_norm),
        cmocka_unit_test(test_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
