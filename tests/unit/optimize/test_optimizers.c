/* The optimizers against hand-computed steps: techniques.md's oracles of Adam and momentum, and what
 * follows from the formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tree.h"
#include "optimize/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT 5

/* An optimizer with options and tensors for one short parameter. */
typedef struct bench {
    espl_context *ctx;
    const espl__optimizer *optimizer;
    double options[32];
    float value[COUNT], gradient[COUNT], state[ESPL__STATES_MAX][COUNT];
    int64_t times;
} bench;

static void begin(bench *b, const char *name, const char *settings)
{
    espl__document *document = NULL;

    memset(b, 0, sizeof *b);
    assert_int_equal(espl_context_open(NULL, &b->ctx), ESPL_OK);
    b->optimizer = espl__optimizer_find(name);
    assert_non_null(b->optimizer);
    assert_true(b->optimizer->size <= sizeof b->options);
    assert_int_equal(espl__document_parse_settings(b->ctx, "test", settings, &document), ESPL_OK);
    if (espl__options_read(document, document->root, b->optimizer->options, name, b->options))
        fail_msg("%s", espl_message(b->ctx));
    espl__document_free(document);
}

static void end(bench *b)
{
    espl_context_free(b->ctx);
}

static void set_all(float *values, float value)
{
    for (int i = 0; i < COUNT; i++)
        values[i] = value;
}

static void update(bench *b, float gradient)
{
    const espl__optimizer_common *common = (const void *)b->options;
    float *state[ESPL__STATES_MAX] = { b->state[0], b->state[1], b->state[2] };

    set_all(b->gradient, gradient);
    b->optimizer->update(b->options, &(espl__update){ .value = b->value, .gradient = b->gradient, .state = state, .count = COUNT, .times = ++b->times, .rate = common->rate, .decay = common->decay });
    for (int i = 1; i < COUNT; i++) /* every value of a block is treated alike */
        assert_true(b->value[i] == b->value[0]);
}

/* Within a few roundings of float. */
static void close_to(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-6 * fabs(expected) + 1e-12))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

/* ---- SGD ---- */

static void test_plain_sgd_needs_nothing_kept(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "sgd", "rate: 0.5, momentum: 0");
    assert_int_equal(espl__optimizer_states(b.optimizer, b.options), 0);
    set_all(b.value, 1);
    update(&b, 3);
    close_to(b.value[0], 1 - 0.5 * 3);
    end(&b);
}

static void test_momentum_gathers_to_ten(void **unused)
{
    bench b;
    double w = 0;

    (void)unused;
    begin(&b, "sgd", "rate: 0.01, momentum: 0.9");
    const double expected[] = { 1, 1.9, 2.71 };
    for (int t = 0; t < 3; t++) {
        update(&b, 1);
        close_to(b.state[0][0], expected[t]);
        w -= 0.01 * expected[t];
        close_to(b.value[0], w);
    }
    while (b.times < 10)
        update(&b, 1);
    close_to(b.state[0][0], 6.513215599); /* 10 (1 - 0.9^10) */
    while (b.times < 400)
        update(&b, 1);
    close_to(b.state[0][0], 10);
    end(&b);
}

static void test_nesterov_looks_ahead(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "sgd", "rate: 0.1, momentum: 0.9, nesterov: yes");
    update(&b, 1); /* v = 1, step g + mu v = 1.9 */
    close_to(b.value[0], -0.19);
    update(&b, 1); /* v = 1.9, step 2.71 */
    close_to(b.value[0], -0.19 - 0.271);
    end(&b);
}

/* On the quadratic h w^2 / 2 heavy ball is stable up to rate h = 2 (1 + mu) = 3.8. */
static double quadratic(const char *settings, double h, int steps)
{
    bench b;
    double largest = 0;

    begin(&b, "sgd", settings);
    set_all(b.value, 1);
    for (int t = 0; t < steps; t++)
        update(&b, (float)(h * (double)b.value[0]));
    largest = fabs((double)b.value[0]);
    end(&b);
    return largest;
}

static void test_momentum_is_stable_up_to_its_limit(void **unused)
{
    (void)unused;
    assert_true(quadratic("rate: 1, momentum: 0.9", 3.75, 200) < 1e-3);
    assert_true(quadratic("rate: 1, momentum: 0.9", 3.85, 200) > 1e3);
}

/* rate h = 0.01 is critically damped at mu = 0.81: the error falls about like 0.9^t, faster than with
 * more or less momentum. */
static void test_critical_damping(void **unused)
{
    (void)unused;
    const double critical = quadratic("rate: 1, momentum: 0.81", 0.01, 150);
    assert_true(critical < 150 * pow(0.9, 149));
    assert_true(critical < quadratic("rate: 1, momentum: 0.7", 0.01, 150));
    assert_true(critical < quadratic("rate: 1, momentum: 0.95", 0.01, 150));
}

/* ---- Adam ---- */

static void test_adam_with_constant_gradient(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "adam", "");
    for (int t = 1; t <= 20; t++) {
        update(&b, 2);
        close_to((double)b.value[0], -0.000999999995 * t);
    }
    end(&b);
}

static void test_adam_with_changing_gradient(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "adam", "");
    update(&b, 1);
    update(&b, -3);
    close_to((double)b.state[0][0], -0.21);
    close_to((double)b.state[1][0], 0.009999);
    /* -0.001 / (1 + 1e-8), then the second step with mh = -1.105263158, vh = 5.002001001 */
    close_to((double)b.value[0], -0.0005058101589);
    end(&b);
}

