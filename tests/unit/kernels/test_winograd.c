/* Convolution by tiles, every instruction set this processor has, against the plain sum in double. */
#include "kernel_rig.h"
#include "ops/conv2d.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static espl_context *ctx;
static const char *const variants[] = { "plain", "avx2", "avx512" };

typedef struct problem {
    int64_t in, out, height, width;
    int64_t taps;   /* in a row of a filter; 0: three */
    int64_t tile;   /* pixels in a row of a tile; 0: four */
    int64_t pad[4]; /* top, left, bottom, right */
    int samples, batch;
    bool last; /* channels last instead of blocks */
    bool bias, folded, residual;
    int activation;
    /* found by problem_make */
    int64_t out_height, out_width;
    float *x, *dy, *residuals, *parameter[6];
    double *y, *dx, *dw, db[512];
} problem;

static int64_t in_size(const problem *p)
{
    return p->in * p->height * p->width;
}

static int64_t out_size(const problem *p)
{
    return p->out * p->out_height * p->out_width;
}

static int64_t weights_size(const problem *p)
{
    return p->out * p->in * p->taps * p->taps;
}

static float *randoms(espl__random *random, int64_t count, double scale)
{
    float *values = malloc((size_t)count * sizeof(float));

    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(scale * (2 * (double)espl__random_uniform(random) - 1));
    return values;
}

/* The three sums of a convolution, one multiplication at a time. */
static void convolve(problem *p)
{
    const int64_t pixels = p->out_height * p->out_width;

    for (int n = 0; n < p->batch; n++)
        for (int64_t k = 0; k < p->out; k++)
            for (int64_t c = 0; c < p->in; c++)
                for (int64_t tap = 0; tap < p->taps * p->taps; tap++)
                    for (int64_t i = 0; i < pixels; i++) {
                        const int64_t row = i / p->out_width + tap / p->taps - p->pad[0];
                        const int64_t column = i % p->out_width + tap % p->taps - p->pad[1];
                        if (row < 0 || row >= p->height || column < 0 || column >= p->width)
                            continue;
                        const int64_t at = n * in_size(p) + (c * p->height + row) * p->width + column;
                        const int64_t to = n * out_size(p) + k * pixels + i, w = (k * p->in + c) * p->taps * p->taps + tap;
                        p->y[to] += (double)p->x[at] * p->parameter[0][w];
                        p->dx[at] += (double)p->dy[to] * p->parameter[0][w];
                        p->dw[w] += (double)p->dy[to] * p->x[at];
                    }
}

static void finish(problem *p)
{
    const int64_t pixels = p->out_height * p->out_width;
    float *const *folded = p->parameter + (p->bias ? 2 : 1);

    for (int64_t i = 0; i < p->batch * out_size(p); i++) {
        const int64_t k = i / pixels % p->out;
        double y = p->y[i];
        p->db[k] += p->dy[i];
        if (p->bias)
            y += p->parameter[1][k];
        if (p->folded)
            y = (y - folded[2][k]) * folded[0][k] / sqrt(folded[3][k] + 1e-3) + folded[1][k];
        if (p->residual)
            y += p->residuals[i];
        if (p->activation && y < 0)
            y = 0;
        if (p->activation == ESPL__RELU6 && y > 6)
            y = 6;
        p->y[i] = y;
    }
}

static void problem_make(problem *p)
{
    espl__random random = espl__random_at(espl__stream_of(3, "winograd"), 0, 0);
    const int padded = (p->batch + p->samples - 1) / p->samples * p->samples;

    p->taps = p->taps ? p->taps : 3;
    p->out_height = p->height + p->pad[0] + p->pad[2] - p->taps + 1;
    p->out_width = p->width + p->pad[1] + p->pad[3] - p->taps + 1;
    p->x = randoms(&random, padded * in_size(p), 1);
    p->dy = randoms(&random, padded * out_size(p), 1);
    p->residuals = randoms(&random, padded * out_size(p), 1);
    p->parameter[0] = randoms(&random, weights_size(p), 1);
    for (int i = 1; i < 6; i++) {
        p->parameter[i] = randoms(&random, p->out, 0.5);
        for (int64_t k = 0; k < p->out; k++)
            p->parameter[i][k] += 1; /* the variance is one of them */
    }
    p->y = calloc((size_t)(padded * out_size(p)), sizeof(double));
    p->dx = calloc((size_t)(padded * in_size(p)), sizeof(double));
    p->dw = calloc((size_t)weights_size(p), sizeof(double));
    convolve(p);
    finish(p);
}

