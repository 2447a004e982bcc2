/* The vector kernels of batch norm, every instruction set this processor has, against the formulas in
 * double: layouts, fillers, residual, activations, and sameness whoever ran the shards. */
#include "kernel_rig.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { SCALE,
       SHIFT,
       MEAN,
       VARIANCE };

static espl_context *ctx;
static const char *const variants[] = { "plain", "avx2", "avx512" };

typedef struct problem {
    int64_t channels, height, width, block;
    int samples, batch;
    int activation;
    bool residual, training;
    double center; /* of x */
    /* logical */
    float *x, *residuals, *grad, *y, *dx, *dz;
    float parameter[4][64];
    double mean[64], variance[64];
    double dscale[64], dshift[64];
} problem;

static int64_t total(const problem *p)
{
    return (p->batch + p->samples) * p->channels * p->height * p->width;
}

static void problem_make(problem *p)
{
    espl__random random = espl__random_at(espl__stream_of(1, "batch norm"), 0, 0);

    float **arrays[] = { &p->x, &p->residuals, &p->grad, &p->y, &p->dx, &p->dz };
    for (int i = 0; i < 6; i++) {
        *arrays[i] = calloc((size_t)total(p), sizeof(float));
        assert_non_null(*arrays[i]);
    }
    for (int64_t i = 0; i < total(p); i++) {
        const int64_t c = i / (p->height * p->width) % p->channels;
        p->x[i] = (float)(p->center * (double)(c + 1) + (1 + 0.1 * (double)c) * espl__random_normal(&random));
        p->residuals[i] = espl__random_normal(&random);
        p->grad[i] = espl__random_normal(&random);
    }
    for (int c = 0; c < p->channels; c++) {
        p->parameter[SCALE][c] = 0.5f + espl__random_uniform(&random);
        p->parameter[SHIFT][c] = espl__random_normal(&random);
        p->parameter[MEAN][c] = (float)p->center * (float)(c + 1) + 0.1f * espl__random_normal(&random);
        p->parameter[VARIANCE][c] = 0.5f + espl__random_uniform(&random);
    }
}

static void problem_free(problem *p)
{
    float *arrays[] = { p->x, p->residuals, p->grad, p->y, p->dx, p->dz };
    for (int i = 0; i < 6; i++)
        free(arrays[i]);
}

/* The statistics and gradients by the book. */
static int64_t at(const problem *p, int n, int64_t c, int64_t i)
{
    return (n * p->channels + c) * p->height * p->width + i;
}

static double activate(const problem *p, double v)
{
    if (p->activation == ESPL__NO_ACTIVATION)
        return v;
    return v < 0 ? 0 : p->activation == ESPL__RELU6 && v > 6 ? 6
                                                             : v;
}

static void statistics(problem *p, int64_t c)
{
    const int64_t pixels = p->height * p->width;
    const double count = (double)(p->batch * pixels);
    double sum = 0, squares = 0;

    for (int n = 0; n < p->batch; n++)
        for (int64_t i = 0; i < pixels; i++)
            sum += p->x[at(p, n, c, i)];
    for (int n = 0; n < p->batch; n++)
        for (int64_t i = 0; i < pixels; i++)
            squares += pow(p->x[at(p, n, c, i)] - sum / count, 2);
    p->mean[c] = p->training ? sum / count : p->parameter[MEAN][c];
    p->variance[c] = p->training ? squares / count : p->parameter[VARIANCE][c];
}

static void expected_channel(problem *p, int64_t c, double epsilon)
{
    const int64_t pixels = p->height * p->width;
    const double count = (double)(p->batch * pixels), inverse = 1 / sqrt(p->variance[c] + epsilon);

    for (int n = 0; n < p->batch; n++) {
        for (int64_t i = 0; i < pixels; i++) {
            const int64_t k = at(p, n, c, i);
            const double xh = (p->x[k] - p->mean[c]) * inverse;
            const double v = xh * p->parameter[SCALE][c] + p->parameter[SHIFT][c] + (p->residual ? p->residuals[k] : 0);
            const bool open = p->activation == ESPL__NO_ACTIVATION || (v > 0 && (p->activation == ESPL__RELU || v < 6));
            p->y[k] = (float)activate(p, v);
            p->dz[k] = open ? p->grad[k] : 0;
            p->dshift[c] += p->dz[k];
            p->dscale[c] += p->dz[k] * xh;
        }
    }
    for (int n = 0; n < p->batch; n++) {
        for (int64_t i = 0; i < pixels; i++) {
            const int64_t k = at(p, n, c, i);
            const double xh = (p->x[k] - p->mean[c]) * inverse;
            const double inner = p->training ? p->dz[k] - p->dshift[c] / count - xh * p->dscale[c] / count : p->dz[k];
            p->dx[k] = (float)(p->parameter[SCALE][c] * inverse * inner);
        }
    }
}

