/* Runs: they learn, count right, keep what they should, stop when numbers stop being numbers, and allocate
 * nothing while they train. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "tiny_run.h"

#include <signal.h>
#include <sys/resource.h>

static void test_learns(void **state)
{
    const tiny_outcome o = tiny_do(*state, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""),
                                                        .set = (const char *const[]){ "epochs=12", NULL } });

    assert_int_equal(o.status, ESPL_OK);
    assert_true(o.result.top1 > 0.9);
    assert_true(o.result.top5 == 1); /* of three classes */
    assert_true(o.result.loss < 0.6);
    assert_int_equal(o.result.epochs, 12);
    assert_int_equal(o.result.steps, 12 * 7);
    assert_int_equal(o.result.step_allocations, 0);
    assert_true(o.result.images_per_second > 0);
}

/* What was said to be needed before the first step is what was used, within a tenth. */
static void test_memory_is_planned(void **state)
{
    const tiny_outcome o = tiny_do(*state, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "") });

    assert_int_equal(o.status, ESPL_OK);
    assert_true((double)o.result.peak_bytes < 1.1 * (double)o.result.planned_bytes);
    assert_true((double)o.result.planned_bytes < 1.1 * (double)o.result.peak_bytes);
}

static void test_every_optimizer_trains(void **state)
{
    tiny *t = *state;
    const char *const all[] = { "optimizer={sgd: {rate: 0.05, nesterov: yes}}", "optimizer={adam: {rate: 0.01}}",
                                "optimizer={adamw: {rate: 0.01}}", "optimizer={rmsprop: {rate: 0.005}}" };

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", ""));
    for (int i = 0; i < 4; i++) {
        const char *const set[] = { "epochs=12", all[i], NULL };
        const tiny_outcome o = tiny_do(t, &(tiny_job){ .set = set });
        if (o.status || o.result.top1 < 0.8)
            fail_msg("%s: %s %g", all[i], t->message, o.result.top1);
    }
}

/* ---- accumulation ---- */

static espl_net *load(tiny *t, espl_context *ctx, const char *name)
{
    char path[200];
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

/* The largest difference between two nets, relative to the largest value of each parameter. */
static double difference(tiny *t, const char *a_name, const char *b_name)
{
    espl_context *ctx = NULL;
    double worst = 0;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *a = load(t, ctx, a_name), *b = load(t, ctx, b_name);
    for (int i = 0; i < a->graph->parameter_count; i++) {
        double largest = 0, apart = 0;
        for (int64_t k = 0; k < a->parameters[i].count; k++) {
            largest = fmax(largest, fabs((double)a->parameters[i].value[k]));
            apart = fmax(apart, fabs((double)a->parameters[i].value[k] - (double)b->parameters[i].value[k]));
        }
        worst = fmax(worst, largest > 0 ? apart / largest : apart);
    }
    espl_net_free(a);
    espl_net_free(b);
    espl_context_free(ctx);
    return worst;
}

/* 14 updates; a gradient in parts differs from the whole by roundings of sums over a batch of 8. */
static void check_accumulation(tiny *t, const char *recipe)
{
    const char *const parts[] = { "accumulate=2", "accumulate=3", "accumulate=8" };

    tiny_write(t, "recipe.yaml", recipe);
    tiny_hash(t, &(tiny_job){ .out = "whole", .set = (const char *const[]){ "epochs=2", NULL } });
    for (int i = 0; i < 3; i++) {
        tiny_hash(t, &(tiny_job){ .out = "parts", .set = (const char *const[]){ "epochs=2", parts[i], NULL } });
        const double apart = difference(t, "whole/net.safetensors", "parts/net.safetensors");
        if (!(apart < 2e-5))
            fail_msg("%s: nets differ by %g", parts[i], apart);
    }
    tiny_hash(t, &(tiny_job){ .out = "parts", .set = (const char *const[]){ "epochs=2", "batch=4", NULL } });
    assert_true(difference(t, "whole/net.safetensors", "parts/net.safetensors") > 1e-3); /* can fail */
}

static void test_parts_of_a_batch_equal_the_batch(void **state)
{
    check_accumulation(*state, TINY_RECIPE("plain.yaml", ""));
}

static void test_parts_equal_the_batch_with_class_weights(void **state)
{
    check_accumulation(*state, TINY_RECIPE("plain.yaml", "class-weights: [1, 4, 0.5]\n"));
}

/* ---- weights of classes ---- */

static double recall_of_first_class(tiny *t, const char *weights)
{
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_score score;
    char path[200];

    tiny_hash(t, &(tiny_job){ .set = (const char *const[]){ "epochs=1", "optimizer.sgd.rate=0.003", weights, NULL } });
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *net = load(t, ctx, "run/net.safetensors");
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_TRAIN, 0, &score), ESPL_OK);
    const double recall = score.classes[0].recall;
    espl_score_free(&score);
    espl_data_free(data);
    espl_net_free(net);
    espl_context_free(ctx);
    return recall;
}

