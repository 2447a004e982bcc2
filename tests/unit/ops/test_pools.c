/* Pooling: windows, padding, the last partly filled window, and where gradients go. */
#include "op_run.h"
#include "ops/pool.h"

#define ALL(a)                    \
    {                             \
        .count = 1, .item = { a } \
    }

static const double grid[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void open_grid(op_run *r, const char *op, const espl__pool *a)
{
    op_open_one(r, op, a, espl__shape_planes(1, 3, 3), 1);
    op_set(r->node.input[0], grid, 9);
}

/* The centre is the largest of no window but the first; the corner takes two of them. */
static void test_max(void **state)
{
    const espl__pool a = { .kernel = ALL(2), .stride = ALL(1) };
    op_run r;

    (void)state;
    open_grid(&r, "max_pool", &a);
    r.node.input[0][8] = 0;
    op_set(r.node.grad_output, (const double[]){ 1, 2, 4, 8 }, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 5, 6, 8, 8 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 0, 0, 0, 0, 1, 2, 0, 12, 0 }, 9, 0);
    op_free(&r);
}

/* Padding never wins, also where everything is negative; of equal values the first one does. */
static void test_max_padding_and_ties(void **state)
{
    const espl__pool a = { .kernel = ALL(2), .pad = ALL(1) };
    op_run r;

    (void)state;
    open_grid(&r, "max_pool", &a);
    op_fill(r.node.input[0], -5, 9);
    op_set(r.node.grad_output, (const double[]){ 1, 2, 4, 8 }, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ -5, -5, -5, -5 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 1, 2, 0, 4, 8, 0, 0, 0, 0 }, 9, 0);
    op_free(&r);
}

/* 3 values by windows of 2, stride 2: one window rounded down, two rounded up; the stride left out
 * is the kernel. */
static void test_ceil(void **state)
{
    const espl__pool down = { .kernel = ALL(2) }, up = { .kernel = ALL(2), .ceil = true };
    op_run r;

    (void)state;
    open_grid(&r, "max_pool", &down);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(1, 1, 1)));
    op_free(&r);
    open_grid(&r, "max_pool", &up);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(1, 2, 2)));
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 5, 6, 8, 9 }, 4, 0);
    op_free(&r);
    open_grid(&r, "avg_pool", &up);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 3, 4.5, 7.5, 9 }, 4, 0);
    op_free(&r);
}

/* Three rows in a frame of padding, windows of 2: a third window would begin behind the input. */
static void test_ceil_stops(void **state)
{
    const espl__pool a = { .kernel = ALL(2), .stride = ALL(2), .pad = ALL(1), .ceil = true };
    op_run r;

    (void)state;
    op_open_one(&r, "max_pool", &a, espl__shape_planes(1, 3, 4), 1);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_planes(1, 2, 3)));
    op_free(&r);
}

/* With a frame of padding each window of 2, stride 2, at a corner holds one, two or four values. */
static void test_average_padding(void **state)
{
    const espl__pool without = { .kernel = ALL(2), .pad = ALL(1) };
    const espl__pool with = { .kernel = ALL(2), .pad = ALL(1), .count_padding = true };
    op_run r;

    (void)state;
    open_grid(&r, "avg_pool", &without);
    op_fill(r.node.grad_output, 4, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 1, 2.5, 5.5, 7 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 4, 2, 2, 2, 1, 1, 2, 1, 1 }, 9, 0);
    op_free(&r);
    open_grid(&r, "avg_pool", &with);
    op_fill(r.node.grad_output, 4, 4);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ .25, 1.25, 2.75, 7 }, 4, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 9, 0);
    op_free(&r);
}

static void test_global(void **state)
{
    const double x[] = { 1, 2, 3, 6, -4, -1, -2, -9 };
    op_run r;

    (void)state;
    op_open_one(&r, "global_avg_pool", NULL, espl__shape_planes(2, 2, 2), 1);
    assert_true(espl__shape_equal(r.node.shape.output, espl__shape_vector(2)));
    op_set(r.node.input[0], x, 8);
    op_set(r.node.grad_output, (const double[]){ 4, 8 }, 2);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 3, -4 }, 2, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 1, 1, 1, 1, 2, 2, 2, 2 }, 8, 0);
    op_free(&r);
    op_open_one(&r, "global_max_pool", NULL, espl__shape_planes(2, 2, 2), 1);
    op_set(r.node.input[0], x, 8);
    op_set(r.node.grad_output, (const double[]){ 4, 8 }, 2);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ 6, -1 }, 2, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ 0, 0, 0, 4, 0, 8, 0, 0 }, 8, 0);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_max_padding_and_ties),
        cmocka_unit_test(test_ceil),
        cmocka_unit_test(test_ceil_stops),
        cmocka_unit_test(test_average_padding),
        cmocka_unit_test(test_global),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
