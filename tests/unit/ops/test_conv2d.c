/* conv2d and dense on numbers small enough to be worked out by hand, what they declare, and the
 * batch norm folded into a convolution. */
#include "op_run.h"
#include "ops/conv2d.h"
#include "ops/dense.h"

#define PAIR(a, b)                \
    {                             \
        .count = 2, .item = { a,  \
                              b } \
    }
#define ALL(a)                    \
    {                             \
        .count = 1, .item = { a } \
    }

/* x = 1..9 as 3x3, w = [1 2; 3 4]: each output is 1a + 2b + 3c + 4d of its window. */
static void test_by_hand(void **state)
{
    const espl__conv2d a = { .channels = 1, .groups = 1, .kernel = ALL(2), .bias = true };
    const double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, w[] = { 1, 2, 3, 4 }, b[] = { 0.5 };
    const double dy[] = { 1, 0, 0, 2 };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(1, 3, 3), 1);
    op_set(r.node.input[0], x, 9);
    op_set(r.node.parameter[0], w, 4);
    op_set(r.node.parameter[1], b, 1);
    op_set(r.node.grad_output, dy, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 37.5, 47.5, 67.5, 77.5 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 1, 2, 0, 3, 6, 4, 0, 6, 8 }, 9, 0);
    op_expect("dw", r.result.grad_parameter[0], (const double[]){ 11, 14, 20, 23 }, 4, 0);
    op_expect("db", r.result.grad_parameter[1], (const double[]){ 3 }, 1, 0);
    op_free(&r);
}

/* Padding on the right and below only, stride 2: the window at the corner sees one value. */
static void test_asymmetric_padding(void **state)
{
    const espl__conv2d a = { .channels = 1,
                             .groups = 1,
                             .kernel = ALL(2),
                             .stride = ALL(2),
                             .pad = { .count = 4, .item = { 0, 0, 1, 1 } } };
    const double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, w[] = { 1, 10, 100, 1000 };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(1, 3, 3), 1);
    op_set(r.node.input[0], x, 9);
    op_set(r.node.parameter[0], w, 4);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 5421, 603, 87, 9 }, 4, 0);
    op_free(&r);
}

/* The kernel of 3 with dilation 2 takes every other value of five. */
static void test_dilation(void **state)
{
    const espl__conv2d a = {
        .channels = 1, .groups = 1, .kernel = PAIR(1, 3), .dilation = PAIR(1, 2)
    };
    const double x[] = { 1, 2, 3, 4, 5, 6 }, w[] = { 1, 10, 100 };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(1, 1, 6), 1);
    op_set(r.node.input[0], x, 6);
    op_set(r.node.parameter[0], w, 3);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 531, 642 }, 2, 0);
    op_free(&r);
}

/* Two groups: the first two outputs see the first two inputs only. */
static void test_groups(void **state)
{
    const espl__conv2d a = { .channels = 4, .groups = 2, .kernel = ALL(1) };
    const double x[] = { 1, 2, 3, 4 }, w[] = { 1, 10, 2, 20, 1, 10, 2, 20 };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(4, 1, 1), 1);
    op_set(r.node.input[0], x, 4);
    op_set(r.node.parameter[0], w, 8);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 21, 42, 43, 86 }, 4, 0);
    op_free(&r);
}

/* Depthwise with two outputs a channel is the same as two groups written out. */
static void test_depthwise(void **state)
{
    const espl__conv2d a = { .channels = 4, .groups = 0, .kernel = ALL(1) };
    const double x[] = { 3, 5 }, w[] = { 1, 2, 3, 4 };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(2, 1, 1), 1);
    assert_int_equal(r.node.shape.parameter[0].shape.dim[1], 1);
    op_set(r.node.input[0], x, 2);
    op_set(r.node.parameter[0], w, 4);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 3, 6, 15, 20 }, 4, 0);
    op_free(&r);
}

/* Conv 3x3, 16 -> 32 channels: fan 144 and 288; 32 * 16 * 9 multiplications for each of 4 * 4
 * pixels. */
