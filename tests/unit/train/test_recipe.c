/* Mistakes in a recipe are found before anything is opened, each with its place and what to do; the
 * resolved recipe is a recipe that means the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_pictures.h"

static void refuse(tiny *t, const char *text, espl_status status, const char *words)
{
    tiny_refuses(t, &(tiny_job){ .text = text }, status, words);
}

static void test_mistakes_have_their_place(void **state)
{
    tiny *t = *state;

    refuse(t, "net: tiny.yaml\ndata: data\nepoch: 3\n", ESPL_BAD_RECIPE, "recipe.yaml:3:1");
    refuse(t, "net: tiny.yaml\ndata: data\nepoch: 3\n", ESPL_BAD_RECIPE, "epochs");
    refuse(t, "net: tiny.yaml\ndata: data\nepochs: 0\n", ESPL_BAD_OPTION, "recipe.yaml:3:9");
    refuse(t, "net: tiny.yaml\ndata: data\nepochs: many\n", ESPL_BAD_OPTION, "many");
    refuse(t, "net: tiny.yaml\ndata: data\nepochs: [1, 2]\n", ESPL_BAD_OPTION, "one value");
    refuse(t, "net: tiny.yaml\ndata: data\nbatch: 4\naccumulate: 5\n", ESPL_BAD_OPTION, "recipe.yaml:4:13");
    refuse(t, "net: tiny.yaml\ndata: data\nkeep: worst\n", ESPL_BAD_OPTION, "best");
    refuse(t, "net: tiny.yaml\ndata: data\nscore-every: 3\n", ESPL_BAD_OPTION, "score-every");
    refuse(t, "net: tiny.yaml\ndata: data\nepochs: 3\nepochs: 4\n", ESPL_BAD_RECIPE, "twice");
    refuse(t, "net: tiny.yaml\nepochs: 3\n", ESPL_BAD_RECIPE, "data");
    refuse(t, "data: data\n", ESPL_BAD_RECIPE, "net");
    refuse(t, "- net\n- data\n", ESPL_BAD_RECIPE, "map");
    refuse(t, "net: [\n", ESPL_BAD_RECIPE, "recipe.yaml");
}

static void test_parts_have_their_place(void **state)
{
    tiny *t = *state;

    refuse(t, TINY_RECIPE("tiny.yaml", "algorithm: fast\n"), ESPL_BAD_OPTION, "direct");
    refuse(t, TINY_RECIPE("tiny.yaml", "precision: half\n"), ESPL_BAD_OPTION, "bf16");
    refuse(t, "net: tiny.yaml\ndata: data\noptimizer: sdg\n", ESPL_BAD_OPTION, "did you mean \"sgd\"");
    refuse(t, "net: tiny.yaml\ndata: data\noptimizer: {sgd: {rat: 1}}\n", ESPL_BAD_OPTION, "recipe.yaml:3:19");
    refuse(t, "net: tiny.yaml\ndata: data\noptimizer: {sgd: {}, adam: {}}\n", ESPL_BAD_RECIPE, "optimizer");
    refuse(t, "net: tiny.yaml\ndata: data\nloss: softmax_crss_entropy\n", ESPL_BAD_OPTION, "softmax_cross_entropy");
    refuse(t, "net: tiny.yaml\ndata: data\nloss: {softmax_cross_entropy: {label-smoothing: 2}}\n", ESPL_BAD_OPTION,
           "label-smoothing");
    refuse(t, "net: tiny.yaml\ndata: data\ntechniques: schedule-cosine\n", ESPL_BAD_RECIPE, "list");
    refuse(t, "net: tiny.yaml\ndata: data\ntechniques:\n  - schedule-cosin\n", ESPL_BAD_OPTION,
           "recipe.yaml:4:5: there is no technique \"schedule-cosin\"; did you mean \"schedule-cosine\"?");
    refuse(t, "net: tiny.yaml\ndata: data\ntechniques:\n  - schedule-cosine: {lowest: -1}\n", ESPL_BAD_OPTION,
           "recipe.yaml:4:31");
    refuse(t, "net: tiny.yaml\ndata: data\ntechniques:\n  - schedule-cosine: {lowest: 0.5}\n", ESPL_BAD_OPTION,
           "recipe.yaml:4:22: schedule-cosine: lowest");
    refuse(t, "net: tiny.yaml\ndata: {pth: data}\n", ESPL_BAD_OPTION, "path");
    refuse(t, "net: tiny.yaml\ndata: {limit: 5}\n", ESPL_BAD_OPTION, "path");
    refuse(t, "net: tiny.yaml\ndata: [data]\n", ESPL_BAD_RECIPE, "data");
    refuse(t, "net: tiny.yaml\ndata: nowhere\n", ESPL_NO_FILE, "nowhere");
    refuse(t, "net: tiny.yml\ndata: data\n", ESPL_NO_FILE, "tiny.yml");
    refuse(t, TINY_RECIPE("tiny.yaml", "normalize: maybe\n"), ESPL_BAD_OPTION, "measured");
    refuse(t, TINY_RECIPE("tiny.yaml", "normalize: {mean: [1, 2]}\n"), ESPL_BAD_OPTION, "one for each channel");
    refuse(t, TINY_RECIPE("tiny.yaml", "normalize: {deviation: 0}\n"), ESPL_BAD_OPTION, "deviation");
    refuse(t, TINY_RECIPE("tiny.yaml", "class-weights: [1, 2]\n"), ESPL_BAD_OPTION, "3 weights");
    refuse(t, TINY_RECIPE("tiny.yaml", "class-weights: [1, 2, 0]\n"), ESPL_BAD_OPTION, "above 0");
    refuse(t, TINY_RECIPE("tiny.yaml", "class-weights: unbalanced\n"), ESPL_BAD_OPTION, "balanced");
}

static void test_a_net_that_does_not_fit_names_both(void **state)
{
    tiny *t = *state;

    refuse(t, "net: {tiny.yaml: {classes: 4}}\ndata: data\n", ESPL_BAD_SHAPE, "tells 4 classes apart but the data has 3");
    tiny_write(t, "fixed.safetensors", "");
    refuse(t, "net: fixed.safetensors\ndata: data\n", ESPL_BAD_FILE, "fixed.safetensors");
}

/* ---- a net that has learned something else ---- */

