/* Activations at points whose values are known, and what is not a number staying so. */
#include "op_run.h"
#include "ops/activations.h"

typedef struct point {
    double x, y;
} point;

static const espl__leaky_relu leaky = { .slope = 0.1 };
static const espl__elu half_elu = { .alpha = 0.5 };
static const espl__gelu exact = { .form = ESPL__GELU_EXACT }, by_tanh = { .form = ESPL__GELU_TANH };
static const espl__hard_sigmoid sixth = { .slope = 1. / 6, .offset = 0.5 };
static const espl__hard_sigmoid fifth = { .slope = 0.2, .offset = 0.5 };

static const struct {
    const char *op;
    const void *attributes;
    point at[4];
} known[] = {
    { "relu", NULL, { { -2, 0 }, { 0, 0 }, { 3, 3 }, { 100, 100 } } },
    { "relu6", NULL, { { -2, 0 }, { 3, 3 }, { 6, 6 }, { 100, 6 } } },
    { "leaky_relu", &leaky, { { -2, -0.2 }, { 0, 0 }, { 3, 3 }, { -100, -10 } } },
    { "elu", &half_elu, { { -1, -0.31606028 }, { 0, 0 }, { 2, 2 }, { -100, -0.5 } } },
    { "selu", NULL, { { -1, -1.11133074 }, { 0, 0 }, { 1, 1.05070099 }, { -100, -1.75809934 } } },
    { "gelu", &exact, { { -1, -0.15865525 }, { 0, 0 }, { 1, 0.84134475 }, { 30, 30 } } },
    { "gelu", &by_tanh, { { -1, -0.15880801 }, { 0, 0 }, { 1, 0.84119199 }, { 30, 30 } } },
    { "sigmoid", NULL, { { 0, 0.5 }, { 1, 0.73105858 }, { -100, 0 }, { 100, 1 } } },
    { "hard_sigmoid", &sixth, { { -4, 0 }, { 0, 0.5 }, { 1.5, 0.75 }, { 4, 1 } } },
    { "hard_sigmoid", &fifth, { { -3, 0 }, { 0, 0.5 }, { 1.5, 0.8 }, { 4, 1 } } },
    { "tanh", NULL, { { -1, -0.76159416 }, { 0, 0 }, { 1, 0.76159416 }, { 100, 1 } } },
    { "silu", NULL, { { -1, -0.26894142 }, { 0, 0 }, { 1, 0.73105858 }, { -200, 0 } } },
    { "hard_swish", NULL, { { -4, 0 }, { -1, -1. / 3 }, { 1, 2. / 3 }, { 4, 4 } } },
};

static void test_known_values(void **state)
{
    (void)state;
    for (int k = 0; k < ESPL__COUNT(known); k++) {
        op_run r;
        op_open_one(&r, known[k].op, known[k].attributes, espl__shape_vector(4), 1);
        for (int i = 0; i < 4; i++)
            r.node.input[0][i] = (float)known[k].at[i].x;
        op_go(&r, false);
        for (int i = 0; i < 4; i++)
            op_expect(known[k].op, &r.result.output[i], &known[k].at[i].y, 1,
                      2e-7 * fmax(1, fabs(known[k].at[i].y)));
        op_free(&r);
    }
}

/* A net that diverges must show it. */
static void test_not_a_number(void **state)
{
    (void)state;
    for (int k = 0; k < ESPL__COUNT(known); k++) {
        op_run r;
        op_open_one(&r, known[k].op, known[k].attributes, espl__shape_vector(1), 1);
        r.node.input[0][0] = NAN;
        op_go(&r, false);
        if (!isnan(r.result.output[0]))
            fail_msg("%s makes %g of what is not a number", known[k].op, r.result.output[0]);
        op_free(&r);
    }
}

static void test_prelu(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "prelu", NULL, espl__shape_planes(2, 1, 2), 2);
    const espl__parameter_spec *slope = &r.node.shape.parameter[0];
    assert_int_equal(slope->kind, ESPL_SCALAR); /* no decay */
    assert_int_equal(slope->fill, ESPL__FILL_CONSTANT);
    assert_true(slope->constant == 0.25);
    op_set(r.node.parameter[0], (const double[]){ 0.25, -1 }, 2);
    op_set(r.node.input[0], (const double[]){ -4, 4, -2, 2, -8, 1, -1, 1 }, 8);
    op_fill(r.node.grad_output, 2, 8);
    op_go(&r, true);
    op_expect("y", r.result.output, (const double[]){ -1, 4, 2, 2, -2, 1, 1, 1 }, 8, 0);
    op_expect("dx", r.result.grad_input[0], (const double[]){ .5, 2, -2, 2, .5, 2, -2, 2 }, 8, 0);
    op_expect("dslope", r.result.grad_parameter[0], (const double[]){ -24, -6 }, 2, 0);
    op_free(&r);
}

/* ln 1, ln 2, ln 5 at one pixel; three equal logits, however large, at the other. */
static void test_softmax(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "softmax", NULL, espl__shape_planes(3, 1, 2), 1);
    op_set(r.node.input[0], (const double[]){ 0, 1e30, log(2), 1e30, log(5), 1e30 }, 6);
    op_go(&r, false);
    op_expect("y", r.result.output, (const double[]){ 0.125, 1. / 3, 0.25, 1. / 3, 0.625, 1. / 3 },
              6, 1e-7);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_prelu),
        cmocka_unit_test(test_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