static void problem_free(problem *p)
{
    free(p->x);
    free(p->dy);
    free(p->residuals);
    for (int i = 0; i < 6; i++)
        free(p->parameter[i]);
    free(p->y);
    free(p->dx);
    free(p->dw);
}

static espl__conv2d attributes_of(const problem *p)
{
    espl__conv2d a = { .channels = p->out, .groups = 1, .bias = p->bias, .activation = p->activation, .folded = p->folded, .epsilon = 1e-3 };

    a.kernel = (espl_counts){ .count = 1, .item = { p->taps } };
    a.stride = a.dilation = (espl_counts){ .count = 1, .item = { 1 } };
    a.pad = (espl_counts){ .count = 4, .item = { p->pad[0], p->pad[1], p->pad[2], p->pad[3] } };
    return a;
}

static bool open_rig(rig *r, problem *p, espl__conv2d *attributes, const char *role, const char *variant)
{
    const int64_t lanes = strcmp(variant, "avx512") ? 8 : 16;
    char name[64];

    *r = (rig){ .samples = p->samples, .batch = p->batch };
    r->node.attributes = attributes;
    r->node.input_count = r->at.input_count = p->residual ? 2 : 1;
    r->node.parameter_count = 1 + p->bias + 4 * p->folded;
    r->at.input[0] = espl__shape_planes(p->in, p->height, p->width);
    r->at.output = r->at.input[1] = espl__shape_planes(p->out, p->out_height, p->out_width);
    r->at.input_block[0] = p->last || p->in % lanes ? p->in : lanes;
    r->at.output_block = r->at.input_block[1] = p->last || p->out % lanes ? p->out : lanes;
    r->at.training = !p->folded;
    r->at.isa = espl__isa_here();
    for (int i = 0; i < 6; i++) {
        r->parameter[i] = p->parameter[i];
        r->parameter_size[i] = i ? p->out : weights_size(p);
    }
    snprintf(name, sizeof(name), "winograd_%sconv2d_%s_%s", p->taps == 5 ? "5x5_" : p->tile == 2 ? "2x2_"
                                                                                                 : "",
             role, variant);
    return rig_find(name) && rig_open(r, ctx, rig_find(name));
}

/* Rounding grows with the root of the number of products; with values within -1..1 the transforms of F(4, 3) add
 * a factor of about ten over the plain sum, those of F(4, 5) a little more, those of F(2, 3) nothing: 1e-3 and 1e-4 at
 * 64 channels of 3x3 allow for the worst of many tiles. */
static double tolerance(const problem *p, int64_t products)
{
    return (p->tile == 2 ? 1e-4 : 1e-3) * sqrt((double)products / (64 * 9));
}

static void check(const float *found, const double *expected, int64_t count, double allowed)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(found[i] - expected[i]) <= allowed))
            fail_msg("value %lld: found %.9g, expected %.9g within %g", (long long)i, found[i], expected[i], allowed);
}

static bool try_forward(problem *p, const char *variant)
{
    espl__conv2d a = attributes_of(p);
    rig r;
    float *found = calloc((size_t)((p->batch + p->samples) * out_size(p)), sizeof(float));

    const bool opened = open_rig(&r, p, &a, "forward", variant);
    if (opened) {
        const int padded = r.shards * r.samples;
        rig_into(r.input[0], p->x, r.at.input[0], r.at.input_block[0], padded);
        if (p->residual)
            rig_into(r.input[1], p->residuals, r.at.output, r.at.output_block, padded);
        rig_run(&r);
        rig_from(found, r.output, r.at.output, r.at.output_block, p->batch);
        check(found, p->y, p->batch * out_size(p), tolerance(p, p->in * p->taps * p->taps));
        rig_free(&r);
    }
    free(found);
    return opened;
}

