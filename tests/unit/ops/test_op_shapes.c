/* What ops refuse, and with which words: every sentence says what was found and what is expected. And the
 * registry: names are unique, every table of attributes has defaults that parse. */
#include "base/tree.h"
#include "contract/op_cases.h"

static const struct {
    const char *op;
    const void *attributes;
    espl__shape input[3];
    espl_status status;
    const char *says[2]; /* both must occur in the message */
} refused[] = {
    { "conv2d", CONV(.channels = 0, .kernel = ONE(3)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "channels is 0", "1.." } },
    { "conv2d", CONV(.channels = 8), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "kernel has 0 values", "1 or 2" } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(0)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "kernel is 0", "1.." } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(3), .stride = ONE(0)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "stride is 0", "1.." } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(3), .pad = THREE(1, 1, 1)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "pad has 3 values", "1 or 2 or 4" } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(3), .pad = ONE(-1)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "pad is -1", "0.." } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(3), .dilation = ONE(0)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "dilation is 0", "1.." } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(7)), { PLANES(4, 5, 5) }, ESPL_BAD_SHAPE, { "7 high", "only 5" } },
    { "conv2d", CONV(.channels = 8, .kernel = TWO(1, 3), .dilation = ONE(3)), { PLANES(4, 5, 5) }, ESPL_BAD_SHAPE, { "7 wide", "smaller kernel" } },
    { "conv2d", WITH(espl__conv2d, .channels = 8, .kernel = ONE(1), .groups = 3), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "3 groups", "4 input and 8 output" } },
    { "conv2d", WITH(espl__conv2d, .channels = 6, .kernel = ONE(1), .groups = 0), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "4 groups", "6 output" } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(1)), { VECTOR(7) }, ESPL_BAD_SHAPE, { "shape 7", "planes" } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(1)), { PLANES(4, 5, 5), PLANES(8, 4, 5) }, ESPL_BAD_SHAPE, { "8x4x5", "8x5x5" } },
    { "dense", WITH(espl__dense, .units = 10), { PLANES(4, 5, 5) }, ESPL_BAD_SHAPE, { "4x5x5", "put flatten" } },
    { "dense", WITH(espl__dense, .units = 0), { VECTOR(5) }, ESPL_BAD_OPTION, { "units is 0", "1.." } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 0, .momentum = 0.1), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "epsilon is 0", "expected" } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = NAN, .momentum = 0.1), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "epsilon is", "expected" } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 1.5), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "momentum is 1.5", "0..1" } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5), { PLANES(4, 5, 5), PLANES(4, 5, 4) }, ESPL_BAD_SHAPE, { "4x5x4", "4x5x5" } },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = -1), { VECTOR(5) }, ESPL_BAD_OPTION, { "epsilon is -1", "expected" } },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = 1e-5), { VECTOR(1) }, ESPL_BAD_SHAPE, { "one value", "two" } },
    { "group_norm", WITH(espl__group_norm, .epsilon = 1e-5, .groups = 3), { PLANES(4, 2, 2) }, ESPL_BAD_OPTION, { "3 groups", "4 channels" } },
    { "group_norm", WITH(espl__group_norm, .epsilon = 1e-5, .groups = 0), { PLANES(4, 1, 1) }, ESPL_BAD_SHAPE, { "one value", "fewer groups" } },
    { "add", NULL, { PLANES(4, 5, 5), PLANES(4, 5, 6) }, ESPL_BAD_SHAPE, { "4x5x6", "4x5x5" } },
    { "mul", NULL, { PLANES(4, 5, 5), VECTOR(3) }, ESPL_BAD_SHAPE, { "4x5x5 and 3", "agree or be 1" } },
    { "mul", NULL, { PLANES(4, 5, 5), PLANES(4, 5, 2) }, ESPL_BAD_SHAPE, { "4x5x2", "agree or be 1" } },
    { "concat", NULL, { PLANES(4, 5, 5), PLANES(4, 5, 6) }, ESPL_BAD_SHAPE, { "input 2", "4x5x6" } },
    { "concat", NULL, { PLANES(4, 1, 1), VECTOR(4) }, ESPL_BAD_SHAPE, { "input 2", "but the channels" } },
    { "slice", WITH(espl__slice, .begin = ONE(4)), { VECTOR(4) }, ESPL_BAD_OPTION, { "4 values", "begin 4" } },
    { "slice", WITH(espl__slice, .end = ONE(5)), { VECTOR(4) }, ESPL_BAD_OPTION, { "4 values", "end 5" } },
    { "slice", WITH(espl__slice, .begin = ONE(-5)), { VECTOR(4) }, ESPL_BAD_OPTION, { "4 values", "begin -5" } },
    { "slice", WITH(espl__slice, .end = ONE(-4)), { VECTOR(4) }, ESPL_BAD_OPTION, { "4 values", "end -4" } },
    { "slice", WITH(espl__slice, .step = ONE(0)), { VECTOR(4) }, ESPL_BAD_OPTION, { "step is 0", "1.." } },
    { "slice", WITH(espl__slice, .begin = TWO(0, 0)), { VECTOR(4) }, ESPL_BAD_OPTION, { "begin has 2 values", "1" } },
    { "pad", WITH(espl__pad, .before = ONE(-1)), { VECTOR(4) }, ESPL_BAD_OPTION, { "before is -1", "0.." } },
    { "pad", WITH(espl__pad, .value = INFINITY), { VECTOR(4) }, ESPL_BAD_OPTION, { "value is inf", "expected" } },
    { "max_pool", WITH(espl__pool, .kernel = ONE(2), .pad = ONE(2)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "pad is 2", "kernel of 2" } },
    { "max_pool", WITH(espl__pool, .kernel = ONE(300)), { PLANES(1, 400, 400) }, ESPL_BAD_OPTION, { "90000", "global pooling" } },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(6)), { PLANES(4, 5, 5) }, ESPL_BAD_SHAPE, { "6 high", "only 5" } },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(2), .stride = ONE(-1)), { PLANES(4, 5, 5) }, ESPL_BAD_OPTION, { "stride is -1", "0.." } },
    { "global_avg_pool", NULL, { VECTOR(4) }, ESPL_BAD_SHAPE, { "shape 4", "planes" } },
    { "global_max_pool", NULL, { VECTOR(4) }, ESPL_BAD_SHAPE, { "shape 4", "planes" } },
    { "leaky_relu", WITH(espl__leaky_relu, .slope = -0.1), { VECTOR(4) }, ESPL_BAD_OPTION, { "slope is -0.1", "0..1" } },
    { "elu", WITH(espl__elu, .alpha = NAN), { VECTOR(4) }, ESPL_BAD_OPTION, { "alpha is", "expected" } },
    { "gelu", WITH(espl__gelu, .form = 2), { VECTOR(4) }, ESPL_BAD_OPTION, { "form is 2", "0..1" } },
    { "hard_sigmoid", WITH(espl__hard_sigmoid, .slope = 0), { VECTOR(4) }, ESPL_BAD_OPTION, { "slope is 0", "expected" } },
    { "reshape", WITH(espl__reshape, .shape = ONE(5)), { PLANES(2, 2, 2) }, ESPL_BAD_SHAPE, { "2x2x2", "shape 5" } },
    { "reshape", WITH(espl__reshape, .shape = TWO(-1, 3)), { PLANES(2, 2, 2) }, ESPL_BAD_SHAPE, { "2x2x2", "do not fill" } },
    { "reshape", WITH(espl__reshape, .shape = TWO(-1, -1)), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "shape -1x-1", "only one -1" } },
    { "reshape", WITH(espl__reshape, .shape = TWO((int64_t)1 << 40, (int64_t)1 << 40)), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "1099511627776", "more than the input" } },
    { "reshape", WITH(espl__reshape, .shape = { .count = 0 }), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "shape has 0 values", "expected" } },
    { "transpose", WITH(espl__transpose, .order = THREE(0, 1, 1)), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "twice", "0..2" } },
    { "transpose", WITH(espl__transpose, .order = TWO(0, 1)), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "order has 2 values", "3" } },
    { "resize", WITH(espl__resizing, .scale = { 1, { 0.1 } }), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "scaled height is 0", "1.." } },
    { "resize", WITH(espl__resizing, .scale = { 1, { -2 } }), { PLANES(2, 2, 2) }, ESPL_BAD_OPTION, { "scale is -2", "expected" } },
    { "resize", WITH(espl__resizing, .size = ONE(2)), { VECTOR(4) }, ESPL_BAD_SHAPE, { "shape 4", "planes" } },
    { "dropout", WITH(espl__dropout, .rate = 1), { VECTOR(4) }, ESPL_BAD_OPTION, { "rate is 1", "0..0.999999" } },
    { "dropout", WITH(espl__dropout, .rate = -0.1), { VECTOR(4) }, ESPL_BAD_OPTION, { "rate is -0.1", "0.." } },
    { "dropout", WITH(espl__dropout, .rate = NAN), { VECTOR(4) }, ESPL_BAD_OPTION, { "rate is", "0.." } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_MEAN), { VECTOR(3), VECTOR(4) }, ESPL_BAD_SHAPE, { "input 2", "input 1" } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_MEAN), { VECTOR(1), VECTOR(1) }, ESPL_BAD_SHAPE, { "one value", "two classes" } },
    { "combine", WITH(espl__combine, .weights = TWO(0.5, 0.4)), { VECTOR(3), VECTOR(3) }, ESPL_BAD_OPTION, { "0.9", "to 1" } },
    { "combine", WITH(espl__combine, .weights = TWO(0.5, 0.5)), { VECTOR(3), VECTOR(3), VECTOR(3) }, ESPL_BAD_OPTION, { "2 values", "3 are expected" } },
    { "distillation", WITH(espl__distillation, .temperature = 0, .share = 0.5), { VECTOR(4) }, ESPL_BAD_OPTION, { "temperature is 0", "0.01..1000" } },
    { "distillation", WITH(espl__distillation, .temperature = 1, .share = 2), { VECTOR(4) }, ESPL_BAD_OPTION, { "share is 2", "0..1" } },
    { "distillation", WITH(espl__distillation, .temperature = 1, .share = 1, .known = 5), { VECTOR(4) }, ESPL_BAD_OPTION, { "known is 5", "0..4" } },
    { "distillation", WITH(espl__distillation, .temperature = 1, .share = 1), { VECTOR(1) }, ESPL_BAD_SHAPE, { "one value", "two classes" } },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 2), { VECTOR(4) }, ESPL_BAD_OPTION, { "label-smoothing is 2", "0..1" } },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0), { VECTOR(1) }, ESPL_BAD_SHAPE, { "one value", "two classes" } },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0), { PLANES(4, 1, 1) }, ESPL_BAD_SHAPE, { "4x1x1", "vector" } },
    { "binary_cross_entropy", NULL, { PLANES(4, 1, 1) }, ESPL_BAD_SHAPE, { "4x1x1", "vector" } },
    { "mean_squared_error", NULL, { PLANES(4, 1, 1) }, ESPL_BAD_SHAPE, { "4x1x1", "vector" } },
    { "resize", WITH(espl__resizing, .size = ONE(1 << 20)), { PLANES(4096, 2, 2) }, ESPL_BAD_SHAPE, { "4096x1048576x1048576", "not possible" } },
};