static void test_a_new_head_begins_with_chance(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    espl_score score;
    const char *text = NULL;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .out = "first" });
    tiny_write(t, "recipe.yaml", TINY_RECIPE("first/net.safetensors", "head: auto\nprepare: unit\n"));
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_run_load(ctx, t->recipe, NULL, &run) || espl_run_resolved(run, &text))
        fail_msg("%s", espl_message(ctx));
    assert_non_null(strstr(text, "head: {after: auto, start: zero, "));
    assert_non_null(strstr(text, "prepare: unit"));
    assert_null(strstr(text, "normalize"));
    assert_int_equal(espl_score_net(espl_run_net(run), espl_run_data(run), ESPL_TRAIN, 0, &score), ESPL_OK);
    assert_true(fabs(score.loss - log(3)) < 1e-6);
    espl_score_free(&score);
    espl_run_free(run);
    espl_context_free(ctx);
    assert_int_equal(tiny_do(t, &(tiny_job){ .out = "second" }).status, ESPL_OK);
}

static void test_files_of_nets_have_their_place(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .out = "first" });
    refuse(t, TINY_RECIPE("tiny.yaml", "head: new\n"), ESPL_BAD_OPTION, "recipe.yaml:6:7: head");
    refuse(t, TINY_RECIPE("tiny.yaml", "head: {start: warm}\n"), ESPL_BAD_OPTION, "zero");
    refuse(t, TINY_RECIPE("tiny.yaml", "head: {after: conv9}\n"), ESPL_BAD_OPTION, "recipe.yaml:6:7: after");
    refuse(t, TINY_RECIPE("tiny.yaml", "weights: nowhere.safetensors\n"), ESPL_NO_FILE, "nowhere");
    refuse(t, TINY_RECIPE("tiny.yaml", "weights: [a]\n"), ESPL_BAD_OPTION, "path");
    refuse(t, TINY_RECIPE("tiny.yaml", "prepare: gently\n"), ESPL_BAD_OPTION, "recipe.yaml:6:10");
    refuse(t, TINY_RECIPE("tiny.yaml", "prepare: unit\nnormalize: none\n"), ESPL_BAD_OPTION, "normalize");
    assert_int_equal(tiny_do(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "weights: first/net.safetensors\n") }).status, ESPL_OK);
}