static void try_backward_inputs(problem *p, const char *variant)
{
    espl__conv2d a = attributes_of(p);
    rig r;
    float *found = calloc((size_t)((p->batch + p->samples) * in_size(p)), sizeof(float));

    assert_true(open_rig(&r, p, &a, "backward_inputs", variant));
    const int padded = r.shards * r.samples;
    rig_into(r.grad_output, p->dy, r.at.output, r.at.output_block, padded);
    rig_run(&r);
    rig_from(found, r.grad_input[0], r.at.input[0], r.at.input_block[0], padded);
    check(found, p->dx, p->batch * in_size(p), tolerance(p, p->out * p->taps * p->taps));
    for (int64_t i = p->batch * in_size(p); i < padded * in_size(p); i++)
        assert_true(found[i] == 0);
    rig_free(&r);
    free(found);
}

static void try_backward_parameters(problem *p, const char *variant)
{
    espl__conv2d a = attributes_of(p);
    rig r;
    float *found = calloc((size_t)weights_size(p), sizeof(float));

    assert_true(open_rig(&r, p, &a, "backward_parameters", variant));
    const int padded = r.shards * r.samples;
    rig_into(r.input[0], p->x, r.at.input[0], r.at.input_block[0], padded);
    rig_into(r.grad_output, p->dy, r.at.output, r.at.output_block, padded);
    rig_run(&r);
    r.kernel->unpack(&r.at, r.state, 0, r.grad_parameter[0], found);
    check(found, p->dw, weights_size(p), tolerance(p, p->batch * p->out_height * p->out_width));
    if (p->bias)
        for (int64_t k = 0; k < p->out; k++)
            assert_float_equal(r.grad_parameter[1][k], p->db[k], 1e-5 * (double)(p->batch * p->out_height * p->out_width));
    rig_free(&r);
    free(found);
}

static void try_tiles(problem p)
{
    int ran = 0;

    problem_make(&p);
    for (int v = 0; v < 3; v++) {
        if (!try_forward(&p, variants[v]))
            continue;
        ran++;
        if (!p.activation && !p.residual && !p.folded) {
            try_backward_inputs(&p, variants[v]);
            try_backward_parameters(&p, variants[v]);
        }
    }
    assert_true(ran >= 1); /* plain fits everywhere */
    problem_free(&p);
}

/* With tiles of both sizes, where there are two. */
static void try_problem(problem p)
{
    try_tiles(p);
    p.tile = 2;
    if (p.taps != 5)
        try_tiles(p);
}

static void test_sizes(void **state)
{
    (void)state;
    for (int64_t height = 2; height < 14; height++)
        for (int64_t width = height - 1; width < height + 3; width += 2)
            try_problem((problem){ .in = 16, .out = 32, .height = height, .width = width, .pad = { 1, 1, 1, 1 }, .samples = 2, .batch = 3 });
    try_problem((problem){ .in = 16, .out = 16, .height = 32, .width = 32, .pad = { 1, 1, 1, 1 }, .samples = 2, .batch = 2 });
}

