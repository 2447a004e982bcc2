/* What parts of a net give: cut 0 is a training from scratch and the last cut the net itself, to the bit; every training
 * is an ordinary run; drawing anew what was never trained loses nothing; stopped anywhere, it ends the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#include <espalier/contribution.h>

/* Three groups: a, b and the head. */
#define DEEP_NET                                     \
    "name: deep\n"                                   \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 6, kernel: 3, pad: 1}\n" \
    "    name: a\n"                                  \
    "  - batch_norm:\n"                              \
    "    name: a_norm\n"                             \
    "  - relu:\n"                                    \
    "    name: a_out\n"                              \
    "  - conv2d: {channels: 4, kernel: 3, pad: 1}\n" \
    "    name: b\n"                                  \
    "  - relu\n"                                     \
    "  - max_pool: 2\n"                              \
    "  - flatten\n"                                  \
    "  - dense: classes\n"                           \
    "    name: out\n"
#define SOURCE "source/net.safetensors"
#define RECIPE(net, more) TINY_RECIPE(net, "keep: last\n" more)

typedef struct stopper {
    espl_context *ctx;
    int64_t steps, every; /* 0: never */
    int notes;
} stopper;

static void watch(void *user, const espl_news *news)
{
    stopper *s = user;

    s->notes += news->kind == ESPL_NEWS_NOTE && strncmp(news->text, "net ", 4) == 0;
    if (news->kind == ESPL_NEWS_STEP && s->every && ++s->steps % s->every == 0)
        espl_interrupt(s->ctx);
}

/* One process's work in the folder `out`; `trained`: nets that it began to train. */
static espl_status once(tiny *t, const char *out, int measures, int groups, int64_t stop_every, espl_contribution *found,
                        int *trained)
{
    espl_context *ctx = NULL;
    char folder[160];

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    stopper s = { ctx, 0, stop_every, 0 };
    snprintf(folder, sizeof folder, "%s/%s", t->folder, out);
    const espl_contribution_settings settings = { .folder = folder, .groups = groups, .measures = measures, .watch = watch, .user = &s };
    const espl_status status = espl_contribution_find(ctx, t->recipe, &settings, found);
    snprintf(t->message, sizeof t->message, "%s", espl_message(ctx));
    if (trained)
        *trained = s.notes;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return status;
}

static int find(tiny *t, const char *out, int measures, espl_contribution *found)
{
    int trained = 0;

    if (once(t, out, measures, 3, 0, found, &trained))
        fail_msg("%s", t->message);
    assert_int_equal(found->groups, 3);
    assert_int_equal(found->held_out, TINY_TEST);
    return trained;
}

static void make_source(tiny *t)
{
    tiny_write(t, "deep.yaml", DEEP_NET);
    tiny_hash(t, &(tiny_job){ .out = "source", .text = RECIPE("deep.yaml", ""), .set = (const char *const[]){ "seed=3", "epochs=6", NULL } });
    tiny_write(t, "recipe.yaml", RECIPE(SOURCE, ""));
}

/* The recipe `text` trained alone ends where the run in `folder` ended. */
static void expect_run(tiny *t, const char *folder, const char *text, const char *const *set, const char *const *with)
{
    char name[160], hash[40];
    const uint64_t expected = tiny_hash(t, &(tiny_job){ .out = "alone", .text = text, .set = set, .with = with });

    snprintf(name, sizeof name, "%s/log.jsonl", folder);
    snprintf(hash, sizeof hash, "\"hash\":\"%016llx\"", (unsigned long long)expected);
    char *log = tiny_read(t, name);
    if (!log || !strstr(log, hash))
        fail_msg("%s does not end with %s: %s", name, hash, log ? log : "no log");
    free(log);
}

static double score_source(const tiny *t)
{
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_score score;
    char path[160];

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/" SOURCE, t->folder);
    assert_int_equal(espl_net_load(ctx, path, &net), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &score), ESPL_OK);
    const double top1 = score.top1;
    espl_score_free(&score);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
    return top1;
}

static void test_ends_of_the_cuts(void **state)
{
    tiny *t = *state;
    espl_contribution found;

    make_source(t);
    assert_int_equal(find(t, "cuts", ESPL_CONTRIBUTION_CUTS, &found), 5);
    assert_string_equal(found.cut[1].layer, "a_norm");
    assert_string_equal(found.cut[2].layer, "b");
    assert_string_equal(found.cut[3].layer, "out");
    assert_int_equal(found.cut[1].parameters, 6 * 9 + 6 + 12);
    assert_true(found.cut[0].frozen == found.cut[0].trained);
    assert_true(found.cut[3].frozen == score_source(t));
    assert_true(isnan(found.cut[1].probe) && isnan(found.cut[1].reset) && isnan(found.whole));
    expect_run(t, "cuts/cut-0", RECIPE("deep.yaml", ""), NULL, NULL);
    expect_run(t, "cuts/cut-2", RECIPE(SOURCE, ""), NULL, (const char *const[]){ "transfer-cut: {groups: 3, copied: 2}", NULL });
    expect_run(t, "cuts/cut-1-trained", RECIPE(SOURCE, ""), NULL,
               (const char *const[]){ "transfer-cut: {groups: 3, copied: 1, rate: 0.1}", NULL });
}