static void test_a_heavy_class_is_found_more_often(void **state)
{
    tiny *t = *state;

    tiny_write(t, "recipe.yaml", TINY_RECIPE("plain.yaml", ""));
    const double light = recall_of_first_class(t, "class-weights=[0.05, 1, 1]");
    const double heavy = recall_of_first_class(t, "class-weights=[20, 1, 1]");
    assert_true(heavy > light + 0.2);
}

/* ---- what is kept ---- */

static void test_keeps_the_best_or_the_last(void **state)
{
    tiny *t = *state;
    /* a rate so high that the last epoch is worse than some before it */
    const char *recipe = TINY_RECIPE("tiny.yaml", "normalize: none\n");
    const tiny_outcome best = tiny_do(t, &(tiny_job){ .text = recipe, .out = "best", .set = (const char *const[]){ "epochs=8", "optimizer.sgd.rate=0.3", "keep=best", NULL } });
    const tiny_outcome last = tiny_do(t, &(tiny_job){ .out = "last", .set = (const char *const[]){ "epochs=8", "optimizer.sgd.rate=0.3", "keep=last", NULL } });

    assert_int_equal(best.status, ESPL_OK);
    assert_int_equal(last.status, ESPL_OK);
    assert_true(best.result.hash == last.result.hash); /* of the last state, both times */
    assert_true(best.result.top1 >= last.result.top1);
    assert_true(difference(t, "best/last.safetensors", "last/net.safetensors") == 0);
    char *last_file = tiny_read(t, "last/last.safetensors");
    assert_null(last_file);
}

static bool is_resolved(tiny *t, const char *set, const char *line)
{
    tiny_hash(t, &(tiny_job){ .set = (const char *const[]){ "epochs=1", set, NULL } });
    char *recipe = tiny_read(t, "run/recipe.yaml");
    assert_non_null(recipe);
    const bool found = strstr(recipe, line);
    free(recipe);
    return found;
}

/* A test set measures; it does not choose the epoch. */
static void test_the_best_is_not_chosen_by_a_test_set(void **state)
{
    tiny *t = *state;

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", ""));
    assert_true(is_resolved(t, "seed=0", "keep: last"));
    assert_true(is_resolved(t, "held-out=0.3", "keep: best"));
    assert_true(is_resolved(t, "keep=best", "keep: best"));
}

/* ---- one value of each channel ---- */

#define TINY_FLAT_NET                                \
    "name: flat\n"                                   \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 6, kernel: 8}\n"         \
    "  - batch_norm\n"                               \
    "  - relu\n"                                     \
    "  - flatten\n"                                  \
    "  - dense: classes\n"

static void test_one_sample_has_no_variance(void **state)
{
    tiny *t = *state;
    const struct {
        const char *batch, *parts, *says; /* 50 samples */
    } cases[] = {
        { "batch=1", "accumulate=1", "two samples or more" },
        { "batch=4", "accumulate=4", "two samples or more" },
        { "batch=7", "accumulate=1", "set another batch" }, /* 7 x 7 + 1 */
        { "batch=3", "accumulate=2", "set another batch" }, /* each batch in parts of 2 and 1 */
        { "batch=8", "accumulate=1", NULL },
        { "batch=50", "accumulate=1", NULL },
    };

    tiny_write(t, "flat.yaml", TINY_FLAT_NET);
    tiny_write(t, "recipe.yaml", TINY_RECIPE("flat.yaml", ""));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tiny_outcome o = tiny_do(t, &(tiny_job){ .set = (const char *const[]){ cases[i].batch, cases[i].parts, NULL } });
        assert_int_equal(o.status, cases[i].says ? ESPL_BAD_OPTION : ESPL_OK);
        if (cases[i].says && (!strstr(t->message, cases[i].says) || !strstr(t->message, "batch_norm")))
            fail_msg("%s %s: %s", cases[i].batch, cases[i].parts, t->message);
    }
}

/* ---- scoring now and then ---- */

