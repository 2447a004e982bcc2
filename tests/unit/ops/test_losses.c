/* The losses against numbers worked out apart: uniform logits cost ln K, smoothing, soft targets,
 * weights, samples without a target, and logits so large that a careless exp would overflow. */
#include "op_run.h"
#include "ops/loss.h"

static void test_uniform(void **state)
{
    const espl__cross_entropy a = { 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "softmax_cross_entropy", &a, espl__shape_vector(10), 2);
    op_fill(r.node.input[0], 0, 20);
    r.node.labels[0] = 3;
    r.node.labels[1] = 9;
    op_go(&r, true);
    op_expect("loss", r.result.output, (const double[]){ 2.302585, 2.302585 }, 2, 1e-6);
    for (int k = 0; k < 10; k++) { /* (softmax - t) / total weight */
        const double expected = (0.1 - (k == 3)) / 2;
        op_expect("dz", &r.result.grad_input[0][k], &expected, 1, 1e-7);
    }
    op_free(&r);
}

/* z = ln 1, ln 2, ln 5: p = 1/8, 2/8, 5/8. */
static void open_eighths(op_run *r, const espl__cross_entropy *a)
{
    op_open_one(r, "softmax_cross_entropy", a, espl__shape_vector(3), 1);
    op_set(r->node.input[0], (const double[]){ 0, log(2), log(5) }, 3);
    r->node.labels[0] = 1;
}

static void test_smoothing(void **state)
{
    const espl__cross_entropy a = { .label_smoothing = 0.3 }; /* targets 0.1, 0.8, 0.1 */
    const double loss = -(0.1 * log(0.125) + 0.8 * log(0.25) + 0.1 * log(0.625));
    op_run r;

    (void)state;
    open_eighths(&r, &a);
    op_go(&r, true);
    op_expect("loss", r.result.output, &loss, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], (const double[]){ 0.025, -0.55, 0.525 }, 3, 1e-6);
    op_free(&r);
}

static void test_soft_targets(void **state)
{
    const espl__cross_entropy a = { 0 };
    const double soft[] = { 0.5, 0, 0.5 }, loss = -0.5 * log(0.125) - 0.5 * log(0.625);
    op_run r;

    (void)state;
    open_eighths(&r, &a);
    r.node.soft = one_zeros(3, sizeof(float));
    op_set(r.node.soft, soft, 3);
    op_go(&r, true);
    op_expect("loss", r.result.output, &loss, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], (const double[]){ -0.375, 0.25, 0.125 }, 3, 1e-6);
    op_free(&r);
}

/* Weights 1, 3 and a sample without a label: losses are weighted, gradients divided by the total.
 */
static void test_weights(void **state)
{
    const espl__cross_entropy a = { 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "softmax_cross_entropy", &a, espl__shape_vector(2), 3);
    op_fill(r.node.input[0], 0, 6);
    r.node.weight = one_zeros(3, sizeof(float));
    op_set(r.node.weight, (const double[]){ 1, 3, 4 }, 3);
    r.node.labels[0] = 0;
    r.node.labels[1] = 1;
    r.node.labels[2] = -1;
    op_go(&r, true);
    op_expect("loss", r.result.output, (const double[]){ log(2), 3 * log(2), 0 }, 3, 1e-6);
    op_expect("dz", r.result.grad_input[0],
              (const double[]){ -.5 / 8, .5 / 8, 1.5 / 8, -1.5 / 8, 0, 0 }, 6, 1e-7);
    op_free(&r);
}

static void test_large_logits(void **state)
{
    const espl__cross_entropy a = { 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "softmax_cross_entropy", &a, espl__shape_vector(3), 1);
    op_set(r.node.input[0], (const double[]){ 1e4, -1e4, 9999 }, 3);
    r.node.labels[0] = 1;
    op_go(&r, true);
    op_expect("loss", r.result.output, (const double[]){ 20000.313262 }, 1, 0.002);
    op_expect("dz", r.result.grad_input[0], (const double[]){ .731059, -1, .268941 }, 3, 1e-6);
    op_free(&r);
}

static void test_binary_single(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "binary_cross_entropy", NULL, espl__shape_vector(1), 4);
    op_set(r.node.input[0], (const double[]){ 0, log(3), -2000, 2000 }, 4);
    for (int n = 0; n < 4; n++)
        r.node.labels[n] = n != 1; /* 1 0 1 1 */
    op_go(&r, true);
    op_expect("loss", r.result.output, (const double[]){ log(2), log(4), 2000, 0 }, 4, 1e-6);
    op_expect("dz", r.result.grad_input[0], (const double[]){ -.125, .75 / 4, -.25, 0 }, 4, 1e-7);
    r.node.labels[0] = 2; /* neither yes nor no */
    op_go(&r, false);
    op_expect("loss", r.result.output, (const double[]){ 0 }, 1, 0);
    op_free(&r);
}

/* Of several outputs the label is one of them, and the loss is their mean. */
static void test_binary_several(void **state)
{
    const double loss = (log(2) + log(4) + log(4) - log(3)) / 3;
    op_run r;

    (void)state;
    op_open_one(&r, "binary_cross_entropy", NULL, espl__shape_vector(3), 1);
    op_set(r.node.input[0], (const double[]){ 0, log(3), log(3) }, 3);
    r.node.labels[0] = 2;
    op_go(&r, true);
    op_expect("loss", r.result.output, &loss, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], (const double[]){ .5 / 3, .25, -.25 / 3 }, 3, 1e-7);
    op_free(&r);
}

