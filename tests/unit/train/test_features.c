/* Features of the frozen part: a run that keeps them gives the bits of one that does not, and keeping them is
 * refused where it would not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "contract/small_net.h"
#include "failing.h"
#include "tiny_run.h"
#include "train/features.h"

#define NET                                           \
    "name: deep\n"                                    \
    "settings: {classes: 3}\n"                        \
    "input: {channels: 1, height: 8, width: 8}\n"     \
    "layers:\n"                                       \
    "  - conv2d: {channels: 16, kernel: 3, pad: 1}\n" \
    "    name: a\n"                                   \
    "  - batch_norm:\n"                               \
    "    name: a_norm\n"                              \
    "  - relu:\n"                                     \
    "    name: a_out\n"                               \
    "  - dropout: 0.3\n"                              \
    "  - conv2d: {channels: 16, kernel: 3, pad: 1}\n" \
    "    name: b\n"                                   \
    "  - batch_norm:\n"                               \
    "    name: b_norm\n"                              \
    "  - relu\n"                                      \
    "  - max_pool: 2\n"                               \
    "  - flatten:\n"                                  \
    "    name: values\n"                              \
    "  - dropout: 0.2\n"                              \
    "  - dense: classes\n"                            \
    "    name: out\n"

#define RECIPE(more) TINY_RECIPE("deep.yaml", more)

static void make_net(const tiny *t)
{
    tiny_write(t, "deep.yaml", NET);
}

/* ---- the same bits ---- */

static uint64_t hash_with(tiny *t, const char *text, const char *cache, int threads)
{
    const char *const set[] = { cache, NULL };

    return tiny_hash(t, &(tiny_job){ .text = text, .set = set, .threads = threads });
}

static void same_bits(tiny *t, const char *text)
{
    const uint64_t plain = hash_with(t, text, "cache=no", 1);

    assert_true(hash_with(t, text, "cache=yes", 1) == plain);
    assert_true(hash_with(t, text, "cache=yes", 3) == plain);
    assert_true(hash_with(t, text, "cache=auto", 2) == plain);
}

static void the_bits_are_those_of_the_whole_net(void **state)
{
    tiny *t = *state;

    make_net(t);
    same_bits(t, RECIPE("techniques: [transfer-freeze]\n"));
    same_bits(t, RECIPE("accumulate: 3\ntechniques: [transfer-freeze]\n"));
    same_bits(t, RECIPE("class-weights: balanced\ntechniques: [transfer-freeze: {layers: \"a*\"}]\n"));
    same_bits(t, "net: deep.yaml\ndata: data\nepochs: 2\nbatch: 8\noptimizer: {sgd: {rate: find}}\ntechniques: [transfer-freeze]\n");
    same_bits(t, RECIPE("algorithm: direct\ntechniques: [transfer-freeze: {depth: 2}, average-ema]\n"));
}

/* Four draws of every sample, which take turns, over more epochs than that. */
static void variants_are_drawn_once(void **state)
{
    tiny *t = *state;
    const char *text = RECIPE("variants: 2\ntechniques: [transfer-freeze, augment-flip, augment-crop: {pad: 1}]\n");
    const char *fresh = RECIPE("techniques: [transfer-freeze, augment-flip, augment-crop: {pad: 1}]\n");

    make_net(t);
    same_bits(t, text);
    assert_true(hash_with(t, text, "cache=yes", 1) != hash_with(t, fresh, "cache=no", 1));
    assert_true(hash_with(t, text, "variants=3", 1) == hash_with(t, fresh, "cache=no", 1)); /* as many as epochs */
}

static void scores_are_those_of_the_whole_net(void **state)
{
    tiny *t = *state;
    const char *const none[] = { "cache=no", NULL };

    make_net(t);
    tiny_write(t, "recipe.yaml", RECIPE("techniques: [transfer-freeze: {layers: \"a*\"}]\n"));
    const espl_result with = tiny_do(t, &(tiny_job){ 0 }).result, without = tiny_do(t, &(tiny_job){ .set = none }).result;
    assert_true(with.hash == without.hash && with.loss == without.loss && with.top1 == without.top1);
    assert_int_equal(with.step_allocations, 0);
}

