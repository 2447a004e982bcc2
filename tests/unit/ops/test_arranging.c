/* The ops that move values about: slice, pad, concat, flatten, reshape, transpose, resize; and add,
 * mul and bias, which put them together. */
#include "op_run.h"
#include "ops/arrange.h"
#include "ops/box.h"

#define THREE(a, b, c)            \
    {                             \
        .count = 3, .item = { a,  \
                              b,  \
                              c } \
    }

/* 0, 1, 2 ... in logical order. */
static void count_up(op_run *r, int input)
{
    for (int64_t i = 0; i < r->node.batch * espl__shape_size(r->node.shape.input[input]); i++)
        r->node.input[input][i] = (float)i;
}

/* The shortcut of option A: every other pixel, and zero channels in front and behind. */
static void test_shortcut(void **state)
{
    const espl__slice slice = { .step = THREE(1, 2, 2) };
    const espl__pad pad = { .before = { .count = 1, .item = { 1 } },
                            .after = { .count = 1, .item = { 2 } } };
    op_run r;

    (void)state;
    op_open_one(&r, "slice", &slice, espl__shape_planes(1, 3, 4), 1);
    count_up(&r, 0);
    op_fill(r.node.grad_output, 1, 4);
    op_go(&r, true);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(1, 2, 2)));
    op_expect("slice", r.result.output, (const double[]){ 0, 2, 8, 10 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0 },
              12, 0);
    op_free(&r);
    op_open_one(&r, "pad", &pad, espl__shape_planes(1, 1, 2), 1);
    op_set(r.node.input[0], (const double[]){ 5, 6 }, 2);
    op_set(r.node.grad_output, (const double[]){ 1, 2, 3, 4, 5, 6, 7, 8 }, 8);
    op_go(&r, true);
    op_expect("pad", r.result.output, (const double[]){ 0, 0, 5, 6, 0, 0, 0, 0 }, 8, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 3, 4 }, 2, 0);
    op_free(&r);
}

/* Negative ends count from behind; what a list leaves out is whole. */
static void test_slice_from_behind(void **state)
{
    const espl__slice a = { .begin = THREE(-1, 1, 0), .end = THREE(0, 3, -2) };
    op_run r;

    (void)state;
    op_open_one(&r, "slice", &a, espl__shape_planes(2, 4, 3), 1);
    count_up(&r, 0);
    op_go(&r, false);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(1, 2, 1)));
    op_expect("y", r.result.output, (const double[]){ 15, 18 }, 2, 0);
    op_free(&r);
}

static void test_pad_value(void **state)
{
    const espl__pad a = { .before = THREE(0, 1, 0), .after = THREE(0, 0, 1), .value = -2.5 };
    op_run r;

    (void)state;
    op_open_one(&r, "pad", &a, espl__shape_planes(1, 1, 2), 1);
    count_up(&r, 0);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ -2.5, -2.5, -2.5, 0, 1, -2.5 }, 6, 0);
    op_free(&r);
}

static void test_concat(void **state)
{
    const espl__shape inputs[] = { espl__shape_planes(1, 1, 2), espl__shape_planes(2, 1, 2) };
    op_run r;

    (void)state;
    op_open(&r, "concat", NULL, inputs, 2, 2);
    op_set(r.node.input[0], (const double[]){ 1, 2, 3, 4 }, 4);
    op_set(r.node.input[1], (const double[]){ 11, 12, 13, 14, 15, 16, 17, 18 }, 8);
    op_set(r.node.grad_output, (const double[]){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }, 12);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 1, 2, 11, 12, 13, 14, 3, 4, 15, 16, 17, 18 },
              12, 0);
    op_expect("the first", r.result.grad_input[0], (const double[]){ 0, 1, 6, 7 }, 4, 0);
    op_expect("the second", r.result.grad_input[1], (const double[]){ 2, 3, 4, 5, 8, 9, 10, 11 }, 8,
              0);
    op_free(&r);
}

/* Features come in (channels, height, width) order from every layout. */
static void test_flatten(void **state)
{
    const int64_t blocks[] = { 1, 8, 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "flatten", NULL, espl__shape_planes(16, 2, 3), 2);
    count_up(&r, 0);
    for (int b = 0; b < 3; b++) {
        one_set_blocks(&r.node, blocks[b], 1);
        op_go(&r, false);
        for (int i = 0; i < 2 * 96; i++)
            assert_true(r.result.output[i] == (float)i);
    }
    op_free(&r);
}

static void test_transpose(void **state)
{
    const espl__transpose a = { .order = THREE(2, 0, 1) };
    op_run r;

    (void)state;
    op_open_one(&r, "transpose", &a, espl__shape_planes(2, 1, 3), 1);
    count_up(&r, 0);
    op_go(&r, false);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(3, 2, 1)));
    op_expect("y", r.result.output, (const double[]){ 0, 3, 1, 4, 2, 5 }, 6, 0);
    op_free(&r);
}

