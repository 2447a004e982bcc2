/* Depthwise 3x3 convolution, every instruction set this processor has, against the plain sum: strides, paddings
 * of either side, sizes down to one pixel, blocks and channels last. */
#include "kernel_rig.h"
#include "ops/conv2d.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CHANNELS 32
#define SAMPLES 2

static espl_context *ctx;
static const char *const variants[] = { "plain", "avx2", "avx512" };

typedef struct problem {
    int64_t height, width, stride, pad[4]; /* top, left, bottom, right */
    bool last;
    int activation;
    int64_t out_height, out_width;
    float *x, *dy, *weight, *bias;
    double *y, *dx;
} problem;

static float *randoms(espl__random *random, int64_t count)
{
    float *values = malloc((size_t)count * sizeof(float));

    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = 2 * espl__random_uniform(random) - 1;
    return values;
}

static void expect(problem *p)
{
    const int64_t in = p->height * p->width, out = p->out_height * p->out_width;

    for (int64_t plane = 0; plane < SAMPLES * CHANNELS; plane++)
        for (int64_t i = 0; i < out; i++) {
            const int64_t c = plane % CHANNELS;
            double sum = p->bias[c];
            for (int64_t tap = 0; tap < 9; tap++) {
                const int64_t row = i / p->out_width * p->stride + tap / 3 - p->pad[0];
                const int64_t column = i % p->out_width * p->stride + tap % 3 - p->pad[1];
                if (row < 0 || row >= p->height || column < 0 || column >= p->width)
                    continue;
                sum += (double)p->weight[c * 9 + tap] * p->x[plane * in + row * p->width + column];
                p->dx[plane * in + row * p->width + column] += (double)p->weight[c * 9 + tap] * p->dy[plane * out + i];
            }
            p->y[plane * out + i] = p->activation && sum < 0 ? 0 : sum;
        }
}

static bool open_rig(rig *r, problem *p, espl__conv2d *a, const char *role, const char *variant)
{
    char name[64];

    *r = (rig){ .samples = SAMPLES, .batch = SAMPLES };
    r->node.attributes = a;
    r->node.input_count = r->at.input_count = 1;
    r->node.parameter_count = 2;
    r->at.input[0] = espl__shape_planes(CHANNELS, p->height, p->width);
    r->at.output = espl__shape_planes(CHANNELS, p->out_height, p->out_width);
    r->at.input_block[0] = r->at.output_block = p->last ? CHANNELS : !strcmp(variant, "avx512") ? 16
                                                                                                : 8;
    r->at.isa = espl__isa_here();
    r->parameter[0] = p->weight;
    r->parameter[1] = p->bias;
    r->parameter_size[0] = CHANNELS * 9;
    r->parameter_size[1] = CHANNELS;
    snprintf(name, sizeof(name), "depthwise_conv2d_%s_%s", role, variant);
    return rig_find(name) && rig_open(r, ctx, rig_find(name));
}

/* Nine products of values within -1..1, a few roundings each. */
static void check(const float *found, const double *expected, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(found[i] - expected[i]) <= 1e-5))
            fail_msg("value %lld: found %.9g, expected %.9g", (long long)i, found[i], expected[i]);
}

static bool try_variant(problem *p, const char *variant)
{
    const int64_t in = SAMPLES * CHANNELS * p->height * p->width, out = SAMPLES * CHANNELS * p->out_height * p->out_width;
    float *found = malloc((size_t)(in + out) * sizeof(float));
    espl__conv2d a = { .channels = CHANNELS, .groups = 0, .bias = true, .activation = p->activation };
    rig r;

    a.kernel = (espl_counts){ .count = 1, .item = { 3 } };
    a.stride = (espl_counts){ .count = 1, .item = { p->stride } };
    a.dilation = (espl_counts){ .count = 1, .item = { 1 } };
    a.pad = (espl_counts){ .count = 4, .item = { p->pad[0], p->pad[1], p->pad[2], p->pad[3] } };
    const bool opened = open_rig(&r, p, &a, "forward", variant);
    if (opened) {
        rig_into(r.input[0], p->x, r.at.input[0], r.at.input_block[0], SAMPLES);
        rig_run(&r);
        rig_from(found, r.output, r.at.output, r.at.output_block, SAMPLES);
        check(found, p->y, out);
        rig_free(&r);
    }
    if (opened && !p->activation) {
        assert_true(open_rig(&r, p, &a, "backward_inputs", variant));
        rig_into(r.grad_output, p->dy, r.at.output, r.at.output_block, SAMPLES);
        rig_run(&r);
        rig_from(found, r.grad_input[0], r.at.input[0], r.at.input_block[0], SAMPLES);
        check(found, p->dx, in);
        rig_free(&r);
    }
    free(found);
    return opened;
}

static void try_problem(problem p)
{
    espl__random random = espl__random_at(espl__stream_of(4, "depthwise"), 0, 0);
    int ran = 0;

    p.out_height = (p.height + p.pad[0] + p.pad[2] - 3) / p.stride + 1;
    p.out_width = (p.width + p.pad[1] + p.pad[3] - 3) / p.stride + 1;
    const int64_t in = SAMPLES * CHANNELS * p.height * p.width, out = SAMPLES * CHANNELS * p.out_height * p.out_width;
    p.x = randoms(&random, in);
    p.dy = randoms(&random, out);
    p.weight = randoms(&random, CHANNELS * 9);
    p.bias = randoms(&random, CHANNELS);
    p.y = calloc((size_t)out, sizeof(double));
    p.dx = calloc((size_t)in, sizeof(double));
    expect(&p);
    for (int v = 0; v < 3; v++)
        ran += try_variant(&p, variants[v]);
    assert_true(ran >= 1);
    free(p.x);
    free(p.dy);
    free(p.weight);
    free(p.bias);
    free(p.y);
    free(p.dx);
}

static void test_sizes(void **state)
{
    (void)state;
    for (int64_t stride = 1; stride <= 2; stride++)
        for (int64_t height = 1; height < 12; height++)
            for (int64_t width = height > 2 ? height - 2 : 1; width < height + 3; width++)
                try_problem((problem){ .height = height, .width = width, .stride = stride, .pad = { 1, 1, 1, 1 }, .last = width % 2, .activation = height % 2 && width % 2 ? ESPL__RELU : 0 });
}

static void test_padding(void **state)
{
    static const int64_t pads[][4] = { { 0, 0, 0, 0 }, { 2, 2, 2, 2 }, { 0, 0, 1, 1 }, { 1, 0, 0, 2 }, { 2, 1, 0, 1 }, { 3, 4, 5, 2 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(pads); i++)
        for (int64_t stride = 1; stride <= 2; stride++)
            for (int64_t size = 3; size < 18; size += 3) {
                problem p = { .height = size, .width = size + 1, .stride = stride };
                memcpy(p.pad, pads[i], sizeof(p.pad));
                try_problem(p);
            }
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
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_padding),
    };

    return cmocka_run_group_tests(tests, open_context, close_context);
}
