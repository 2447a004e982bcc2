/* Freezing: what is frozen keeps its bytes whatever acts on parameters, computes as in inference, and lets
 * gradients through; what is left trains as if nothing were frozen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "contract/small_net.h"
#include "deep_net.h"
#include "failing.h"
#include "unit/train/tiny_run.h"

/* ---- in a run ---- */

/* An average that writes back what it has: it would move any parameter that it is called for. */
static void drift(void *self, const espl_block *block)
{
    (void)self;
    for (int64_t i = 0; i < block->count; i++) {
        block->kept[0][i] = 0.9f * block->kept[0][i] + 0.1f * block->value[i];
        block->value[i] = 0.99f * block->value[i] + 0.01f * block->kept[0][i];
    }
}

static const espl_technique drifting = {
    .name = "drifting",
    .summary = "moves what trains",
    .family = ESPL_AVERAGE,
    .size = 1,
    .kept_per_parameter = 1,
    .after_update = drift,
};

typedef struct frozen_run {
    espl_context *ctx;
    espl_data *data;
    espl_net *net;
    espl_run *run;
    uint64_t before[64], after[64];
    char note[512];
} frozen_run;

static void hear(void *user, const espl_news *news)
{
    frozen_run *f = user;

    if (news->kind == ESPL_NEWS_NOTE && strstr(news->text, "parameters train"))
        snprintf(f->note, sizeof f->note, "%s", news->text);
}

static void hash_parameters(const espl_net *net, uint64_t *hash)
{
    for (int i = 0; i < net->graph->parameter_count; i++)
        hash[i] = espl__hash(net->parameters[i].value, (size_t)net->parameters[i].count * sizeof(float), 0);
}

/* Trains two epochs of seven steps with momentum, decay, dropout and two averages. */
static espl_status fit_frozen(const tiny *t, const char *options, frozen_run *f)
{
    char path[160];
    espl_status s;

    *f = (frozen_run){ 0 };
    assert_int_equal(espl_context_open(&(espl_context_settings){ .seed = 5, .threads = 1 }, &f->ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(f->ctx, path, NULL, &f->data), ESPL_OK);
    tiny_write(t, "deep.yaml", DEEP_NET);
    snprintf(path, sizeof path, "%s/deep.yaml", t->folder);
    if (espl_net_open(f->ctx, path, NULL, &f->net))
        fail_msg("%s", espl_message(f->ctx));
    hash_parameters(f->net, f->before);
    assert_int_equal(espl_run_open(f->net, f->data,
                                   "epochs: 2, batch: 8, keep: last, optimizer: {sgd: {rate: 0.05, momentum: "
                                   "0.9, decay: 0.1}}",
                                   &f->run),
                     ESPL_OK);
    assert_int_equal(espl_run_attach_own(f->run, &drifting, NULL), ESPL_OK);
    assert_int_equal(espl_run_attach(f->run, "average-ema", "decay: 0.9"), ESPL_OK);
    espl_run_watch(f->run, hear, f);
    s = options ? espl_run_attach(f->run, "transfer-freeze", options) : ESPL_OK;
    if (!s)
        s = espl_run_fit(f->run);
    hash_parameters(f->net, f->after);
    return s;
}

static void close_frozen(frozen_run *f)
{
    espl_run_free(f->run);
    espl_net_free(f->net);
    espl_data_free(f->data);
    espl_context_free(f->ctx);
}

/* Did exactly the parameters that match change? */
static void expect_changed(const frozen_run *f, const char *pattern)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        const char *name = f->net->graph->parameters[i].name;
        if ((f->before[i] != f->after[i]) != espl__text_match(pattern, name))
            fail_msg("%s %s", name, f->before[i] == f->after[i] ? "did not change" : "changed");
        assert_false(f->net->parameters[i].frozen); /* the caller's net is given back as it was */
    }
}

static void test_all_but_the_head_stays(void **state)
{
    frozen_run f;
    char words[96];

    assert_int_equal(fit_frozen(*state, "", &f), ESPL_OK);
    expect_changed(&f, "out.*");
    snprintf(words, sizeof words, "%d of %d parameters train", HEAD_VALUES, ALL_VALUES);
    if (!strstr(f.note, words))
        fail_msg("\"%s\" does not say \"%s\"", f.note, words);
    close_frozen(&f);
}

static void test_by_name_and_depth(void **state)
{
    frozen_run f;

    assert_int_equal(fit_frozen(*state, "layers: 'b, b_*, out'", &f), ESPL_OK);
    expect_changed(&f, "a*");
    close_frozen(&f);
    assert_int_equal(fit_frozen(*state, "depth: 2", &f), ESPL_OK);
    expect_changed(&f, "[bo]*");
    close_frozen(&f);
    assert_int_equal(fit_frozen(*state, "layers: '*', statistics: yes", &f), ESPL_OK);
    for (int i = 0; i < f.net->graph->parameter_count; i++)
        assert_true((f.before[i] == f.after[i]) == (f.net->graph->parameters[i].spec.kind == ESPL_BUFFER));
    close_frozen(&f);
}

static void refuse(const tiny *t, const char *options, espl_status status, const char *words)
{
    frozen_run f;
    const espl_status s = fit_frozen(t, options, &f);

    if (s != status || !strstr(espl_message(f.ctx), words))
        fail_msg("%s: %s: \"%s\"", options, espl_status_name(s), espl_message(f.ctx));
    close_frozen(&f);
}

static void test_refuses(void **state)
{
    refuse(*state, "layers: '*'", ESPL_BAD_STATE, "nothing trains");
    refuse(*state, "layers: 'c*'", ESPL_BAD_OPTION, "no layer with parameters is named like");
    refuse(*state, "depth: 6", ESPL_BAD_OPTION, "the net has 5 layers with parameters");
}

