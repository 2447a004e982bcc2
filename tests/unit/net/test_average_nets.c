/* The mean of weights: what it is, how far nets are apart, and why nets with permuted units must not be averaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/average_nets.h"

#include <espalier/ensemble.h>
#include <espalier/run.h>
#include <math.h>
#include <string.h>

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(NULL, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

/* x -> relu(w x) -> two outputs v and -v of it, without biases: 1 - 2 - 2. */
static espl_net *make(const float w[2], const float v[2], const char *activation)
{
    espl_builder *b = NULL;
    espl_net *net = NULL;

    assert_int_equal(espl_builder_open(ctx, 1, 1, 1, &b), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "flatten", NULL, "flat", NULL), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "dense", "units: 2, bias: no", "hidden", NULL), ESPL_OK);
    assert_int_equal(espl_builder_add(b, activation, NULL, "act", NULL), ESPL_OK);
    assert_int_equal(espl_builder_add(b, "dense", "units: 2, bias: no", "out", NULL), ESPL_OK);
    assert_int_equal(espl_net_build(b, "two", &net), ESPL_OK);
    espl_builder_free(b);
    memcpy(net->parameters[0].value, w, 2 * sizeof(float));
    for (int i = 0; i < 2; i++) {
        net->parameters[1].value[i] = v[i];
        net->parameters[1].value[2 + i] = -v[i];
    }
    return net;
}

/* The first logit at x = 2, from the probability: log(p / (1 - p)) / 2. */
static double answer(espl_net *net)
{
    const float x = 2;
    float p[2];

    assert_int_equal(espl_predict(net, &x, 1, p), ESPL_OK);
    return log((double)p[0] / (double)p[1]) / 2;
}

/* W1 = (1, -1), v = (1, -1) and its units exchanged answer 2 at x = 2; their mean answers 0, and is refused. */
static void test_permuted_units(void **unused)
{
    const float one[] = { 1, -1 }, other[] = { -1, 1 };
    espl_net *nets[] = { make(one, one, "relu"), make(other, other, "relu") }, *mean = NULL;
    espl_average result;

    (void)unused;
    assert_true(fabs(answer(nets[0]) - 2) < 1e-5 && fabs(answer(nets[1]) - 2) < 1e-5);
    assert_true(fabs(espl__nets_cosine(nets[0], nets[1]) + 1) < 1e-12);
    assert_int_equal(espl_net_average(nets, 2, &(espl_average_settings){ 0 }, &result, &mean), ESPL_BAD_STATE);
    assert_null(mean);
    assert_non_null(strstr(espl_message(ctx), "nets 1 and 2 are far apart"));
    assert_int_equal(espl_net_average(nets, 2, &(espl_average_settings){ .far = true }, &result, &mean), ESPL_OK);
    assert_true(fabs(answer(mean)) < 1e-6);
    espl_net_free(mean);
    espl_net_free(nets[0]);
    espl_net_free(nets[1]);
}

static void test_mean_of_near_nets(void **unused)
{
    espl_net *nets[] = { make((const float[]){ 1, -1 }, (const float[]){ 1, 0 }, "relu"),
                         make((const float[]){ 3, -1 }, (const float[]){ 2, 0 }, "relu"),
                         make((const float[]){ 2, -1 }, (const float[]){ 3, 0 }, "relu") };
    espl_average result;
    espl_net *mean = NULL;

    (void)unused;
    assert_int_equal(espl_net_average(nets, 3, &(espl_average_settings){ 0 }, &result, &mean), ESPL_OK);
    assert_int_equal(result.count, 3);
    assert_true(fabs(answer(mean) - 8) < 1e-4); /* 2 * 2 x */
    assert_true(result.cosine > 0.5 && result.cosine < 1);
    espl_net_free(mean);
    for (int i = 0; i < 3; i++)
        espl_net_free(nets[i]);
}

static void test_refuses_other_nets(void **unused)
{
    const float w[] = { 1, -1 };
    espl_net *nets[] = { make(w, w, "relu"), make(w, w, "tanh") }, *mean = NULL;
    espl_average result;

    (void)unused;
    assert_int_equal(espl_net_average(nets, 2, &(espl_average_settings){ 0 }, &result, &mean), ESPL_BAD_SHAPE);
    assert_non_null(strstr(espl_message(ctx), "from layer \"act\" on"));
    assert_int_equal(espl_net_average(nets, 2, &(espl_average_settings){ .greedy = true }, &result, &mean),
                     ESPL_BAD_OPTION);
    espl_net_free(nets[0]);
    espl_net_free(nets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permuted_units),
        cmocka_unit_test(test_mean_of_near_nets),
        cmocka_unit_test(test_refuses_other_nets),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
