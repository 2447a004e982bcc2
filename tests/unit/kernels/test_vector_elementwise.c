/* relu, relu6 and add on every instruction set this processor has, at sizes that leave a rest. */
#include "kernel_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static espl_context *ctx;
static const char *const variants[] = { "plain", "avx2", "avx512" };
static const float values[] = { -7, -0.0f, 0, 1e-38f, 0.5f, 5.9999995f, 6, 6.0000005f, 40 };

static float value_at(int64_t i)
{
    return values[i * 7 % ESPL__COUNT(values)] * (float)(1 + i % 2);
}

static bool open_rig(rig *r, const char *stem, const char *variant, int64_t features, int inputs)
{
    char name[64];

    *r = (rig){ .samples = 3, .batch = 3 };
    r->node.input_count = r->at.input_count = inputs;
    r->at.output = r->at.input[0] = r->at.input[1] = espl__shape_vector(features);
    r->at.output_block = r->at.input_block[0] = r->at.input_block[1] = 1;
    r->at.isa = espl__isa_here();
    snprintf(name, sizeof(name), "%s_%s", stem, variant);
    if (!rig_find(name) || !rig_open(r, ctx, rig_find(name)))
        return false;
    for (int64_t i = 0; i < 3 * features; i++) {
        r->input[0][i] = value_at(i);
        if (inputs > 1)
            r->input[1][i] = (float)i;
        r->grad_output[i] = (float)(i + 1);
        r->output[i] = value_at(i) < 0 ? 0 : value_at(i);
    }
    return true;
}

static void try_activation(const char *variant, int64_t features, bool six)
{
    rig r;

    if (open_rig(&r, six ? "vector_relu6_forward" : "vector_relu_forward", variant, features, 1)) {
        rig_run(&r);
        for (int64_t i = 0; i < 3 * features; i++) {
            const float v = value_at(i);
            assert_true(r.output[i] == (v < 0 ? 0 : six && v > 6 ? 6
                                                                 : v));
        }
        rig_free(&r);
    }
    if (open_rig(&r, six ? "vector_relu6_backward" : "vector_relu_backward", variant, features, 1)) {
        rig_run(&r);
        for (int64_t i = 0; i < 3 * features; i++) {
            const float v = value_at(i);
            assert_true(r.grad_input[0][i] == (v > 0 && (!six || v < 6) ? (float)(i + 1) : 0));
        }
        rig_free(&r);
    }
}

static void test_activations(void **state)
{
    (void)state;
    for (int v = 0; v < 3; v++)
        for (int64_t features = 1; features < 40; features++) {
            try_activation(variants[v], features, false);
            try_activation(variants[v], features, true);
        }
}

/* A diverging net must stay visible behind its activations. */
static void test_not_a_number(void **state)
{
    (void)state;
    for (int v = 0; v < 3; v++)
        for (int six = 0; six < 2; six++) {
            rig r;
            if (!open_rig(&r, six ? "vector_relu6_forward" : "vector_relu_forward", variants[v], 20, 1))
                continue;
            r.input[0][3] = r.input[0][59] = NAN;
            rig_run(&r);
            assert_true(isnan(r.output[3]) && isnan(r.output[59]) && !isnan(r.output[4]));
            rig_free(&r);
        }
}

static void test_add(void **state)
{
    (void)state;
    for (int v = 0; v < 3; v++)
        for (int64_t features = 1; features < 40; features++) {
            rig r;
            if (!open_rig(&r, "vector_add_forward", variants[v], features, 2))
                continue;
            rig_run(&r);
            for (int64_t i = 0; i < 3 * features; i++)
                assert_true(r.output[i] == value_at(i) + (float)i);
            rig_free(&r);
        }
}

static void test_plain_is_always_there(void **state)
{
    (void)state;
    rig r;
    assert_true(open_rig(&r, "vector_add_forward", "plain", 8, 2));
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
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_plain_is_always_there),
    };

    return cmocka_run_group_tests(tests, open_context, close_context);
}