static int64_t epochs_scored(tiny *t, const char *every)
{
    int64_t count = 0;

    tiny_hash(t, &(tiny_job){ .set = (const char *const[]){ "epochs=7", every, NULL } });
    char *log = tiny_read(t, "run/log.jsonl");
    for (char *at = log; (at = strstr(at, "\"held_out_top1\":")); at++)
        count += strncmp(at + 16, "null", 4) != 0;
    free(log);
    return count;
}

static void test_scores_as_often_as_asked(void **state)
{
    tiny *t = *state;

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", ""));
    assert_int_equal(epochs_scored(t, "score-every=1ep"), 7);
    assert_int_equal(epochs_scored(t, "score-every=2st"), 7); /* at the end of an epoch at most */
    assert_int_equal(epochs_scored(t, "score-every=3ep"), 3); /* 3, 6, and the last */
    assert_int_equal(epochs_scored(t, "score-every=1run"), 1);
}

/* ---- numbers that stop being numbers ---- */

static void test_divergence_names_step_and_layer(void **state)
{
    tiny *t = *state;
    const char *const set[] = { "optimizer.sgd.rate=1e6", "optimizer.sgd.momentum=0", NULL };

    tiny_write(t, "recipe.yaml", TINY_RECIPE("plain.yaml", ""));
    tiny_refuses(t, &(tiny_job){ .set = set }, ESPL_DIVERGED, "step ");
    assert_true(strstr(t->message, "conv") || strstr(t->message, "dense") || strstr(t->message, "layer"));
    char *log = tiny_read(t, "run/log.jsonl");
    assert_non_null(strstr(log, "\"failed\""));
    free(log);
}

typedef struct poison {
    espl_run *run;
    int parameter;
} poison;

static void poison_watch(void *user, const espl_news *news)
{
    const poison *p = user;

    if (news->kind == ESPL_NEWS_STEP && news->step == 3)
        espl_run_net(p->run)->parameters[p->parameter].value[0] = NAN;
}

static void test_a_parameter_that_is_no_number_is_named(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    char folder[160];

    tiny_write(t, "recipe.yaml", TINY_RECIPE("plain.yaml", ""));
    snprintf(folder, sizeof folder, "%s/run", t->folder);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl_run_load(ctx, t->recipe, &(espl_run_settings){ .folder = folder }, &run), ESPL_OK);
    poison p = { run, 2 };
    espl_run_watch(run, poison_watch, &p);
    assert_int_equal(espl_run_fit(run), ESPL_DIVERGED);
    assert_non_null(strstr(espl_message(ctx), "step 4 "));
    assert_non_null(strstr(espl_message(ctx), espl_run_net(run)->graph->parameters[2].name));
    espl_run_free(run);
    espl_context_free(ctx);
}

/* ---- a disk that is full ---- */

/* The limit on the size of files stands in for a full disk: writes fail half way through. */
static void test_a_failed_write_names_the_file_and_keeps_the_checkpoint(void **state)
{
    tiny *t = *state;
    const char *recipe = TINY_RECIPE("tiny.yaml", "");
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = recipe, .out = "whole" });
    struct rlimit old, small = { 6000, 6000 };

    assert_int_equal(tiny_do(t, &(tiny_job){ .stop_at = 5 }).status, ESPL_INTERRUPTED);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    const tiny_outcome failed = tiny_do(t, &(tiny_job){ .resume = true });
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(failed.status, ESPL_WRITE_FAILED);
    if (!strstr(t->message, ".safetensors"))
        fail_msg("%s", t->message);
    assert_true(tiny_hash(t, &(tiny_job){ .resume = true }) == hash);
}

static void test_too_little_memory_is_said_before_the_first_step(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    const char *const set[] = { "batch=50", NULL };

    tiny_write(t, "wide.yaml",
               "name: wide\ninput: {channels: 1, height: 8, width: 8}\nlayers:\n"
               "  - conv2d: {channels: 200, kernel: 3, pad: 1}\n  - global_avg_pool\n  - dense: 3\n");
    tiny_write(t, "recipe.yaml", TINY_RECIPE("wide.yaml", ""));
    assert_int_equal(espl_context_open(&(espl_context_settings){ .memory_limit = 250000 }, &ctx), ESPL_OK);
    assert_int_equal(espl_run_load(ctx, t->recipe, &(espl_run_settings){ .set = set }, &run), ESPL_OK);
    assert_int_equal(espl_run_fit(run), ESPL_NO_MEMORY);
    if (!strstr(espl_message(ctx), "the plan needs"))
        fail_msg("%s", espl_message(ctx));
    espl_run_free(run);
    espl_context_free(ctx);
}

