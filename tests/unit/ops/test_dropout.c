/* dropout: a fixed fraction kept, scaled so that the mean stays, the same draw forward and back,
 * and a draw that belongs to (node, epoch, sample, element) alone. */
#include "op_run.h"
#include "ops/dropout.h"

#define COUNT 100000

static void open_vector(op_run *r, const espl__dropout *a, int64_t count, int samples, double value)
{
    op_open_one(r, "dropout", a, espl__shape_vector(count), samples);
    op_fill(r->node.input[0], value, count * samples);
}

static int64_t kept(const op_run *r, int64_t from, int64_t count)
{
    int64_t sum = 0;

    for (int64_t i = from; i < from + count; i++)
        sum += r->result.output[i] != 0;
    return sum;
}

/* Of 1e5 values with keep probability 0.7 the kept fraction is within 5 sigma = 0.0072. */
static void test_fraction(void **state)
{
    const espl__dropout a = { .rate = 0.3 };
    op_run r;
    double sum = 0, squares = 0;

    (void)state;
    open_vector(&r, &a, COUNT, 1, 2);
    op_go(&r, false);
    assert_true(fabs((double)kept(&r, 0, COUNT) / COUNT - 0.7) < 0.0072);
    for (int i = 0; i < COUNT; i++) {
        sum += r.result.output[i];
        squares += (r.result.output[i] - 2) * (r.result.output[i] - 2);
    }
    /* mean 2; variance y^2 q / (1 - q) = 1.714286, whose mean of 1e5 draws has 5 sigma = 0.0207 */
    assert_true(fabs(sum / COUNT - 2) < 0.0207);
    assert_true(fabs(squares / COUNT - 1.714286) < 0.024);
    op_free(&r);
}

/* x = 1 2 3 4 with q = 0.25: kept ones are 4/3 as large, and so are their gradients. */
static void test_scale_and_gradient(void **state)
{
    const espl__dropout a = { .rate = 0.25 };
    const double x[] = { 1, 2, 3, 4, 1, 2, 3, 4 };
    op_run r;
    int dropped = 0;

    (void)state;
    op_open_one(&r, "dropout", &a, espl__shape_vector(4), 2);
    op_set(r.node.input[0], x, 8);
    op_fill(r.node.grad_output, 1, 8);
    op_go(&r, true);
    for (int i = 0; i < 8; i++) {
        const double factor = r.result.output[i] == 0 ? 0 : 4. / 3;
        dropped += factor == 0;
        op_expect("y", &r.result.output[i], (const double[]){ factor * x[i] }, 1, 1e-6);
        op_expect("dx", &r.result.grad_input[0][i], &factor, 1, 1e-6);
    }
    assert_true(dropped < 8);
    op_free(&r);
}

static void test_identity_outside_training(void **state)
{
    const espl__dropout a = { .rate = 0.5 };
    op_run r;

    (void)state;
    op_open_one(&r, "dropout", &a, espl__shape_vector(50), 2);
    r.node.at.training = false;
    op_go(&r, true);
    assert_memory_equal(r.result.output, r.node.input[0], 100 * sizeof(float));
    assert_memory_equal(r.result.grad_input[0], r.node.grad_output, 100 * sizeof(float));
    op_free(&r);
}

static void test_rate_zero(void **state)
{
    const espl__dropout a = { .rate = 0 };
    op_run r;

    (void)state;
    op_open_one(&r, "dropout", &a, espl__shape_vector(50), 1);
    op_go(&r, false);
    assert_memory_equal(r.result.output, r.node.input[0], 50 * sizeof(float));
    op_free(&r);
}

/* Two samples of one batch have masks of their own; the same sample at another place has the same
 * one, in another epoch another one. */
static void test_coordinates(void **state)
{
    const espl__dropout a = { .rate = 0.5 };
    float first[64], second[64];
    op_run r;

    (void)state;
    open_vector(&r, &a, 64, 2, 1);
    op_go(&r, false);
    memcpy(first, r.result.output, sizeof first);
    memcpy(second, r.result.output + 64, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    const int64_t swapped = r.node.index[0];
    r.node.index[0] = r.node.index[1];
    r.node.index[1] = swapped;
    op_go(&r, false);
    assert_memory_equal(r.result.output, second, sizeof second);
    assert_memory_equal(r.result.output + 64, first, sizeof first);
    r.node.targets.epoch++;
    op_go(&r, false);
    assert_memory_not_equal(r.result.output, second, sizeof second);
    r.node.targets.epoch--;
    r.node.targets.step++; /* the step does not matter */
    op_go(&r, false);
    assert_memory_equal(r.result.output, second, sizeof second);
    op_free(&r);
}

/* Elements are counted in logical order: the layout does not change who is dropped. */
static void test_layouts(void **state)
{
    const espl__dropout a = { .rate = 0.5 };
    float plain[8 * 5];
    op_run r;

    (void)state;
    op_open_one(&r, "dropout", &a, espl__shape_planes(8, 1, 5), 1);
    op_go(&r, false);
    memcpy(plain, r.result.output, sizeof plain);
    one_set_blocks(&r.node, 8, 8);
    op_go(&r, false);
    assert_memory_equal(r.result.output, plain, sizeof plain);
    op_free(&r);
}

static void test_whole_channels(void **state)
{
    const espl__dropout a = { .rate = 0.5, .whole_channels = true };
    op_run r;
    int64_t channels = 0;

    (void)state;
    op_open_one(&r, "dropout", &a, espl__shape_planes(40, 2, 3), 1);
    op_fill(r.node.input[0], 1, 240);
    op_go(&r, false);
    for (int c = 0; c < 40; c++) {
        const int64_t pixels = kept(&r, 6 * c, 6);
        assert_true(pixels == 0 || pixels == 6);
        channels += pixels == 6;
    }
    assert_in_range(channels, 5, 35);
    op_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fraction),
        cmocka_unit_test(test_scale_and_gradient),
        cmocka_unit_test(test_identity_outside_training),
        cmocka_unit_test(test_rate_zero),
        cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_whole_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