static void test_a_probe_is_a_head_on_frozen_layers(void **state)
{
    tiny *t = *state;
    espl_contribution found;

    make_source(t);
    assert_int_equal(find(t, "probes", ESPL_CONTRIBUTION_PROBES, &found), 2);
    assert_true(found.cut[1].probe >= 0 && found.cut[2].probe >= 0);
    assert_true(isnan(found.cut[0].probe) && isnan(found.cut[3].probe) && isnan(found.cut[3].frozen));
    expect_run(t, "probes/probe-1", RECIPE(SOURCE, ""), (const char *const[]){ "head={after: a_out}", NULL },
               (const char *const[]){ "transfer-freeze", NULL });
}

/* Where nobody has trained the net, a group drawn anew is what it was. */
static void test_drawing_anew(void **state)
{
    tiny *t = *state;
    espl_contribution found;
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    char path[160];

    make_source(t);
    assert_int_equal(find(t, "trained", ESPL_CONTRIBUTION_RESETS, &found), 0);
    assert_true(found.whole == score_source(t));
    for (int n = 1; n <= 3; n++)
        assert_true(found.cut[n].reset <= found.whole);
    assert_true(found.cut[3].reset < found.whole);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/deep.yaml", t->folder);
    assert_int_equal(espl_net_open(ctx, path, NULL, &net), ESPL_OK);
    snprintf(path, sizeof path, "%s/" SOURCE, t->folder);
    assert_int_equal(espl_net_save(net, path), ESPL_OK);
    espl_net_free(net);
    espl_context_free(ctx);
    find(t, "untrained", ESPL_CONTRIBUTION_RESETS, &found);
    for (int n = 1; n <= 3; n++)
        assert_true(found.cut[n].reset == found.whole);
}

/* Then the net that can be asked is the one that was trained on from the last cut. */
static void test_a_new_head(void **state)
{
    tiny *t = *state;
    espl_contribution found;

    make_source(t);
    tiny_write(t, "recipe.yaml", RECIPE(SOURCE, "head: auto\n"));
    assert_int_equal(find(t, "new", ESPL_CONTRIBUTION_RESETS, &found), 1);
    assert_true(found.whole == found.cut[2].trained);
    assert_int_equal(find(t, "new", 0, &found), 4 + 2); /* that one is there */
    assert_true(isnan(found.cut[3].frozen) && found.whole == found.cut[2].trained);
}

static void test_stopped_anywhere_it_ends_the_same(void **state)
{
    tiny *t = *state;
    espl_contribution whole, found;
    espl_status status;
    int calls = 0;

    make_source(t);
    assert_int_equal(find(t, "whole", 0, &whole), 7);
    while ((status = once(t, "stopped", 0, 3, 25, &found, NULL)) == ESPL_INTERRUPTED)
        assert_true(++calls < 50);
    assert_int_equal(status, ESPL_OK);
    assert_true(calls > 1);
    for (int n = 0; n <= 3; n++)
        assert_memory_equal(&found.cut[n], &whole.cut[n], sizeof whole.cut[n]);
    assert_int_equal(find(t, "stopped", 0, &found), 0); /* all is there */
    assert_true(found.cut[1].frozen == whole.cut[1].frozen);
}

static void refuses(tiny *t, const char *text, int groups, espl_status expected, const char *words)
{
    espl_contribution found;

    tiny_write(t, "recipe.yaml", text);
    const espl_status status = once(t, "refused", 0, groups, 0, &found, NULL);
    if (status != expected || !strstr(t->message, words))
        fail_msg("expected %s with \"%s\", got %s with \"%s\"", espl_status_name(expected), words,
                 espl_status_name(status), t->message);
}

static void test_refuses(void **state)
{
    tiny *t = *state;
    espl_contribution found;

    make_source(t);
    refuses(t, RECIPE(SOURCE, "techniques: [transfer-freeze]\n"), 0, ESPL_BAD_OPTION, "take it out of the recipe");
    refuses(t, RECIPE(SOURCE, "search: {rate: [0.1, 0.2]}\n"), 0, ESPL_BAD_OPTION, "take the line out");
    refuses(t, RECIPE(SOURCE, ""), 4, ESPL_BAD_OPTION, "3 layers with weights");
    refuses(t, RECIPE(SOURCE, ""), -1, ESPL_BAD_OPTION, "0 to 64 groups");
    find(t, "refused", ESPL_CONTRIBUTION_RESETS, &found);
    refuses(t, RECIPE(SOURCE, "seed: 4\n"), 3, ESPL_BAD_STATE, "seed is 0 there and 4 here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_ends_of_the_cuts),
        TINY_TEST_OF(test_a_probe_is_a_head_on_frozen_layers),
        TINY_TEST_OF(test_drawing_anew),
        TINY_TEST_OF(test_a_new_head),
        TINY_TEST_OF(test_stopped_anywhere_it_ends_the_same),
        TINY_TEST_OF(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