static espl_status train_from_recipe(espl_context *ctx, void *argument)
{
    espl_result result;
    const char *const set[] = { "epochs=1", "accumulate=2", "class-weights=balanced", NULL };
    const char *const with[] = { "schedule-cosine: {lowest: 0.01}", "clip-gradients", NULL };

    return tiny_fit(argument, &(tiny_job){ .set = set, .with = with }, ctx, &result);
}

static espl_status resume_from_recipe(espl_context *ctx, void *argument)
{
    espl_result result;

    return tiny_fit(argument, &(tiny_job){ .resume = true }, ctx, &result);
}

static void test_each_allocation_may_fail(void **state)
{
    tiny *t = *state;
    const espl_context_settings one = { .threads = 1 };

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", ""));
    assert_true(failing_some(train_from_recipe, t, &one, 20, 5) > 300);
    tiny_hash(t, &(tiny_job){ .threads = 1 });
    assert_true(failing_some(resume_from_recipe, t, &one, 20, 7) > 200);
}

/* ---- through the library ---- */

typedef struct seen {
    int64_t steps, epochs, notes;
    double rate;
} seen;

static void look(void *user, const espl_news *news)
{
    seen *s = user;

    s->steps += news->kind == ESPL_NEWS_STEP;
    s->epochs += news->kind == ESPL_NEWS_EPOCH;
    s->notes += news->kind == ESPL_NEWS_NOTE && *news->text;
    s->rate = news->rate;
    if (news->kind == ESPL_NEWS_EPOCH) {
        assert_int_equal(news->step, news->epoch * 7);
        assert_int_equal(news->steps, 21);
        assert_true(news->held_out_top1 >= 0 && news->held_out_top1 <= 1);
    }
}

static void test_a_run_around_ones_own_net_and_data(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_run *run = NULL;
    seen s = { 0 };
    char net_path[160], data_path[160];

    snprintf(net_path, sizeof net_path, "%s/tiny.yaml", t->folder);
    snprintf(data_path, sizeof data_path, "%s/data", t->folder);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl_data_open(ctx, data_path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_net_open(ctx, net_path, NULL, &net), ESPL_OK);
    assert_int_equal(espl_run_open(net, data, "epochs: 3, net: x", &run), ESPL_BAD_OPTION);
    if (espl_run_open(net, data, "epochs: 3, batch: 8, optimizer: {sgd: {rate: 0.05, decay: 1e-3}}", &run))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(espl_run_attach(run, "schedule-cosin", NULL), ESPL_BAD_OPTION);
    assert_int_equal(espl_run_attach(run, "schedule-cosine", "lowest: 0.01"), ESPL_OK);
    espl_run_watch(run, look, &s);
    if (espl_run_fit(run))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(s.steps, 21);
    assert_int_equal(s.epochs, 3);
    assert_int_equal(s.notes, 1);
    assert_true(s.rate > 0.01 && s.rate < 0.02);
    assert_int_equal(espl_run_fit(run), ESPL_BAD_STATE);
    assert_int_equal(espl_run_attach(run, "clip-gradients", NULL), ESPL_BAD_STATE);
    /* the same bits as from a recipe */
    const char *const with[] = { "schedule-cosine: {lowest: 0.01}", NULL };
    const tiny_outcome o = tiny_do(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .with = with });
    assert_true(espl_run_result(run)->hash == o.result.hash);
    assert_true(espl_run_result(run)->top1 == o.result.top1);
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_learns),
        TINY_TEST_OF(test_memory_is_planned),
        TINY_TEST_OF(test_every_optimizer_trains),
        TINY_TEST_OF(test_parts_of_a_batch_equal_the_batch),
        TINY_TEST_OF(test_parts_equal_the_batch_with_class_weights),
        TINY_TEST_OF(test_a_heavy_class_is_found_more_often),
        TINY_TEST_OF(test_keeps_the_best_or_the_last),
        TINY_TEST_OF(test_the_best_is_not_chosen_by_a_test_set),
        TINY_TEST_OF(test_one_sample_has_no_variance),
        TINY_TEST_OF(test_scores_as_often_as_asked),
        TINY_TEST_OF(test_divergence_names_step_and_layer),
        TINY_TEST_OF(test_a_parameter_that_is_no_number_is_named),
        TINY_TEST_OF(test_a_failed_write_names_the_file_and_keeps_the_checkpoint),
        TINY_TEST_OF(test_too_little_memory_is_said_before_the_first_step),
        TINY_TEST_OF(test_each_allocation_may_fail),
        TINY_TEST_OF(test_a_run_around_ones_own_net_and_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
