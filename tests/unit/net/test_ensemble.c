/* One net of several: it answers what its members answer together, has once what they share, travels as one file,
 * and nets that do not fit are refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "net/net.h"

#include <espalier/ensemble.h>
#include <espalier/run.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASSES 4
#define MEMBERS 3
#define SAMPLES 5
#define SIZE (2 * 6 * 6)

static const char *const layers[][3] = {
    { "conv2d", "channels: 3, kernel: 3", "body" },
    { "batch_norm", NULL, "norm" },
    { "relu", NULL, "act" },
    { "flatten", NULL, "flat" },
    { "dense", "4", "head" },
    { "softmax", NULL, "end" },
};

/* A net of `count` layers whose weights come from `seed`. */
static espl_status make(espl_context *ctx, int count, int64_t side, uint64_t seed, espl_net **net)
{
    espl_builder *b = NULL;
    espl_status s = espl_builder_open(ctx, 2, side, side, &b);

    *net = NULL;
    for (int i = 0; i < count && !s; i++)
        s = espl_builder_add(b, layers[i][0], layers[i][1], layers[i][2], NULL);
    if (!s && !(s = espl_net_build(b, "small", net)))
        espl__net_fill(*net, seed);
    espl_builder_free(b);
    return s;
}

typedef struct rig {
    espl_context *ctx;
    espl_net *members[MEMBERS], *ensemble;
    float samples[SAMPLES * SIZE], p[MEMBERS][SAMPLES * CLASSES], found[SAMPLES * CLASSES];
} rig;

/* Members of 5 or 6 layers: of some the softmax belongs to the net. With `shared` the body is the same in all. */
static void rig_open(rig *r, bool shared)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(espl_context_open(NULL, &r->ctx), ESPL_OK);
    espl__random random = espl__random_at(espl__stream_of(1, "samples"), 0, 0);
    for (int i = 0; i < SAMPLES * SIZE; i++)
        r->samples[i] = espl__random_normal(&random);
    for (int m = 0; m < MEMBERS; m++) {
        assert_int_equal(make(r->ctx, 5 + m % 2, 6, shared ? 1 : (uint64_t)m + 1, &r->members[m]), ESPL_OK);
        espl_net *net = r->members[m];
        for (int i = 0; i < net->graph->parameter_count; i++)
            if (shared && strncmp(net->graph->parameters[i].name, "head", 4) == 0)
                net->parameters[i].value[0] += (float)m;
        assert_int_equal(espl_predict(net, r->samples, SAMPLES, r->p[m]), ESPL_OK);
    }
}

static void rig_build(rig *r, espl_combine by, const double *weights)
{
    espl_net_free(r->ensemble);
    if (espl_ensemble_build(r->members, MEMBERS, by, weights, &r->ensemble))
        fail_msg("%s", espl_message(r->ctx));
    assert_int_equal(espl_predict(r->ensemble, r->samples, SAMPLES, r->found), ESPL_OK);
}

static void rig_close(rig *r)
{
    for (int m = 0; m < MEMBERS; m++)
        espl_net_free(r->members[m]);
    espl_net_free(r->ensemble);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
}

static void test_answers_together(void **unused)
{
    const double weights[MEMBERS] = { 0.5, 0.3, 0.2 };
    rig r;

    (void)unused;
    rig_open(&r, false);
    for (int weighted = 0; weighted < 2; weighted++) {
        rig_build(&r, ESPL_COMBINE_MEAN, weighted ? weights : NULL);
        for (int i = 0; i < SAMPLES * CLASSES; i++) {
            double mean = 0;
            for (int m = 0; m < MEMBERS; m++)
                mean += (weighted ? weights[m] : 1.0 / MEMBERS) * (double)r.p[m][i];
            assert_true(fabs((double)r.found[i] - mean) < 1e-6);
        }
    }
    rig_close(&r);
}

static void test_shares_what_is_equal(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r, true);
    rig_build(&r, ESPL_COMBINE_MEAN, NULL);
    const int64_t head = CLASSES * (3 * 4 * 4 + 1), body = espl_net_parameters(r.members[0]) - head;
    assert_int_equal(espl_net_parameters(r.ensemble), body + MEMBERS * head);
    assert_true(espl__graph_find(r.ensemble->graph, "body") > 0);
    assert_true(espl__graph_find(r.ensemble->graph, "member_3.head") > 0);
    for (int i = 0; i < SAMPLES * CLASSES; i++)
        assert_true(fabs((double)r.found[i] - ((double)r.p[0][i] + (double)r.p[1][i] + (double)r.p[2][i]) / 3) < 1e-6);
    rig_close(&r);
}