/* A value next to a kink may fall on either side of it: such gradients are made zero. */
static void avoid_kinks(problem *p)
{
    for (int64_t i = 0; i < total(p); i++)
        if (p->activation && (fabs(p->y[i]) < 1e-4 || fabs(p->y[i] - 6) < 1e-4))
            p->grad[i] = 0;
}

static void expect(problem *p, double epsilon)
{
    memset(p->dscale, 0, sizeof(p->dscale));
    memset(p->dshift, 0, sizeof(p->dshift));
    for (int64_t c = 0; c < p->channels; c++) {
        statistics(p, c);
        expected_channel(p, c, epsilon);
    }
}

static void check_near(const float *found, const float *expected, int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - expected[i]) <= tolerance * (1 + fabs(expected[i]))))
            fail_msg("value %lld: found %.9g, expected %.9g", (long long)i, found[i], expected[i]);
}

static rig rig_for(const problem *p, espl__batch_norm *attributes, float *parameter[4])
{
    const espl__shape shape = p->height ? espl__shape_planes(p->channels, p->height, p->width) : espl__shape_vector(p->channels);
    rig r = { .samples = p->samples, .batch = p->batch };

    r.node.attributes = attributes;
    r.node.input_count = r.at.input_count = p->residual ? 2 : 1;
    r.node.parameter_count = 4;
    r.at.output = r.at.input[0] = r.at.input[1] = shape;
    r.at.output_block = r.at.input_block[0] = r.at.input_block[1] = p->block;
    r.at.training = p->training;
    r.at.isa = espl__isa_here();
    for (int i = 0; i < 4; i++) {
        r.parameter[i] = parameter[i];
        r.parameter_size[i] = p->channels;
    }
    return r;
}

static bool try_variant(problem *p, const char *variant)
{
    espl__batch_norm attributes = { .epsilon = 1e-3, .momentum = 0.1, .activation = p->activation };
    char name[64];
    float copy[4][64];
    float *parameter[4] = { copy[0], copy[1], copy[2], copy[3] };
    const int64_t count = p->batch * p->channels * p->height * p->width;
    const int padded = (p->batch + p->samples - 1) / p->samples * p->samples;
    float *found = calloc((size_t)total(p), sizeof(float));

    memcpy(copy, p->parameter, sizeof(copy));
    snprintf(name, sizeof(name), "vector_batch_norm_%s_%s", p->training ? "forward" : "inference", variant);
    rig forward = rig_for(p, &attributes, parameter), backward = forward;
    if (!rig_find(name) || !rig_open(&forward, ctx, rig_find(name))) {
        free(found);
        return false;
    }
    rig_into(forward.input[0], p->x, forward.at.output, p->block, padded);
    if (p->residual)
        rig_into(forward.input[1], p->residuals, forward.at.output, p->block, padded);
    rig_run(&forward);
    rig_from(found, forward.output, forward.at.output, p->block, p->batch);
    /* k * mean is rounded to a float: 2^-24 * |mean| / deviation, a few times */
    const double tolerance = 4e-6 + 4 * ldexp(fabs(p->center) * (double)p->channels, -24);
    check_near(found, p->y, count, tolerance);
    if (p->training) {
        const double m = (double)(p->batch * p->height * p->width);
        for (int64_t c = 0; c < p->channels; c++) {
            assert_float_equal(copy[MEAN][c], 0.9 * p->parameter[MEAN][c] + 0.1 * p->mean[c], 1e-6 * (1 + fabs(p->mean[c])));
            assert_float_equal(copy[VARIANCE][c], 0.9 * p->parameter[VARIANCE][c] + 0.1 * p->variance[c] * m / (m - 1),
                               1e-5 * (1 + p->variance[c]));
        }
    }

    memcpy(copy, p->parameter, sizeof(copy));
    snprintf(name, sizeof(name), "vector_batch_norm_backward%s_%s", p->training ? "" : "_fixed", variant);
    assert_non_null(rig_find(name));
    backward.forward_shared = forward.shared;
    assert_true(rig_open(&backward, ctx, rig_find(name)));
    rig_into(backward.input[0], p->x, forward.at.output, p->block, padded);
    memcpy(backward.output, forward.output, (size_t)(padded * p->channels * p->height * p->width) * sizeof(float));
    rig_into(backward.grad_output, p->grad, forward.at.output, p->block, padded);
    rig_run(&backward);
    rig_from(found, backward.grad_output, forward.at.output, p->block, padded);
    check_near(found, p->dz, count, 0);
    rig_from(found, backward.grad_input[0], forward.at.output, p->block, padded);
    check_near(found, p->dx, count, 2 * tolerance);
    for (int64_t i = count; i < padded * p->channels * p->height * p->width; i++)
        assert_true(found[i] == 0);
    for (int64_t c = 0; c < p->channels; c++) {
        const double scale = sqrt((double)(p->batch * p->height * p->width));
        assert_float_equal(backward.grad_parameter[SCALE][c], p->dscale[c], 2 * tolerance * scale);
        assert_float_equal(backward.grad_parameter[SHIFT][c], p->dshift[c], 2 * tolerance * scale);
    }
    rig_free(&forward);
    rig_free(&backward);
    free(found);
    return true;
}