static void a_resumed_run_is_the_same(void **state)
{
    tiny *t = *state;
    const char *text = RECIPE("techniques: [transfer-freeze]\n");

    make_net(t);
    const uint64_t whole = hash_with(t, text, "cache=yes", 1);
    assert_int_equal(tiny_do(t, &(tiny_job){ .out = "cut", .stop_at = 9 }).status, ESPL_INTERRUPTED);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "cut", .resume = true, .threads = 2 }) == whole);
}

/* Asked to stop before the features are there, it stops before the first step. */
static void an_interrupt_comes_before_the_first_step(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_result result = { 0 };

    make_net(t);
    const uint64_t whole = hash_with(t, RECIPE("techniques: [transfer-freeze]\n"), "cache=yes", 1);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    espl_interrupt(ctx);
    assert_int_equal(tiny_fit(t, &(tiny_job){ .out = "early" }, ctx, &result), ESPL_INTERRUPTED);
    assert_int_equal(result.steps, 0);
    espl_context_free(ctx);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "early", .resume = true }) == whole);
}

/* ---- in a file ---- */

static bool file_is_there(const tiny *t)
{
    char path[160];

    snprintf(path, sizeof path, "%s/filed/features.cache", t->folder);
    return access(path, F_OK) == 0;
}

static uint64_t hash_filed(tiny *t, int64_t stop_at, bool resume)
{
    espl_context *ctx = NULL;
    espl_result result = { 0 };
    const espl_context_settings settings = { .threads = 1, .memory_limit = 2 << 20 };

    assert_int_equal(espl_context_open(&settings, &ctx), ESPL_OK);
    const espl_status s = tiny_fit(t, &(tiny_job){ .out = "filed", .stop_at = stop_at, .resume = resume }, ctx, &result);
    if (s != (stop_at ? ESPL_INTERRUPTED : ESPL_OK))
        fail_msg("%s", t->message);
    espl_context_free(ctx);
    return result.hash;
}

/* More than a quarter of what memory there is lies in the run's folder, for as long as the run needs it. */
static void many_features_lie_in_a_file(void **state)
{
    tiny *t = *state;
    const char *text = RECIPE("variants: 8\ntechniques: [transfer-freeze: {layers: \"a*\"}, augment-flip]\n");
    const char *const set[] = { "epochs=8", NULL };

    make_net(t);
    const uint64_t whole = tiny_hash(t, &(tiny_job){ .text = text, .set = set });
    char *recipe = tiny_read(t, "run/recipe.yaml");
    tiny_write(t, "recipe.yaml", recipe);
    free(recipe);
    hash_filed(t, 10, false);
    assert_true(file_is_there(t));
    assert_true(hash_filed(t, 0, true) == whole);
    assert_false(file_is_there(t));
}

static espl_status fit_once(espl_context *ctx, void *argument)
{
    const char *const set[] = { "epochs=1", "variants=1", NULL };
    const char *const with[] = { "transfer-freeze", "augment-flip", NULL };
    espl_result result;

    return tiny_fit(argument, &(tiny_job){ .set = set, .with = with }, ctx, &result);
}

static void survives_failing_allocations(void **state)
{
    tiny *t = *state;

    make_net(t);
    tiny_write(t, "recipe.yaml", RECIPE("cache: yes\n"));
    failing_every(fit_once, t, &(espl_context_settings){ .threads = 1 });
}

/* ---- where it would be wrong ---- */