/* ---- overrides ---- */

static void test_overrides(void **state)
{
    tiny *t = *state;
    const char *const epochs[] = { "epochs=1", NULL }, *const rate[] = { "optimizer.sgd.rate=-1", NULL };
    const char *const none[] = { "epochs", NULL }, *const with[] = { "schedule-cosine: {warm-up: 2st}", NULL };
    const char *const bad[] = { "schedule-cosine: {warm: 2st}", NULL }, *const name[] = { "clip-gradients", NULL };

    assert_int_equal(tiny_do(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .set = epochs }).result.steps, 7);
    const char *const limit[] = { "epochs=1", "data.limit=20", NULL };
    assert_int_equal(tiny_do(t, &(tiny_job){ .set = limit }).result.steps, 3);
    tiny_refuses(t, &(tiny_job){ .set = rate }, ESPL_BAD_OPTION, "rate");
    tiny_refuses(t, &(tiny_job){ .set = none }, ESPL_BAD_OPTION, "key=value");
    tiny_refuses(t, &(tiny_job){ .with = bad }, ESPL_BAD_OPTION, "warm-up");
    assert_int_equal(tiny_do(t, &(tiny_job){ .set = epochs, .with = with }).status, ESPL_OK);
    assert_int_equal(tiny_do(t, &(tiny_job){ .set = epochs, .with = name }).status, ESPL_OK);
}

/* ---- the resolved recipe ---- */

static void resolve(const tiny *t, char text[4096], const char *const *with)
{
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    const char *resolved = NULL;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_run_load(ctx, t->recipe, &(espl_run_settings){ .with = with }, &run) || espl_run_resolved(run, &resolved))
        fail_msg("%s", espl_message(ctx));
    snprintf(text, 4096, "%s", resolved);
    espl_run_free(run);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static void test_the_resolved_recipe_means_the_same(void **state)
{
    tiny *t = *state;
    const char *const with[] = { "schedule-multi-step: {at: [1ep, 0.75run]}", NULL };
    char first[4096], second[4096];
    const char *recipe =
        "net: {tiny.yaml: {classes: 3}}\ndata: {path: data, limit: 30}\nbatch: 8\nepochs: 2\n"
        "optimizer: adam\nclass-weights: [1, 2.5, 1]\nnormalize: {mean: 30, deviation: [60], scale: 0.5}\n"
        "loss: {softmax_cross_entropy: {label-smoothing: 0.1}}\ntechniques:\n  - clip-gradients\n";

    tiny_write(t, "recipe.yaml", recipe);
    resolve(t, first, with);
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .with = with });
    tiny_write(t, "recipe.yaml", first);
    resolve(t, second, NULL);
    assert_string_equal(first, second);
    assert_non_null(strstr(first, "beta2: 0.999"));
    assert_non_null(strstr(first, "at: [1ep, 0.75run]"));
    assert_non_null(strstr(first, "seed: 0"));
    assert_true(tiny_hash(t, &(tiny_job){ .out = "again" }) == hash);
}

/* What the net of a recipe answers about the training data before the first step. */
static double loss_before(tiny *t, const char *recipe, int channels)
{
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    espl_score score;

    tiny_write(t, "recipe.yaml", recipe);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_run_load(ctx, t->recipe, NULL, &run) ||
        espl_score_net(espl_run_net(run), espl_run_data(run), ESPL_TRAIN, 0, &score))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(espl_run_net(run)->graph->nodes[0].shape.dim[0], channels);
    const double loss = score.loss;
    espl_score_free(&score);
    espl_run_free(run);
    espl_context_free(ctx);
    return loss;
}

/* A net that was trained on three channels takes data of one, and answers what it answers when each of its three is
 * that one; a run from there can be resumed. */
