/* Keeping what a net knew: the pull has its minimum where the two tasks balance, nothing changes without it, and the
 * Fisher information is that of logistic regression. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "techniques/transfer/keep_old.h"
#include "train/align_new.h"
#include "train/fisher.h"
#include "unit/train/tiny_run.h"

/* ---- the arithmetic ---- */

/* Descends 1/2 (x - 3)^2 with the pull to `old`. */
static double descend(float fisher, double strength, double rate, float old)
{
    float x = old;

    for (int i = 0; i < 200000; i++) {
        float gradient = x - 3;
        espl__keep_old_gradient(&gradient, &x, &old, &fisher, 1, strength, rate);
        x -= (float)rate * gradient;
    }
    return (double)x;
}

/* Task A: 1/2 4 (x - 1)^2, task B: 1/2 (x - 3)^2; together (3 + 4) / 5. */
static void test_balances_two_tasks(void **unused)
{
    (void)unused;
    assert_float_equal(descend(4, 1, 0.05, 1), 1.4, 1e-5);
    assert_float_equal(descend(0.01f, 1, 0.05, 1), 2.980198, 1e-5);
    assert_float_equal(descend(4, 0, 0.05, 1), 3, 1e-5);
    assert_float_equal(descend(4, 1e9, 1e-4, 1), 1, 3e-4); /* a pull that strong stays stable */
}

/* Old samples whose new outputs lead by -4 and -2, new ones by 3 and 1: symmetric around -0.5. */
static void test_one_scale_by_samples(void **unused)
{
    (void)unused;
    assert_float_equal(espl__balance((const double[]){ -4, -2 }, 2, (const double[]){ 3, 1 }, 2), 0.5, 1e-9);
    assert_float_equal(espl__balance((const double[]){ -7 }, 1, (const double[]){ -7, -7 }, 2), 7, 1e-9);
}

/* Rows of lengths 5 and 13, mean 9, then of 1 and 2. */
static void test_one_scale_by_weights(void **unused)
{
    float weights[] = { 3, 4, 5, 12, 0, 1, 2, 0 };
    const float expected[] = { 3, 4, 5, 12, 0, 6, 12, 0 };

    (void)unused;
    assert_float_equal(espl__align_rows(weights, 4, 2, 2), 6, 1e-12);
    assert_memory_equal(weights, expected, sizeof expected);
    memset(weights + 4, 0, 4 * sizeof *weights);
    assert_float_equal(espl__align_rows(weights, 4, 2, 2), 1, 0); /* nothing was learned */
}

/* ---- the Fisher information ---- */

static void write_points(const tiny *t, const char *name)
{
    tiny_write(t, name, "a,b,label\n1,2,1\n0,1,0\n2,-1,1\n");
}