static void test_reshape(void **state)
{
    const espl__reshape a = { .shape = { .count = 2, .item = { -1, 4 } } };
    op_run r;

    (void)state;
    op_open_one(&r, "reshape", &a, espl__shape_planes(2, 2, 3), 1);
    assert_int_equal(r.node.shape.output.rank, 2);
    assert_int_equal(r.node.shape.output.dim[0], 3);
    op_free(&r);
}

/* One row of n values resized to m. */
static void check_row(int mode, int place, const double *x, int n, int m, const double *expected)
{
    const espl__resizing a = { .size = { .count = 2, .item = { 1, m } },
                               .mode = mode,
                               .place = place };
    op_run r;

    op_open_one(&r, "resize", &a, espl__shape_planes(1, 1, n), 1);
    op_set(r.node.input[0], x, n);
    op_go(&r, false);
    op_expect("y", r.result.output, expected, m, 1e-6);
    op_free(&r);
}

static void test_resize(void **state)
{
    const double x[] = { 0, 10, 20, 30 };

    (void)state;
    check_row(ESPL__NEAREST, ESPL__HALF_PIXEL, x, 2, 4, (const double[]){ 0, 0, 10, 10 });
    check_row(ESPL__NEAREST, ESPL__HALF_PIXEL, x, 4, 3, (const double[]){ 0, 20, 30 });
    check_row(ESPL__NEAREST, ESPL__ASYMMETRIC, x, 4, 3, (const double[]){ 0, 10, 20 });
    check_row(ESPL__NEAREST, ESPL__ALIGN_CORNERS, x, 4, 2, (const double[]){ 0, 30 });
    check_row(ESPL__BILINEAR, ESPL__HALF_PIXEL, x, 2, 4, (const double[]){ 0, 2.5, 7.5, 10 });
    check_row(ESPL__BILINEAR, ESPL__ALIGN_CORNERS, x, 3, 5, (const double[]){ 0, 5, 10, 15, 20 });
    check_row(ESPL__BILINEAR, ESPL__ASYMMETRIC, x, 2, 4, (const double[]){ 0, 5, 10, 10 });
}

/* Both directions at once: the middle of four corners. */
static void test_resize_planes(void **state)
{
    const espl__resizing a = { .size = { .count = 1, .item = { 3 } },
                               .mode = ESPL__BILINEAR,
                               .place = ESPL__ALIGN_CORNERS };
    op_run r;

    (void)state;
    op_open_one(&r, "resize", &a, espl__shape_planes(1, 2, 2), 1);
    op_set(r.node.input[0], (const double[]){ 0, 4, 8, 16 }, 4);
    op_fill(r.node.grad_output, 1, 9);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 0, 2, 4, 4, 7, 10, 8, 12, 16 }, 9, 1e-6);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 2.25, 2.25, 2.25, 2.25 }, 4, 1e-6);
    op_free(&r);
}

static void test_add(void **state)
{
    const espl__shape inputs[] = { espl__shape_vector(2), espl__shape_vector(2),
                                   espl__shape_vector(2) };
    op_run r;

    (void)state;
    op_open(&r, "add", NULL, inputs, 3, 1);
    for (int i = 0; i < 3; i++)
        op_set(r.node.input[i], (const double[]){ i, 10 * i }, 2);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 3, 30 }, 2, 0);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(r.result.grad_input[i], r.node.grad_output, 2 * sizeof(float));
    op_free(&r);
}

/* A number for each channel: its gradient sums over the plane. */
static void test_mul(void **state)
{
    const espl__shape inputs[] = { espl__shape_planes(2, 1, 2), espl__shape_vector(2) };
    op_run r;

    (void)state;
    op_open(&r, "mul", NULL, inputs, 2, 1);
    op_set(r.node.input[0], (const double[]){ 1, 2, 3, 4 }, 4);
    op_set(r.node.input[1], (const double[]){ 10, -1 }, 2);
    op_set(r.node.grad_output, (const double[]){ 1, 1, 2, 3 }, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 10, 20, -3, -4 }, 4, 0);
    op_expect("da", r.result.grad_input[0], (const double[]){ 10, 10, -2, -3 }, 4, 0);
    op_expect("db", r.result.grad_input[1], (const double[]){ 3, 18 }, 2, 0);
    op_free(&r);
}

static void test_bias(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "bias", NULL, espl__shape_planes(2, 1, 2), 1);
    assert_int_equal(r.node.shape.parameter[0].kind, ESPL_BIAS);
    op_set(r.node.input[0], (const double[]){ 1, 2, 3, 4 }, 4);
    op_set(r.node.parameter[0], (const double[]){ 10, 20 }, 2);
    op_set(r.node.grad_output, (const double[]){ 1, 1, 2, 3 }, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 11, 12, 23, 24 }, 4, 0);
    op_expect("db", r.result.grad_parameter[0], (const double[]){ 2, 5 }, 2, 0);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortcut),
        cmocka_unit_test(test_slice_from_behind),
        cmocka_unit_test(test_pad_value),
        cmocka_unit_test(test_concat),
        cmocka_unit_test(test_flatten),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_reshape),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_resize_planes),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_mul),
        cmocka_unit_test(test_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