static void test_declares(void **state)
{
    const espl__conv2d a = {
        .channels = 32, .groups = 1, .kernel = ALL(3), .pad = ALL(1), .stride = ALL(2), .bias = true
    };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(16, 8, 8), 1);
    const espl__shape_call *call = &r.node.shape;
    assert_true(espl__shape_equal(call->output, espl__shape_planes(32, 4, 4)));
    assert_int_equal(call->parameter_count, 2);
    assert_string_equal(call->parameter[0].name, "weight");
    assert_int_equal(call->parameter[0].kind, ESPL_WEIGHT);
    assert_int_equal(call->parameter[0].fill, ESPL__FILL_HE);
    assert_int_equal(call->parameter[0].fan_in, 144);
    assert_int_equal(call->parameter[0].fan_out, 288);
    assert_int_equal(call->parameter[1].kind, ESPL_BIAS);
    assert_int_equal(call->parameter[1].fill, ESPL__FILL_ZERO);
    assert_int_equal(call->macs, 32 * 16 * 9 * 16);
    op_free(&r);
}

/* scale 2, shift 0.5, mean 1, variance 4, w 3, epsilon 1e-5: w' = 2.999996, b' = -0.499999. */
static void test_folded(void **state)
{
    const espl__conv2d a = {
        .channels = 1, .groups = 1, .kernel = ALL(1), .folded = true, .epsilon = 1e-5
    };
    const espl__shape inputs[] = { { 3, { 1, 1, 3 } }, { 3, { 1, 1, 3 } } };
    const double x[] = { 0, 1, -2 }, residual[] = { 0, 0, 10 }, value[] = { 3, 2, 0.5, 1, 4 };
    const double w = 2.999996, b = -0.499999;
    op_run r;

    (void)state;
    op_open(&r, "conv2d", &a, inputs, 2, 1);
    r.node.at.training = false;
    op_set(r.node.input[0], x, 3);
    op_set(r.node.input[1], residual, 3);
    assert_int_equal(r.node.shape.parameter_count, 5);
    for (int p = 0; p < 5; p++)
        op_set(r.node.parameter[p], &value[p], 1);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ b, w + b, -2 * w + b + 10 }, 3, 2e-6);
    op_free(&r);
}

/* What is fused for inference has no gradient: no kernel may claim to have one. */
static void test_fused_has_no_gradient(void **state)
{
    const espl__conv2d a = {
        .channels = 1, .groups = 1, .kernel = ALL(1), .activation = ESPL__RELU
    };
    op_run r;

    (void)state;
    op_open_one(&r, "conv2d", &a, espl__shape_planes(1, 2, 2), 1);
    assert_null(one_reference(&r.node, ESPL__BACKWARD_INPUTS));
    assert_null(one_reference(&r.node, ESPL__BACKWARD_PARAMETERS));
    op_free(&r);
}

static void test_dense(void **state)
{
    const espl__dense a = { .units = 2, .bias = true };
    const double x[] = { 1, 2, 3, 0, 1, 0 }, w[] = { 1, 2, 3, -1, 0, 1 }, b[] = { 10, 20 };
    const double dy[] = { 1, 2, 3, 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "dense", &a, espl__shape_vector(3), 2);
    assert_int_equal(r.node.shape.macs, 6);
    assert_int_equal(r.node.shape.parameter[0].fan_in, 3);
    assert_int_equal(r.node.shape.parameter[0].fan_out, 2);
    op_set(r.node.input[0], x, 6);
    op_set(r.node.parameter[0], w, 6);
    op_set(r.node.parameter[1], b, 2);
    op_set(r.node.grad_output, dy, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 24, 22, 12, 20 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ -1, 2, 5, 3, 6, 9 }, 6, 0);
    op_expect("dw", r.result.grad_parameter[0], (const double[]){ 1, 5, 3, 2, 4, 6 }, 6, 0);
    op_expect("db", r.result.grad_parameter[1], (const double[]){ 4, 2 }, 2, 0);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_asymmetric_padding),
        cmocka_unit_test(test_dilation),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_declares),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_fused_has_no_gradient),
        cmocka_unit_test(test_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