/* Of the weights of a layer with `outputs` outputs, of which the first `known` are asked about. */
static void fisher_of_points(const tiny *t, int outputs, int known, const float *weights, float *sums)
{
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_net *net = NULL;
    float *diagonal[1] = { sums };
    char path[160], test[160], text[256];

    write_points(t, "points.csv");
    write_points(t, "same.csv");
    snprintf(text, sizeof text, "name: logistic\nsettings: {classes: %d}\ninput: {channels: 2, height: 1, width: 1}\n"
                                "layers:\n  - flatten\n  - dense: {units: classes, bias: no}\n",
             outputs);
    tiny_write(t, "logistic.yaml", text);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/points.csv", t->folder);
    snprintf(test, sizeof test, "%s/same.csv", t->folder);
    if (espl_data_open(ctx, path, &(espl_data_settings){ .test = test }, &data))
        fail_msg("%s", espl_message(ctx));
    snprintf(path, sizeof path, "%s/logistic.yaml", t->folder);
    if (espl_net_open(ctx, path, NULL, &net))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(net->graph->parameter_count, 1);
    memcpy(net->parameters[0].value, weights, 2 * (size_t)outputs * sizeof *weights);
    if (espl__fisher(net, data, known, 100, diagonal))
        fail_msg("%s", espl_message(ctx));
    espl_net_free(net);
    espl_data_free(data);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static void test_fisher_of_logistic_regression(void **state)
{
    float sums[2] = { 0 };

    fisher_of_points(*state, 1, 0, (const float[]){ 0.3f, -0.2f }, sums);
    assert_float_equal(sums[0], 0.368338, 1e-6);
    assert_float_equal(sums[1], 0.486310, 1e-6);
}

/* The same with two outputs, whose difference counts; a third one, which the net does not know yet, stays out. */
static void test_fisher_of_what_is_known(void **state)
{
    const float expected[] = { 0.368338f, 0.486310f, 0.368338f, 0.486310f, 0, 0 };
    float sums[6] = { 0 };

    fisher_of_points(*state, 3, 2, (const float[]){ 0.3f, -0.2f, 0, 0, 5, 5 }, sums);
    for (int i = 0; i < 6; i++)
        assert_float_equal(sums[i], expected[i], 1e-6);
}

/* Looking at a net changes nothing of it. */
static void test_fisher_leaves_the_net(void **state)
{
    const tiny *t = *state;
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_net *net = NULL;
    float *diagonal[16] = { NULL };
    char path[160];

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    snprintf(path, sizeof path, "%s/tiny.yaml", t->folder);
    assert_int_equal(espl_net_open(ctx, path, NULL, &net), ESPL_OK);
    const uint64_t hash = espl_net_hash(net);
    assert_int_equal(espl__allocate(ctx, (size_t)net->parameters[0].count, sizeof(float), &diagonal[0]), ESPL_OK);
    assert_int_equal(espl__fisher(net, data, 0, 10, diagonal), ESPL_OK);
    assert_true(espl_net_hash(net) == hash);
    double sum = 0;
    for (int64_t i = 0; i < net->parameters[0].count; i++) {
        assert_true(diagonal[0][i] >= 0);
        sum += (double)diagonal[0][i];
    }
    assert_true(sum > 0 && isfinite(sum));
    for (int i = 0; i < net->graph->parameter_count; i++)
        assert_false(net->parameters[i].frozen);
    espl__release(ctx, diagonal[0]);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
}

/* ---- in a run ---- */

static uint64_t hash_with(tiny *t, const char *options)
{
    char text[160];
    const char *const with[] = { text, NULL };

    snprintf(text, sizeof text, "transfer-keep-old: {%s}", options ? options : "");
    return tiny_hash(t, &(tiny_job){ .with = options ? with : NULL, .text = TINY_RECIPE("tiny.yaml", "keep: last\n") });
}

static void test_without_strength_nothing_changes(void **state)
{
    tiny *t = *state;
    const uint64_t plain = hash_with(t, NULL);

    assert_true(hash_with(t, "share: 0") == plain);
    assert_true(hash_with(t, "share: 0, strength: 100") != plain);
    assert_true(hash_with(t, "share: 0, strength: 100, head: yes") != hash_with(t, "share: 0, strength: 100"));
}

static void test_springs_stopped_and_resumed(void **state)
{
    tiny *t = *state;
    const uint64_t hash = hash_with(t, "share: 0, strength: 100");
    const char *const with[] = { "transfer-keep-old: {share: 0, strength: 100}", NULL };
    const tiny_job stopped = { .out = "stopped", .with = with, .stop_at = 9 };

    assert_int_equal(tiny_do(t, &stopped).status, ESPL_INTERRUPTED);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .with = with, .resume = true }) == hash);
}

static void test_takes_the_old_data(void **state)
{
    tiny *t = *state;
    char options[128];

    snprintf(options, sizeof options, "strength: 100, data: '%s/data', samples: 20", t->folder);
    assert_true(hash_with(t, options) != hash_with(t, "strength: 100, samples: 5"));
    tiny_refuses(t, &(tiny_job){ .with = (const char *const[]){ "transfer-keep-old: {strength: 1, data: nowhere}", NULL } }, ESPL_NO_FILE,
                 "nowhere");
    write_points(t, "points.csv");
    snprintf(options, sizeof options, "transfer-keep-old: {strength: 1, data: '%s/points.csv'}", t->folder);
    tiny_refuses(t, &(tiny_job){ .with = (const char *const[]){ options, NULL } }, ESPL_BAD_OPTION, "pictures; the samples are rows of 2");
}

/* Two classes are known, and a third is learned from pictures of it and of one other. */
#define OLD_NET "name: old\ninput: {channels: 2, height: 1, width: 1}\nlayers:\n  - flatten\n  - dense: 8\n  - relu\n  - dense: 2\n"
#define TABLE(net, data, more)                                                                     \
    "net: " net "\ndata: {path: " data ", held-out: 0.3}\nepochs: 30\nbatch: 8\nkeep: last\n" more \
    "optimizer: {sgd: {rate: 0.1}}\n"