static void test_a_net_for_colour_takes_grey(void **state)
{
    tiny *t = *state;
    char text[4096];

    tiny_make_pictures(t, "colour", TINY_SIDE, TINY_TRAIN, TINY_TEST);
    tiny_hash(t, &(tiny_job){ .text = "net: {tiny.yaml: {input: {channels: 3}}}\ndata: colour\nepochs: 2\nbatch: 8\n"
                                      "normalize: {mean: 60, deviation: 70}\n",
                              .out = "first" });
    const double grey = loss_before(t, TINY_RECIPE("first/net.safetensors", ""), 1);
    resolve(t, text, NULL);
    assert_non_null(strstr(text, "channels: 1"));
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .out = "whole" });
    assert_int_equal(tiny_do(t, &(tiny_job){ .out = "parts", .stop_at = 9 }).status, ESPL_INTERRUPTED);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "parts", .resume = true }) == hash);
    loss_before(t, TINY_RECIPE("whole/net.safetensors", ""), 1);
    const double kept = loss_before(t, "net: first/net.safetensors\ndata: {path: data, channels: 3}\n", 3);
    assert_true(fabs(grey - kept) < 1e-5 * kept);
    refuse(t, "net: first/net.safetensors\ndata: {path: data, height: 4, width: 4}\n", ESPL_BAD_SHAPE, "3x8x8");
}

static void test_explained(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    const char *text = NULL;

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", "techniques:\n  - clip-gradients\n  - schedule-step\n"));
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl_run_load(ctx, t->recipe, NULL, &run), ESPL_OK);
    assert_int_equal(espl_run_explained(run, &text), ESPL_OK);
    assert_string_equal(text, "run begin: schedule-step\nstep begin: schedule-step\ngradients ready: clip-gradients\n"
                              "each block: sgd\nepoch end: clip-gradients\n");
    espl_run_free(run);
    espl_context_free(ctx);
}

/* ---- written again ---- */

/* A resolved recipe is read again when a run is resumed, whatever stands in it. */
static void test_written_trees_read_back(void **unused)
{
    static const char *const all[] = { "{k: {x: }}", "{k: {x: , y: 1}}", "k:\n-\n- a\n-\n", "{k: [{a: }, \"\"], \"-\": [[]]}",
                                       "{\"a\\u0085b\": \"\\x7f\\u2028\\ufeff\"}", "{\"? a\": ~, \"b\": x\ty}" };
    char long_key[1200] = "? ";
    espl_context *ctx = NULL;

    (void)unused;
    memset(long_key + 2, 'k', 1100);
    strcpy(long_key + 1102, "\n: [1]\n");
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; i <= ESPL__COUNT(all); i++) {
        const char *source = i < ESPL__COUNT(all) ? all[i] : long_key;
        espl__text once = { 0 }, twice = { 0 };
        espl__document *document = NULL, *again = NULL;
        if (espl__document_parse(ctx, "test", source, strlen(source), &document))
            fail_msg("%s: %s", source, espl_message(ctx));
        assert_int_equal(espl__tree_write(ctx, document->root, &once), ESPL_OK);
        if (espl__document_parse(ctx, "test", once.data, once.length, &again))
            fail_msg("%s: %s", once.data, espl_message(ctx));
        assert_int_equal(again->root->first->count, document->root->first->count);
        assert_int_equal(espl__tree_write(ctx, again->root, &twice), ESPL_OK);
        assert_string_equal(once.data, twice.data);
        espl__text_free(ctx, &once);
        espl__text_free(ctx, &twice);
        espl__document_free(document);
        espl__document_free(again);
    }
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_mistakes_have_their_place),
        TINY_TEST_OF(test_parts_have_their_place),
        TINY_TEST_OF(test_a_net_that_does_not_fit_names_both),
        TINY_TEST_OF(test_a_new_head_begins_with_chance),
        TINY_TEST_OF(test_files_of_nets_have_their_place),
        TINY_TEST_OF(test_overrides),
        TINY_TEST_OF(test_the_resolved_recipe_means_the_same),
        TINY_TEST_OF(test_a_net_for_colour_takes_grey),
        TINY_TEST_OF(test_explained),
        cmocka_unit_test(test_written_trees_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