/* ---- in a plan ---- */

#define SAMPLES 6
#define SIZE 12

typedef struct rig {
    espl_context *ctx;
    espl_net *net;
    espl__graph *graph;
    espl__plan *plan;
    float values[SAMPLES * 3 * SIZE * SIZE];
} rig;

static void rig_open(rig *r, espl__graph *(*make)(espl_context *, int64_t, int64_t, bool), int frozen_nodes, bool statistics)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .seed = 3, .threads = 1 }, &r->ctx), ESPL_OK);
    assert_int_equal(espl__net_open(make(r->ctx, 16, SIZE, false), "net", &r->net), ESPL_OK);
    r->graph = make(r->ctx, 16, SIZE, true);
    espl__random random = espl__random_at(espl__stream_of(1, "samples"), 0, 0);
    for (int i = 0; i < ESPL__COUNT(r->values); i++)
        r->values[i] = espl__random_normal(&random);
    for (int i = 0; i < r->net->graph->parameter_count; i++) {
        const espl__graph_parameter *p = &r->net->graph->parameters[i];
        const bool buffer = p->spec.kind == ESPL_BUFFER;
        for (int64_t k = 0; buffer && k < r->net->parameters[i].count; k++)
            r->net->parameters[i].value[k] += 0.1f * espl__random_uniform(&random);
        r->net->parameters[i].frozen = (buffer && statistics) || p->node < frozen_nodes;
    }
    if (espl__plan_open(r->net, r->graph, &(espl__plan_settings){ .batch = SAMPLES, .training = true }, &r->plan))
        fail_msg("%s", espl_message(r->ctx));
    const int32_t labels[SAMPLES] = { 0, 1, 2, 3, 4, 0 };
    espl__plan_run(r->plan, &(espl__feed){ .count = SAMPLES, .values = r->values, .labels = labels, .parameters_changed = true });
}

static void rig_close(rig *r)
{
    espl__plan_free(r->plan);
    espl__graph_free(r->graph);
    espl_net_free(r->net);
    espl_context_free(r->ctx);
}

/* Gradients of what trains beside what is frozen, against those of the same net with nothing frozen but
 * the statistics: within `tolerance` of the largest. */
static void compare(espl__graph *(*make)(espl_context *, int64_t, int64_t, bool), int frozen_nodes, double tolerance)
{
    rig whole, part;
    int compared = 0;

    rig_open(&whole, make, 0, true);
    rig_open(&part, make, frozen_nodes, true);
    for (int i = 0; i < whole.net->graph->parameter_count; i++) {
        const float *a = espl__plan_gradient(whole.plan, i), *b = espl__plan_gradient(part.plan, i);
        double largest = 0, apart = 0;
        if (whole.net->graph->parameters[i].node < frozen_nodes)
            assert_null(b);
        if (!a || !b)
            continue;
        for (int64_t k = 0; k < whole.net->parameters[i].count; k++) {
            largest = fmax(largest, fabs((double)a[k]));
            apart = fmax(apart, fabs((double)a[k] - (double)b[k]));
        }
        compared++;
        if (!(apart <= tolerance * largest))
            fail_msg("%s is %g apart of %g", whole.net->graph->parameters[i].name, apart, largest);
    }
    assert_true(compared > 0);
    rig_close(&whole);
    rig_close(&part);
}

static void test_gradients_of_the_others_are_the_same(void **unused)
{
    (void)unused;
    compare(wide_graph, 3, 0);
    /* folding batch norm into its convolution rounds otherwise: some 10 layers of sums of 300 terms */
    compare(small_graph, 12, 1e-4);
}

/* With the whole batch frozen up to the head, nothing but the head runs backwards, and convolutions have
 * taken in their batch norm. */
static void test_frozen_part_is_inference(void **unused)
{
    rig r;

    (void)unused;
    rig_open(&r, small_graph, 20, true);
    for (int i = 0; i < espl__plan_step_count(r.plan); i++) {
        const espl__plan_step step = espl__plan_step_at(r.plan, i);
        assert_null(strstr(step.kernel, "batch_norm"));
        if (strstr(step.role, "backward"))
            assert_null(strstr(step.kernel, "conv2d"));
    }
    rig_close(&r);
}

/* A frozen batch norm needs no second sample. */
static void test_one_sample_is_enough(void **unused)
{
    espl_context *ctx;
    espl_net *net;
    const int channels = 4;
    small_net n = { 0 };

    (void)unused;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    n.ctx = ctx;
    espl__dense dense = { .units = channels, .bias = true };
    assert_int_equal(espl__graph_open(ctx, espl__shape_vector(3), &n.graph), ESPL_OK);
    const int at = small_add(&n, "batch_norm", NULL, small_add(&n, "dense", &dense, 0, -1), -1);
    small_add(&n, "dense", &dense, at, -1);
    assert_int_equal(espl__net_open(n.graph, "net", &net), ESPL_OK);
    assert_non_null(espl__needs_two(net, net->graph));
    for (int i = 0; i < net->graph->parameter_count; i++)
        net->parameters[i].frozen = net->graph->parameters[i].node == at;
    assert_null(espl__needs_two(net, net->graph));
    espl_net_free(net);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_all_but_the_head_stays),
        TINY_TEST_OF(test_by_name_and_depth),
        TINY_TEST_OF(test_refuses),
        cmocka_unit_test(test_gradients_of_the_others_are_the_same),
        cmocka_unit_test(test_frozen_part_is_inference),
        cmocka_unit_test(test_one_sample_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