/* Classes a and b lie in two opposite corners of a square, c and d in the others. */
static void place(int label, int i, float point[2])
{
    point[0] = (float)(label & 1) + 0.02f * (float)(i % 7);
    point[1] = (float)(label == 1 || label == 2) + 0.02f * (float)(i % 5);
}

static void write_clouds(const tiny *t, const char *name, unsigned present)
{
    FILE *file = tiny_create(t, name);

    fprintf(file, "x,y,label\n");
    for (int i = 0; i < 80; i++) {
        float point[2];
        place(i % 4, i, point);
        if (present >> i % 4 & 1)
            fprintf(file, "%g,%g,%c\n", (double)point[0], (double)point[1], "abcd"[i % 4]);
    }
    fclose(file);
}

/* How far the answers about the first two classes are from the old net's, on what is new. */
static double drift(const tiny *t, const char *name)
{
    espl_context *ctx = NULL;
    espl_net *net[2] = { NULL };
    char path[160];
    double sum = 0;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/net.safetensors", t->folder, i ? name : "old");
        if (espl_net_load(ctx, path, &net[i]))
            fail_msg("%s", espl_message(ctx));
    }
    for (int i = 0; i < 20; i++) {
        float point[2], was[2], is[4];
        place(2 + i % 2, i, point);
        assert_int_equal(espl_predict(net[0], point, 1, was), ESPL_OK);
        assert_int_equal(espl_predict(net[1], point, 1, is), ESPL_OK);
        sum += fabs((double)was[0] - (double)is[0] / ((double)is[0] + (double)is[1]));
    }
    espl_net_free(net[0]);
    espl_net_free(net[1]);
    espl_context_free(ctx);
    return sum;
}

static void test_goes_on_answering(void **state)
{
    tiny *t = *state;
    const char *const with[] = { "transfer-keep-old: {strength: 0, share: 0.7}", NULL };

    tiny_write(t, "old.yaml", OLD_NET);
    write_clouds(t, "old.csv", 3);
    write_clouds(t, "new.csv", 12);
    tiny_hash(t, &(tiny_job){ .out = "old", .text = TABLE("old.yaml", "old.csv", "") });
    const char *recipe = TABLE("old/net.safetensors", "new.csv", "head: {classes: added}\n");
    tiny_hash(t, &(tiny_job){ .out = "plain", .text = recipe });
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .out = "kept", .text = recipe, .with = with });
    if (!(drift(t, "kept") < 0.5 * drift(t, "plain")))
        fail_msg("drift %g, without %g", drift(t, "kept"), drift(t, "plain"));
    const tiny_job stopped = { .out = "stopped", .with = with, .stop_at = 13 };
    assert_int_equal(tiny_do(t, &stopped).status, ESPL_INTERRUPTED);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .with = with, .resume = true }) == hash);
}

/* Which of the head's values are those of the old net? The old rows come first. */
static void count_kept(const tiny *t, const char *name, int *weights, int *biases)
{
    espl_context *ctx = NULL;
    espl_net *net[2] = { NULL };
    char path[160];
    int *count[] = { weights, biases };

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s/net.safetensors", t->folder, i ? name : "old");
        if (espl_net_load(ctx, path, &net[i]))
            fail_msg("%s", espl_message(ctx));
    }
    for (int k = 0; k < 2; k++) {
        const int p = net[0]->graph->parameter_count - 2 + k;
        *count[k] = 0;
        for (int64_t i = 0; i < net[0]->parameters[p].count; i++)
            *count[k] += net[0]->parameters[p].value[i] == net[1]->parameters[p].value[i];
    }
    espl_net_free(net[0]);
    espl_net_free(net[1]);
    espl_context_free(ctx);
}

/* New classes are told from each other alone: what the head says about the old ones is not pushed down. */
static void test_new_classes_apart(void **state)
{
    tiny *t = *state;
    const char *recipe = TABLE("old/net.safetensors", "new.csv", "head: {classes: added}\n");
    int weights = 0, biases = 0;

    tiny_write(t, "old.yaml", OLD_NET);
    write_clouds(t, "old.csv", 3);
    tiny_hash(t, &(tiny_job){ .out = "old", .text = TABLE("old.yaml", "old.csv", "") });
    write_clouds(t, "new.csv", 12);
    tiny_hash(t, &(tiny_job){ .out = "apart", .text = recipe, .with = (const char *const[]){ "transfer-keep-old: {strength: 0, share: 0}", NULL } });
    count_kept(t, "apart", &weights, &biases);
    assert_int_equal(weights, 16);
    assert_int_equal(biases, 2);
    const char *const whole[] = { "transfer-keep-old: {strength: 0, share: 0, apart: no}", NULL };
    const uint64_t plain = tiny_hash(t, &(tiny_job){ .out = "plain", .text = recipe });
    assert_true(tiny_hash(t, &(tiny_job){ .out = "whole", .text = recipe, .with = whole }) == plain);
    count_kept(t, "whole", &weights, &biases);
    assert_int_equal(biases, 0);
    write_clouds(t, "new.csv", 14); /* with pictures of an old class there is something to tell them from */
    assert_true(tiny_hash(t, &(tiny_job){ .out = "apart", .text = recipe, .with = (const char *const[]){ "transfer-keep-old: {strength: 0, share: 0}", NULL } }) ==
                tiny_hash(t, &(tiny_job){ .out = "plain", .text = recipe }));
}