static void refuses_with_the_reason(void **state)
{
    tiny *t = *state;

    make_net(t);
    const struct {
        const char *text, *words;
    } all[] = {
        { RECIPE("cache: yes\n"), "recipe.yaml:6:8: cache: the features of the frozen part cannot be kept: \"a\" trains" },
        { RECIPE("cache: yes\n"), "transfer-freeze" },
        { RECIPE("cache: yes\ntechniques: [transfer-freeze: {layers: b}]\n"), "\"a\" trains" },
        { RECIPE("cache: yes\ntechniques: [transfer-freeze: {statistics: yes}]\n"), "\"a\" trains" },
        { RECIPE("cache: yes\ntechniques: [transfer-freeze, augment-flip]\n"), "augment-flip draws each picture anew" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tiny_refuses(t, &(tiny_job){ .text = all[i].text }, ESPL_BAD_STATE, all[i].words);
    assert_int_equal(tiny_do(t, &(tiny_job){ .text = RECIPE("techniques: [transfer-freeze, augment-flip]\n") }).status, ESPL_OK);
    tiny_refuses(t, &(tiny_job){ .text = RECIPE("variants: -1\n") }, ESPL_BAD_OPTION, "variants");
}

static espl_status spoil(void *self, espl_run *run)
{
    (void)self;
    run->net->parameters[0].value[0] += 1;
    return ESPL_OK;
}

/* What moves a frozen weight behind the run's back is found out before the next epoch. */
static void a_changed_layer_is_noticed(void **state)
{
    static const espl_technique spoiling = { .name = "spoiling", .summary = "", .family = ESPL_OBSERVE, .size = 1, .on = { [ESPL_EPOCH_END] = spoil } };
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_run *run = NULL;

    make_net(t);
    tiny_write(t, "recipe.yaml", RECIPE("techniques: [transfer-freeze]\n"));
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    char folder[160];
    snprintf(folder, sizeof folder, "%s/run", t->folder);
    if (espl_run_load(ctx, t->recipe, &(espl_run_settings){ .folder = folder }, &run) || espl_run_attach_own(run, &spoiling, NULL))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(espl_run_fit(run), ESPL_BAD_STATE);
    assert_non_null(strstr(espl_message(ctx), "cache: no"));
    espl_run_free(run);
    espl_context_free(ctx);
}

/* ---- where it is cut ---- */

static void freeze_until(espl_net *net, int node)
{
    for (int i = 0; i < net->graph->parameter_count; i++)
        net->parameters[i].frozen = net->graph->parameters[i].node < node;
}

/* Nodes 1-3: convolution, norm, relu; 4-10: a block around which 3 goes into 9, the addition. */
static void the_cut_is_passed_by_every_way(void **state)
{
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    int cut, obstacle;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    assert_int_equal(espl__net_open(small_graph(ctx, 8, 8, true), "small", &net), ESPL_OK);
    const int addition = espl__graph_find(net->graph, "add_1");
    const int until[] = { 1, 2, 3, addition - 2, addition, net->graph->output - 1 };
    const int expected[] = { 0, 1, 3, 3, addition + 1, net->graph->output - 2 };
    for (int i = 0; i < 6; i++) {
        freeze_until(net, until[i]);
        assert_int_equal(espl__frozen_prefix(net, net->graph, &cut, &obstacle), ESPL_OK);
        assert_int_equal(cut, expected[i]);
    }
    freeze_until(net, 3); /* a norm whose statistics move is in the way, like one that trains */
    net->parameters[net->graph->nodes[2].parameters[3]].frozen = false;
    assert_int_equal(espl__frozen_prefix(net, net->graph, &cut, &obstacle), ESPL_OK);
    assert_int_equal(cut, 1);
    assert_int_equal(obstacle, 2);
    espl_net_free(net);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(the_bits_are_those_of_the_whole_net),
        TINY_TEST_OF(variants_are_drawn_once),
        TINY_TEST_OF(scores_are_those_of_the_whole_net),
        TINY_TEST_OF(a_resumed_run_is_the_same),
        TINY_TEST_OF(an_interrupt_comes_before_the_first_step),
        TINY_TEST_OF(many_features_lie_in_a_file),
        TINY_TEST_OF(survives_failing_allocations),
        TINY_TEST_OF(refuses_with_the_reason),
        TINY_TEST_OF(a_changed_layer_is_noticed),
        cmocka_unit_test(the_cut_is_passed_by_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