static void test_padding(void **state)
{
    static const int64_t pads[][4] = { { 0, 0, 0, 0 }, { 2, 2, 2, 2 }, { 0, 1, 2, 0 }, { 1, 0, 0, 2 }, { 2, 0, 1, 1 }, { 4, 3, 0, 5 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(pads); i++)
        for (int64_t size = 6; size < 13; size += 3) {
            problem p = { .in = 32, .out = 32, .height = size, .width = size + 1, .samples = 2, .batch = 3 };
            memcpy(p.pad, pads[i], sizeof(p.pad));
            try_problem(p);
        }
}

/* Numbers of channels that leave rests in blocks of registers, in blocks and channels last. */
static void test_channels(void **state)
{
    static const int64_t channels[][2] = { { 16, 48 }, { 48, 16 }, { 64, 64 }, { 80, 48 }, { 128, 32 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(channels); i++)
        for (int last = 0; last < 2; last++)
            try_problem((problem){ .in = channels[i][0], .out = channels[i][1], .height = 8, .width = 8, .pad = { 1, 1, 1, 1 }, .samples = 3, .batch = 5, .last = last, .bias = last });
}

/* A multiple of eight that is none of sixteen leaves a panel of one vector, or of half a vector. */
static void test_narrow_panel(void **state)
{
    (void)state;
    try_problem((problem){ .in = 24, .out = 40, .height = 8, .width = 8, .pad = { 1, 1, 1, 1 }, .samples = 3, .batch = 5 });
}

/* Channels last in any number: what is missing up to a whole vector is zeros. */
static void test_any_channels(void **state)
{
    static const int64_t channels[][2] = { { 28, 12 }, { 100, 12 }, { 12, 50 }, { 30, 33 }, { 17, 71 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(channels); i++)
        for (int options = 0; options < 4; options++)
            try_problem((problem){ .in = channels[i][0], .out = channels[i][1], .height = 8, .width = 9, .pad = { 1, 1, 1, 1 }, .samples = 2, .batch = 3, .last = true, .bias = options & 1, .folded = options == 2, .residual = options == 2, .activation = options == 2 ? ESPL__RELU : 0 });
}

static void test_inference(void **state)
{
    (void)state;
    for (int options = 0; options < 24; options++)
        try_problem((problem){ .in = 32, .out = 32, .height = 9, .width = 8, .pad = { 1, 1, 1, 1 }, .samples = 2, .batch = 2, .activation = options % 3, .bias = options / 3 % 2, .folded = options / 6 % 2, .residual = options / 12 });
}

/* Filters of 5x5: tiles at every edge, paddings, channels that fill blocks and that do not (LeNet-5's). */
static void test_5x5(void **state)
{
    static const int64_t channels[][2] = { { 16, 32 }, { 20, 50 }, { 50, 20 } };
    (void)state;

    for (int i = 0; i < ESPL__COUNT(channels); i++)
        for (int64_t size = 7; size < 14; size++)
            for (int64_t pad = 0; pad < 4; pad += 2)
                try_problem((problem){ .taps = 5, .in = channels[i][0], .out = channels[i][1], .height = size, .width = size + pad / 2, .pad = { pad, pad, pad, pad / 2 }, .samples = 2, .batch = 3, .last = i > 0, .bias = i > 0 });
    try_problem((problem){ .taps = 5, .in = 32, .out = 32, .height = 9, .width = 8, .pad = { 2, 2, 2, 2 }, .samples = 2, .batch = 2, .activation = ESPL__RELU, .bias = true, .folded = true, .residual = true });
}

/* The same sample gives the same bits wherever it lies and however the batch is cut. */
static void test_place_does_not_matter(void **state)
{
    problem p = { .in = 32, .out = 32, .height = 13, .width = 10, .pad = { 1, 1, 1, 1 }, .samples = 1, .batch = 9 };
    float *found[2] = { 0 };
    (void)state;

    problem_make(&p);
    for (int v = 0; v < 3; v++) {
        for (int cut = 0; cut < 2; cut++) {
            espl__conv2d a = attributes_of(&p);
            rig r;
            p.samples = cut ? 1 : 4;
            found[cut] = calloc((size_t)((p.batch + 4) * out_size(&p)), sizeof(float));
            if (open_rig(&r, &p, &a, "forward", variants[v])) {
                rig_into(r.input[0], p.x, r.at.input[0], r.at.input_block[0], p.batch);
                memset(r.input[0] + p.batch * in_size(&p), 0, (size_t)((r.shards * r.samples - p.batch) * in_size(&p)) * sizeof(float));
                rig_run(&r);
                rig_from(found[cut], r.output, r.at.output, r.at.output_block, p.batch);
                rig_free(&r);
            }
        }
        assert_memory_equal(found[0], found[1], (size_t)(p.batch * out_size(&p)) * sizeof(float));
        free(found[0]);
        free(found[1]);
    }
    problem_free(&p);
}

/* What it must leave to others. */
static void test_refuses(void **state)
{
    problem p = { .in = 64, .out = 64, .height = 16, .width = 16, .pad = { 1, 1, 1, 1 }, .samples = 2, .batch = 2 };
    const espl__kernel *kernel = rig_find("winograd_conv2d_forward_plain");
    espl__conv2d a;
    rig r;
    (void)state;

    problem_make(&p);
    a = attributes_of(&p);
    assert_true(open_rig(&r, &p, &a, "forward", "plain"));
    assert_true(kernel->fits(&r.at));
    a.stride.item[0] = 2;
    assert_false(kernel->fits(&r.at));
    a.stride.item[0] = 1;
    a.dilation.item[0] = 2;
    assert_false(kernel->fits(&r.at));
    a.dilation.item[0] = 1;
    a.groups = 2;
    assert_false(kernel->fits(&r.at));
    a.groups = 1;
    a.kernel.item[0] = 5;
    assert_false(kernel->fits(&r.at));
    a.kernel.item[0] = 3;
    r.at.direct_only = true;
    assert_false(kernel->fits(&r.at));
    r.at.direct_only = false;
    r.at.input_block[0] = 1;
    assert_false(kernel->fits(&r.at));
    r.at.input_block[0] = 8;
    rig_free(&r);
    problem_free(&p);
}

static bool pays(const char *name, int64_t channels, int64_t size)
{
    espl__conv2d a = { .channels = channels, .groups = 1 };
    espl__node node = { .attributes = &a };
    const espl__shape shape = espl__shape_planes(channels, size, size);

    return rig_find(name)->pays(&(espl__case){ .node = &node, .samples = 16, .input[0] = shape, .output = shape });
}

/* Tiles of 2x2 where those of 4x4 would lie beyond the edges, the plain sum for a single pixel. */
static void test_chooses(void **state)
{
    (void)state;
    assert_true(pays("winograd_conv2d_forward_plain", 64, 8) && !pays("winograd_2x2_conv2d_forward_plain", 64, 8));
    assert_true(!pays("winograd_conv2d_forward_plain", 512, 2) && pays("winograd_2x2_conv2d_forward_plain", 512, 2));
    assert_true(!pays("winograd_conv2d_forward_plain", 64, 1) && !pays("winograd_2x2_conv2d_forward_plain", 64, 1));
    assert_true(!pays("winograd_conv2d_forward_plain", 3, 8) && !pays("winograd_2x2_conv2d_forward_plain", 3, 8));
}

/* Lavin and Gray's sums by hand: d = 0..15, g = [1 2 1; 0 0 0; -1 -2 -1] gives -32 everywhere. */
static void test_one_tile(void **state)
{
    static const float taps[9] = { 1, 2, 1, 0, 0, 0, -1, -2, -1 };
    problem p = { .in = 16, .out = 16, .height = 4, .width = 4, .samples = 1, .batch = 1, .tile = 2 };
    espl__conv2d a;
    float found[2 * 64];
    rig r;

    (void)state;
    problem_make(&p);
    for (int64_t i = 0; i < in_size(&p); i++)
        p.x[i] = (float)(i < 16 ? i : 0);
    for (int64_t i = 0; i < weights_size(&p); i++)
        p.parameter[0][i] = taps[i % 9];
    a = attributes_of(&p);
    assert_true(open_rig(&r, &p, &a, "forward", "plain"));
    rig_into(r.input[0], p.x, r.at.input[0], r.at.input_block[0], 1);
    rig_run(&r);
    rig_from(found, r.output, r.at.output, r.at.output_block, 1);
    for (int64_t i = 0; i < out_size(&p); i++)
        assert_true(found[i] == -32);
    rig_free(&r);
    problem_free(&p);
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
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_narrow_panel),
        cmocka_unit_test(test_any_channels),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_5x5),
        cmocka_unit_test(test_place_does_not_matter),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_chooses),
        cmocka_unit_test(test_one_tile),
    };

    return cmocka_run_group_tests(tests, open_context, close_context);
}