/* Which of the answers about these points are right: all four classes open. */
static int count_right(const tiny *t, const char *name, int first)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    char path[160];
    int right = 0;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/%s/net.safetensors", t->folder, name);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    for (int i = 0; i < 40; i++) {
        const int label = first + i % 2;
        float point[2], p[4];
        int best = 0;
        place(label, i, point);
        assert_int_equal(espl_predict(net, point, 1, p), ESPL_OK);
        for (int k = 1; k < 4; k++)
            best = p[k] > p[best] ? k : best;
        right += best == label;
    }
    espl_net_free(net);
    espl_context_free(ctx);
    return right;
}

/* With a few old samples both groups of answers are on one scale, whichever learned longer. */
static void test_old_and_new_answers_together(void **state)
{
    tiny *t = *state;
    char data[160];
    const char *const with[] = { data, NULL };

    tiny_write(t, "old.yaml", OLD_NET);
    write_clouds(t, "old.csv", 3);
    tiny_hash(t, &(tiny_job){ .out = "old", .text = TABLE("old.yaml", "old.csv", "") });
    write_clouds(t, "new.csv", 12);
    snprintf(data, sizeof data, "transfer-keep-old: {strength: 0, share: 0.5, data: '%s/old.csv', samples: 10}", t->folder);
    tiny_hash(t, &(tiny_job){ .out = "both", .text = TABLE("old/net.safetensors", "new.csv", "head: {classes: added}\n"), .with = with });
    if (count_right(t, "both", 0) < 30 || count_right(t, "both", 2) < 30)
        fail_msg("%d old and %d new points of 40 are right", count_right(t, "both", 0), count_right(t, "both", 2));
    snprintf(data, sizeof data, "transfer-keep-old: {strength: 0, share: 0.5, data: nowhere.csv}");
    tiny_refuses(t, &(tiny_job){ .out = "none", .with = with }, ESPL_NO_FILE, "nowhere.csv");
}

/* One class more. */
static void test_a_single_new_class(void **state)
{
    tiny *t = *state;
    const char *const with[] = { "transfer-keep-old: {strength: 0, share: 0.5}", NULL };
    int weights = 0, biases = 0;

    tiny_write(t, "old.yaml", OLD_NET);
    write_clouds(t, "old.csv", 3);
    tiny_hash(t, &(tiny_job){ .out = "old", .text = TABLE("old.yaml", "old.csv", "") });
    write_clouds(t, "new.csv", 4);
    tiny_hash(t, &(tiny_job){ .out = "one", .text = TABLE("old/net.safetensors", "new.csv", "head: {classes: added}\n"), .with = with });
    count_kept(t, "one", &weights, &biases);
    assert_true(weights < 16);
    tiny_refuses(t, &(tiny_job){ .text = TABLE("old/net.safetensors", "new.csv", "") }, ESPL_BAD_FILE, "same class (c)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balances_two_tasks),
        cmocka_unit_test(test_one_scale_by_samples),
        cmocka_unit_test(test_one_scale_by_weights),
        TINY_TEST_OF(test_fisher_of_logistic_regression),
        TINY_TEST_OF(test_fisher_of_what_is_known),
        TINY_TEST_OF(test_fisher_leaves_the_net),
        TINY_TEST_OF(test_without_strength_nothing_changes),
        TINY_TEST_OF(test_springs_stopped_and_resumed),
        TINY_TEST_OF(test_takes_the_old_data),
        TINY_TEST_OF(test_goes_on_answering),
        TINY_TEST_OF(test_new_classes_apart),
        TINY_TEST_OF(test_old_and_new_answers_together),
        TINY_TEST_OF(test_a_single_new_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