/* The same net three times is that net: its size, and its answers to the bit. */
static void test_of_one_net(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r, false);
    espl_net *same[MEMBERS] = { r.members[1], r.members[1], r.members[1] };
    assert_int_equal(espl_ensemble_build(same, MEMBERS, ESPL_COMBINE_MEAN, NULL, &r.ensemble), ESPL_OK);
    assert_int_equal(espl_net_parameters(r.ensemble), espl_net_parameters(r.members[1]));
    assert_int_equal(espl_predict(r.ensemble, r.samples, SAMPLES, r.found), ESPL_OK);
    assert_memory_equal(r.found, r.p[1], sizeof r.found);
    rig_close(&r);
}

static void test_is_one_file(void **unused)
{
    char path[] = "/tmp/espalier_ensemble_XXXXXX.safetensors";
    float again[SAMPLES * CLASSES];
    espl_net *read = NULL;
    rig r;

    (void)unused;
    rig_open(&r, true);
    close(mkstemps(path, 12));
    const char *const names[CLASSES] = { "a", "b", "c", "d" };
    for (int m = 0; m < MEMBERS; m++)
        assert_int_equal(espl__net_set_classes(r.members[m], names, CLASSES), ESPL_OK);
    rig_build(&r, ESPL_COMBINE_VOTE, (const double[]){ 0.2, 0.2, 0.6 });
    assert_int_equal(espl_net_save(r.ensemble, path), ESPL_OK);
    assert_int_equal(espl_net_load(r.ctx, path, &read), ESPL_OK);
    assert_int_equal(espl_predict(read, r.samples, SAMPLES, again), ESPL_OK);
    assert_memory_equal(again, r.found, sizeof again);
    assert_string_equal(espl_net_class_name(read, 2), "c");
    espl_net_free(read);
    remove(path);
    rig_close(&r);
}

static void refuses(rig *r, espl_net *other, const char *words)
{
    espl_net *pair[] = { r->members[0], other }, *result = NULL;

    assert_int_equal(espl_ensemble_build(pair, 2, ESPL_COMBINE_MEAN, NULL, &result), ESPL_BAD_SHAPE);
    assert_null(result);
    if (!strstr(espl_message(r->ctx), words))
        fail_msg("\"%s\" is not in \"%s\"", words, espl_message(r->ctx));
}

static void test_refuses_what_does_not_fit(void **unused)
{
    espl_net *other = NULL;
    rig r;

    (void)unused;
    rig_open(&r, false);
    assert_int_equal(make(r.ctx, 5, 7, 1, &other), ESPL_OK);
    refuses(&r, other, "samples of 2x7x7 but net 1 (\"small\") of 2x6x6");
    espl_net_free(other);
    assert_int_equal(make(r.ctx, 4, 6, 1, &other), ESPL_OK);
    refuses(&r, other, "tells 48 classes apart");
    espl_net_free(other);
    const char *const a[CLASSES] = { "a", "b", "c", "d" }, *const b[CLASSES] = { "a", "c", "b", "d" };
    assert_int_equal(espl__net_set_classes(r.members[0], a, CLASSES), ESPL_OK);
    assert_int_equal(espl__net_set_classes(r.members[1], b, CLASSES), ESPL_OK);
    refuses(&r, r.members[1], "class 1 \"c\" but net 1 \"b\"");
    assert_int_equal(espl_net_prepare(r.members[0], "unit"), ESPL_OK);
    assert_int_equal(espl_net_prepare(r.members[2], "symmetric"), ESPL_OK);
    refuses(&r, r.members[2], "prepared otherwise");
    rig_close(&r);
    rig_open(&r, false);
    assert_int_equal(espl_ensemble_build(r.members, MEMBERS, ESPL_COMBINE_MEAN, (const double[]){ 0.5, 0.4, 0 },
                                         &r.ensemble),
                     ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(r.ctx), "add up to 0.9"));
    assert_int_equal(espl_ensemble_build(r.members, MEMBERS, ESPL_COMBINE_MEAN, (const double[]){ 1.5, -0.5, 0 },
                                         &r.ensemble),
                     ESPL_BAD_OPTION);
    rig_close(&r);
}

static espl_status build_once(espl_context *ctx, void *unused)
{
    espl_net *members[2] = { NULL, NULL }, *ensemble = NULL;
    espl_status s;

    (void)unused;
    if (!(s = make(ctx, 5, 6, 1, &members[0])) && !(s = make(ctx, 6, 6, 2, &members[1])))
        s = espl_ensemble_build(members, 2, ESPL_COMBINE_LOGITS, NULL, &ensemble);
    espl_net_free(members[0]);
    espl_net_free(members[1]);
    espl_net_free(ensemble);
    return s;
}

static void test_without_memory(void **unused)
{
    (void)unused;
    for (long long n = 1; failing_once(build_once, NULL, NULL, n); n++)
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_together),
        cmocka_unit_test(test_shares_what_is_equal),
        cmocka_unit_test(test_of_one_net),
        cmocka_unit_test(test_is_one_file),
        cmocka_unit_test(test_refuses_what_does_not_fit),
        cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