static int try_problem(problem p)
{
    int ran = 0;

    problem_make(&p);
    expect(&p, 1e-3);
    avoid_kinks(&p);
    expect(&p, 1e-3);
    for (int v = 0; v < 3; v++)
        ran += try_variant(&p, variants[v]);
    problem_free(&p);
    return ran;
}

static void test_layouts(void **state)
{
    static const struct {
        int64_t channels, height, width, block;
    } shapes[] = { { 16, 8, 8, 8 }, { 16, 8, 8, 16 }, { 32, 5, 7, 16 }, { 24, 3, 3, 24 }, { 19, 4, 5, 19 }, { 12, 6, 1, 12 }, { 40, 1, 1, 8 }, { 21, 1, 1, 1 }, { 64, 2, 2, 64 }, { 8, 33, 31, 8 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(shapes); i++)
        for (int options = 0; options < 12; options++) {
            const problem p = { .channels = shapes[i].channels, .height = shapes[i].height, .width = shapes[i].width, .block = shapes[i].block, .samples = 4, .batch = 11, .activation = options % 3, .residual = options / 3 % 2, .training = options / 6 == 0 };
            assert_true(try_problem(p) >= 1);
        }
}

/* Means a thousand deviations from zero: E x^2 - (E x)^2 in float would have nothing left. */
static void test_far_from_zero(void **state)
{
    (void)state;
    const problem p = { .channels = 16, .height = 16, .width = 16, .block = 16, .samples = 4, .batch = 16, .center = 100, .training = true };
    assert_true(try_problem(p) >= 1);
}

/* A single shard that holds a filler only in part, and shards of one sample. */
static void test_shards(void **state)
{
    (void)state;
    for (int samples = 1; samples <= 8; samples *= 2)
        for (int batch = 3; batch < 8; batch++) {
            const problem p = { .channels = 16, .height = 4, .width = 4, .block = 16, .samples = samples, .batch = batch, .activation = ESPL__RELU, .residual = true, .training = true };
            assert_true(try_problem(p) >= 1);
        }
}

/* techniques.md 7.1: values worked out by hand there. */
static void test_oracle(void **state)
{
    (void)state;
    const float four[2][4][2] = { { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } }, { { 2, 0 }, { 4, 2 }, { 0, 2 }, { 2, 4 } } };
    const float expected[4][2] = { { -.301509f, .904527f }, { -.301509f, .904527f }, { .733799f, 1.153112f }, { .733799f, 1.153112f } };
    const float running[2][4] = { { .125f, .325f, .325f, .525f }, { .991667f, .991667f, 1.658333f, 1.658333f } };
    espl__batch_norm attributes = { .epsilon = 1e-5, .momentum = 0.1 };
    float values[4][8] = { { 0 } }, found[32];
    float *parameter[4] = { values[0], values[1], values[2], values[3] };
    const problem p = { .channels = 8, .height = 1, .width = 2, .block = 8, .samples = 2, .batch = 2, .training = true };

    for (int c = 0; c < 8; c++)
        values[SCALE][c] = values[VARIANCE][c] = 1;
    rig r = rig_for(&p, &attributes, parameter);
    assert_true(rig_open(&r, ctx, rig_find("vector_batch_norm_forward_plain")));
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < 8; c++)
            for (int i = 0; i < 2; i++)
                found[(n * 8 + c) * 2 + i] = four[n][c % 4][i];
    rig_into(r.input[0], found, r.at.output, 8, 2);
    rig_run(&r);
    rig_from(found, r.output, r.at.output, 8, 2);
    for (int c = 0; c < 8; c++) {
        assert_float_equal(found[2 * c], expected[c % 4][0], 2e-6);
        assert_float_equal(found[2 * c + 1], expected[c % 4][1], 2e-6);
        assert_float_equal(values[MEAN][c], running[0][c % 4], 1e-6);
        assert_float_equal(values[VARIANCE][c], running[1][c % 4], 1e-6);
    }
    rig_free(&r);
}

static int open_context(void **state)
{
    (void)state;
    return espl_context_open(NULL, &ctx);
}

static int close_context(void **state)
{
    (void)state;
    espl_context_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_far_from_zero),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_oracle),
    };

    return cmocka_run_group_tests(tests, open_context, close_context);
}