static void test_adam_does_not_feel_the_scale(void **unused)
{
    bench small, large;

    (void)unused;
    begin(&small, "adam", "");
    begin(&large, "adam", "");
    for (int t = 0; t < 10; t++) {
        update(&small, 0.5f + (float)(t % 3));
        update(&large, 100 * (0.5f + (float)(t % 3)));
        close_to((double)small.value[0], (double)large.value[0]);
        assert_true(fabs((double)small.value[0]) <= 0.001 * (t + 1) * 1.000001);
    }
    end(&small);
    end(&large);
}

/* Without the correction the first step would be (1-b1)/sqrt(1-b2) = 3.1623 times larger. */
static void test_adam_corrects_each_parameter_from_its_own_start(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "adam", "");
    update(&b, 1e-3f);
    close_to((double)b.value[0], -0.001 * 1e-3 / (1e-3 + 1e-8));
    end(&b);
}

static void test_adamw_decays_apart_from_the_gradient(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "adamw", "rate: 0.01, decay: 0.1");
    assert_true(b.optimizer->decoupled);
    set_all(b.value, 2);
    update(&b, 0); /* no gradient: decay alone, however small the mean square is */
    close_to((double)b.value[0], 2 * (1 - 0.01 * 0.1));
    end(&b);
}

/* ---- RMSprop ---- */

static void test_rmsprop(void **unused)
{
    bench b;

    (void)unused;
    begin(&b, "rmsprop", "rate: 0.01, memory: 0.9");
    assert_int_equal(espl__optimizer_states(b.optimizer, b.options), 1);
    update(&b, 2); /* v = 0.4 */
    close_to((double)b.value[0], -0.01 * 2 / (sqrt(0.4) + 1e-8));
    update(&b, 2); /* v = 0.76 */
    close_to((double)b.value[0], -0.01 * 2 / (sqrt(0.4) + 1e-8) - 0.01 * 2 / (sqrt(0.76) + 1e-8));
    end(&b);
}

static void test_rmsprop_with_momentum(void **unused)
{
    bench b;
    double u = 0, v = 0, w = 0;

    (void)unused;
    begin(&b, "rmsprop", "rate: 0.01, memory: 0.5, momentum: 0.8");
    assert_int_equal(espl__optimizer_states(b.optimizer, b.options), 2);
    for (int t = 0; t < 5; t++) {
        v = 0.5 * v + 0.5 * 9;
        u = 0.8 * u + 3 / (sqrt(v) + 1e-8);
        w -= 0.01 * u;
        update(&b, 3);
        close_to((double)b.value[0], w);
    }
    end(&b);
}

/* ---- options ---- */

static void refuse(const char *name, const char *settings, const char *word)
{
    espl_context *ctx = NULL;
    espl__document *document = NULL;
    double options[32];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl__document_parse_settings(ctx, "test", settings, &document), ESPL_OK);
    if (espl__options_read(document, document->root, espl__optimizer_find(name)->options, name, options) !=
            ESPL_BAD_OPTION ||
        !strstr(espl_message(ctx), word))
        fail_msg("%s {%s}: %s", name, settings, espl_message(ctx));
    espl__document_free(document);
    espl_context_free(ctx);
}

static void test_bad_options_are_refused_by_name(void **unused)
{
    (void)unused;
    const char *const all[] = { "sgd", "adam", "adamw", "rmsprop" };
    for (int i = 0; i < 4; i++) {
        refuse(all[i], "rate: 0", "rate");
        refuse(all[i], "rate: -1", "rate");
        refuse(all[i], "rate: nan", "rate");
        refuse(all[i], "rate: inf", "rate");
        refuse(all[i], "decay: -0.1", "decay");
        refuse(all[i], "rat: 0.1", "rat");
    }
    refuse("sgd", "momentum: 1", "momentum");
    refuse("sgd", "momentum: -0.1", "momentum");
    refuse("sgd", "nesterov: maybe", "nesterov");
    refuse("adam", "beta1: 1", "beta1");
    refuse("adam", "beta2: 1", "beta2");
    refuse("adam", "beta1: -0.5", "beta1");
    refuse("adam", "epsilon: 0", "epsilon");
    refuse("rmsprop", "memory: 1", "memory");
}

static void test_every_optimizer_is_found(void **unused)
{
    (void)unused;
    for (int i = 0; espl__optimizer_at(i); i++) {
        const espl__optimizer *o = espl__optimizer_at(i);
        assert_ptr_equal(espl__optimizer_find(o->name), o);
        assert_string_equal(o->options[0].name, "rate");
        assert_string_equal(o->options[1].name, "decay");
        assert_int_equal(o->options[0].offset, offsetof(espl__optimizer_common, rate));
        assert_int_equal(o->options[1].offset, offsetof(espl__optimizer_common, decay));
    }
    assert_null(espl__optimizer_find("sgdx"));
    assert_null(espl__optimizer_at(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_sgd_needs_nothing_kept),
        cmocka_unit_test(test_momentum_gathers_to_ten),
        cmocka_unit_test(test_nesterov_looks_ahead),
        cmocka_unit_test(test_momentum_is_stable_up_to_its_limit),
        cmocka_unit_test(test_critical_damping),
        cmocka_unit_test(test_adam_with_constant_gradient),
        cmocka_unit_test(test_adam_with_changing_gradient),
        cmocka_unit_test(test_adam_does_not_feel_the_scale),
        cmocka_unit_test(test_adam_corrects_each_parameter_from_its_own_start),
        cmocka_unit_test(test_adamw_decays_apart_from_the_gradient),
        cmocka_unit_test(test_rmsprop),
        cmocka_unit_test(test_rmsprop_with_momentum),
        cmocka_unit_test(test_bad_options_are_refused_by_name),
        cmocka_unit_test(test_every_optimizer_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