static void test_refused(void **state)
{
    espl_context *ctx;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; i < ESPL__COUNT(refused); i++) {
        espl__shape_call call = { .ctx = ctx, .attributes = refused[i].attributes };
        while (call.input_count < 3 && refused[i].input[call.input_count].rank) {
            call.input[call.input_count] = refused[i].input[call.input_count];
            call.input_count++;
        }
        const espl_status s = espl__op_find(refused[i].op)->shape(&call);
        const char *message = espl_message(ctx);
        if (s != refused[i].status || !strstr(message, refused[i].says[0]) || !strstr(message, refused[i].says[1]))
            fail_msg("%s (line %d): status %s, \"%s\" does not say \"%s\" and \"%s\"", refused[i].op, i,
                     espl_status_name(s), message, refused[i].says[0], refused[i].says[1]);
    }
    espl_context_free(ctx);
}

/* Where an op has attributes, something must be refused; otherwise the table above has a hole. */
static void test_every_check_is_tried(void **state)
{
    const espl__op *op;

    (void)state;
    for (int i = 0; (op = espl__op_at(i)); i++) {
        bool tried = !op->attributes;
        for (int k = 0; k < ESPL__COUNT(refused); k++)
            tried = tried || strcmp(refused[k].op, op->name) == 0;
        if (!tried)
            fail_msg("nothing that %s refuses is tried", op->name);
    }
}