static void test_squared(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "mean_squared_error", NULL, espl__shape_vector(2), 2);
    op_set(r.node.input[0], (const double[]){ 1, 3, 0, 0 }, 4);
    r.node.labels[0] = 0; /* (1, 0) */
    r.node.labels[1] = 1; /* (0, 1) */
    op_go(&r, true);
    op_expect("loss", r.result.output, (const double[]){ 4.5, .5 }, 2, 0);
    op_expect("dz", r.result.grad_input[0], (const double[]){ 0, 1.5, 0, -.5 }, 4, 1e-7);
    r.node.soft = one_zeros(4, sizeof(float));
    op_set(r.node.soft, (const double[]){ 1, 3, -2, 0 }, 4);
    op_go(&r, false);
    op_expect("loss", r.result.output, (const double[]){ 0, 2 }, 2, 0);
    op_free(&r);
}

/* Of a single output the label is the value itself. */
static void test_squared_single(void **state)
{
    op_run r;

    (void)state;
    op_open_one(&r, "mean_squared_error", NULL, espl__shape_vector(1), 2);
    op_set(r.node.input[0], (const double[]){ 5, 5 }, 2);
    r.node.labels[0] = 7;
    r.node.labels[1] = -1;
    op_go(&r, false);
    op_expect("loss", r.result.output, (const double[]){ 4, 0 }, 2, 0);
    op_free(&r);
}

/* T = 2 makes 1, sqrt 2, sqrt 5 of 1, 2, 5; without a teacher the label counts whole. */
static void test_distillation(void **state)
{
    const espl__distillation a = { .temperature = 2, .share = 0.75 };
    const double soft[] = { 0.5, 0, 0.5 }, whole = 1 + sqrt(2) + sqrt(5);
    const double expected = -0.25 * log(0.25) - 0.75 * 4 * 0.5 * (log(1 / whole) + log(sqrt(5) / whole));
    const double dz[] = { 0.25 * 0.125 + 0.75 * 2 * (1 / whole - 0.5), 0.25 * (0.25 - 1) + 0.75 * 2 * sqrt(2) / whole,
                          0.25 * 0.625 + 0.75 * 2 * (sqrt(5) / whole - 0.5) };
    const double alone = -log(0.25);
    op_run r;

    (void)state;
    op_open_one(&r, "distillation", &a, espl__shape_vector(3), 1);
    op_set(r.node.input[0], (const double[]){ 0, log(2), log(5) }, 3);
    r.node.labels[0] = 1;
    op_go(&r, true);
    op_expect("loss", r.result.output, &alone, 1, 1e-6);
    r.node.soft = one_zeros(3, sizeof(float));
    op_set(r.node.soft, soft, 3);
    op_go(&r, true);
    op_expect("loss", r.result.output, &expected, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], dz, 3, 1e-6);
    op_free(&r);
}

/* A teacher that knows the first two of three classes: only they meet its answer, at T = 2 with 1 and sqrt 2. */
static void test_distillation_of_the_first(void **state)
{
    const espl__distillation a = { .temperature = 2, .share = 0.75, .known = 2 };
    const double soft[] = { 0.25, 0.75, 0 }, whole = 1 + sqrt(2);
    const double expected = -0.25 * log(0.625) - 0.75 * 4 * (0.25 * log(1 / whole) + 0.75 * log(sqrt(2) / whole));
    const double dz[] = { 0.25 * 0.125 + 0.75 * 2 * (1 / whole - 0.25),
                          0.25 * 0.25 + 0.75 * 2 * (sqrt(2) / whole - 0.75), 0.25 * (0.625 - 1) };
    op_run r;

    (void)state;
    op_open_one(&r, "distillation", &a, espl__shape_vector(3), 1);
    op_set(r.node.input[0], (const double[]){ 0, log(2), log(5) }, 3);
    r.node.labels[0] = 2;
    r.node.soft = one_zeros(3, sizeof(float));
    op_set(r.node.soft, soft, 3);
    op_go(&r, true);
    op_expect("loss", r.result.output, &expected, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], dz, 3, 1e-6);
    op_free(&r);
}

/* The same teacher, but the label is the third of four classes and told from the fourth alone: 5 of 5 + 3. */
static void test_distillation_apart(void **state)
{
    const espl__distillation a = { .temperature = 2, .share = 0.75, .known = 2, .apart = true };
    const double soft[] = { 0.25, 0.75, 0, 0 }, whole = 1 + sqrt(2);
    const double expected = -0.25 * log(0.625) - 0.75 * 4 * (0.25 * log(1 / whole) + 0.75 * log(sqrt(2) / whole));
    const double dz[] = { 0.75 * 2 * (1 / whole - 0.25), 0.75 * 2 * (sqrt(2) / whole - 0.75), 0.25 * (0.625 - 1),
                          0.25 * 0.375 };
    const double known = -log(2.0 / 11);
    op_run r;

    (void)state;
    op_open_one(&r, "distillation", &a, espl__shape_vector(4), 1);
    op_set(r.node.input[0], (const double[]){ 0, log(2), log(5), log(3) }, 4);
    r.node.labels[0] = 1;
    op_go(&r, true);
    op_expect("loss", r.result.output, &known, 1, 1e-6);
    r.node.labels[0] = 2;
    r.node.soft = one_zeros(4, sizeof(float));
    op_set(r.node.soft, soft, 4);
    op_go(&r, true);
    op_expect("loss", r.result.output, &expected, 1, 1e-6);
    op_expect("dz", r.result.grad_input[0], dz, 4, 1e-6);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_smoothing),
        cmocka_unit_test(test_soft_targets),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_binary_single),
        cmocka_unit_test(test_binary_several),
        cmocka_unit_test(test_squared),
        cmocka_unit_test(test_squared_single),
        cmocka_unit_test(test_distillation),
        cmocka_unit_test(test_distillation_of_the_first),
        cmocka_unit_test(test_distillation_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