static void test_registry(void **state)
{
    const espl__op *op, *other;
    espl_context *ctx;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; (op = espl__op_at(i)); i++) {
        char attributes[4096];
        assert_ptr_equal(espl__op_find(op->name), op);
        assert_true(op->size <= sizeof attributes && !op->size == !op->attributes);
        assert_true(op->inputs_min >= 1 && op->inputs_max >= op->inputs_min && op->inputs_max <= ESPL__INPUTS_MAX);
        for (int k = 0; k < i && (other = espl__op_at(k)); k++)
            assert_string_not_equal(op->name, other->name);
        if (op->attributes && espl__options_begin(ctx, op->attributes, attributes))
            fail_msg("%s: %s", op->name, espl_message(ctx));
    }
    assert_null(espl__op_find("no such op"));
    assert_null(espl__op_at(-1));
    espl_context_free(ctx);
}

/* With nothing but what must be given, attributes come out as every framework has them. */
static void test_defaults(void **state)
{
    espl__conv2d conv;
    espl__pool pool;
    espl__dropout dropout;
    espl_context *ctx;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl__options_begin(ctx, espl__op_find("conv2d")->attributes, &conv), ESPL_OK);
    conv.kernel = (espl_counts)ONE(3);
    const espl__window w = espl__conv2d_window(&conv, 16);
    assert_true(w.groups == 1 && conv.bias && w.stride[1] == 1 && w.dilation[0] == 1 && w.after[1] == 0);
    assert_int_equal(espl__options_begin(ctx, espl__op_find("max_pool")->attributes, &pool), ESPL_OK);
    pool.kernel = (espl_counts)TWO(3, 2);
    assert_int_equal(espl__pool_window(&pool).stride[0], 3);
    assert_int_equal(espl__pool_window(&pool).stride[1], 2);
    assert_int_equal(espl__options_begin(ctx, espl__op_find("dropout")->attributes, &dropout), ESPL_OK);
    assert_true(dropout.rate == 0.5 && !dropout.whole_channels);
    espl_context_free(ctx);
}

/* docs/ops.md names every op and every attribute, as a user would write them. */
static void test_documented(void **state)
{
    const espl__op *op;
    espl_context *ctx;
    size_t bytes;
    char *page, quoted[128];

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl__file_read(ctx, ESPL__SOURCE_DIR "/docs/ops.md", 1 << 20, &page, &bytes))
        fail_msg("%s", espl_message(ctx));
    for (int i = 0; (op = espl__op_at(i)); i++) {
        snprintf(quoted, sizeof quoted, "`%s`", op->name);
        if (!strstr(page, quoted))
            fail_msg("docs/ops.md does not name %s", quoted);
        for (const espl_option *a = op->attributes; a && a->name; a++) {
            snprintf(quoted, sizeof quoted, "`%s`", a->name);
            for (char *c = quoted; *c; c++)
                *c = *c == '_' ? '-' : *c;
            if (!strstr(page, quoted))
                fail_msg("docs/ops.md does not name %s of %s", quoted, op->name);
        }
    }
    espl__release(ctx, page);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_check_is_tried),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
