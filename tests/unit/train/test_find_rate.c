/* A range test leaves no trace: the run is what it was, to the bit, and what it finds does not depend on the number
 * of workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#include <espalier/find_rate.h>

#define RECIPE TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-cosine\n  - clip-gradients: {norm: 2}\n  - average-ema\n" \
                                        "  - augment-flip\n")
#define ADAM "net: tiny.yaml\ndata: data\nepochs: 2\nbatch: 8\noptimizer: {adam: {rate: 0.01}}\n"

typedef struct found {
    espl_status status;
    espl_rates rates;
    uint64_t trained; /* the net after a fit that followed */
} found;

static found *search(tiny *t, const char *recipe, int threads, const espl_rates_settings *settings)
{
    char folder[160];
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    found *f = calloc(1, sizeof *f);

    tiny_write(t, "recipe.yaml", recipe);
    snprintf(folder, sizeof folder, "%s/found", t->folder);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = threads, .oversubscribe = true }, &ctx), ESPL_OK);
    assert_int_equal(espl_run_load(ctx, t->recipe, &(espl_run_settings){ .folder = folder }, &run), ESPL_OK);
    f->status = espl_run_find_rate(run, settings, &f->rates);
    snprintf(t->message, sizeof t->message, "%s", espl_message(ctx));
    if (!f->status) {
        assert_int_equal(espl_run_fit(run), ESPL_OK);
        f->trained = espl_run_result(run)->hash;
    }
    espl_run_free(run);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return f;
}

static void check_leaves_no_trace(tiny *t, const char *recipe)
{
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = recipe });
    found *f = search(t, recipe, 1, NULL);

    assert_int_equal(f->status, ESPL_OK);
    assert_true(f->rates.before && f->rates.before == f->rates.after);
    assert_true(f->trained == hash);
    assert_true(f->rates.steps >= 20);
    free(f);
}

static void test_leaves_no_trace(void **state)
{
    check_leaves_no_trace(*state, RECIPE);
    check_leaves_no_trace(*state, ADAM);
    check_leaves_no_trace(*state, TINY_RECIPE("tiny.yaml", "accumulate: 2\ntechniques: [{transfer-freeze: {depth: 1}}]\n"));
}

static void test_is_the_same_for_any_number_of_workers(void **state)
{
    found *one = search(*state, RECIPE, 1, NULL), *three = search(*state, RECIPE, 3, NULL);

    assert_int_equal(one->rates.count, three->rates.count);
    for (int i = 0; i < one->rates.count; i++)
        assert_memory_equal(&one->rates.points[i], &three->rates.points[i], sizeof one->rates.points[i]);
    assert_memory_equal(&one->rates.rate, &three->rates.rate, sizeof(double));
    free(one);
    free(three);
}

/* The pictures are easy to tell apart, so there is something to find, between nothing and far too much. */
static void test_finds_a_rate_that_trains(void **state)
{
    const espl_rates_settings settings = { .points = 60, .repeats = 3 };
    found *f = search(*state, TINY_RECIPE("tiny.yaml", ""), 1, &settings);

    if (!f->rates.trusted)
        fail_msg("%s", f->rates.reason);
    assert_true(f->rates.rate > 1e-3 && f->rates.rate < 2);
    assert_true(f->rates.low <= f->rates.rate && f->rates.rate <= f->rates.high);
    assert_true(f->rates.base < f->rates.maximum);
    assert_int_equal(f->rates.count, 60);
    assert_int_equal(f->rates.repeats, 3);
    free(f);
}

static void expect_refusal(tiny *t, const espl_rates_settings *settings, const char *words)
{
    found *f = search(t, TINY_RECIPE("tiny.yaml", ""), 1, settings);

    if (f->status != ESPL_BAD_OPTION || !strstr(t->message, words))
        fail_msg("%s with \"%s\"", espl_status_name(f->status), t->message);
    free(f);
}

static void test_refuses_ranges_that_are_none(void **state)
{
    expect_refusal(*state, &(espl_rates_settings){ .low = 1, .high = 0.1 }, "rates from 1 to 0.1 are no range");
    expect_refusal(*state, &(espl_rates_settings){ .points = 3 }, "3 points: 10 to 400");
    expect_refusal(*state, &(espl_rates_settings){ .repeats = 99 }, "99 repeats: 1 to 20");
}

/* ---- `rate: find` ---- */

#define FINDS "net: tiny.yaml\ndata: data\nepochs: 3\nbatch: 8\noptimizer: {sgd: {rate: find}}\n" \
              "techniques: [schedule-cosine]\n"

static void test_trains_with_the_rate_that_was_found(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = FINDS });
    found *f = search(t, FINDS, 1, NULL);
    char set[80];
    const char *const sets[] = { set, NULL };

    /* tiny data: few batches, so either answer may come out, but the same here and there */
    snprintf(set, sizeof set, "optimizer.sgd.rate=%.17g", f->rates.trusted ? f->rates.rate : 0.1);
    assert_true(tiny_hash(t, &(tiny_job){ .out = "named", .set = sets }) == hash);
    assert_true(f->trained == hash);
    char *log = tiny_read(t, "run/log.jsonl"), *recipe = tiny_read(t, "run/recipe.yaml");
    assert_non_null(strstr(log, "\"found_rate\":"));
    assert_non_null(strstr(recipe, "rate: find"));
    free(log);
    free(recipe);
    free(f);
}

static void test_resumes_with_the_rate_that_was_found(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = FINDS });

    for (int64_t stop = 1; stop < 21; stop += 6) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop }).status, ESPL_INTERRUPTED);
        assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true, .threads = 2 }) == hash);
    }
}

static void test_other_words_are_no_rate(void **state)
{
    tiny_refuses(*state, &(tiny_job){ .text = "net: tiny.yaml\ndata: data\noptimizer: {sgd: {rate: seek}}\n" },
                 ESPL_BAD_OPTION, "rate: \"seek\" is not a number, nor find");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_leaves_no_trace),
        TINY_TEST_OF(test_is_the_same_for_any_number_of_workers),
        TINY_TEST_OF(test_finds_a_rate_that_trains),
        TINY_TEST_OF(test_refuses_ranges_that_are_none),
        TINY_TEST_OF(test_trains_with_the_rate_that_was_found),
        TINY_TEST_OF(test_resumes_with_the_rate_that_was_found),
        TINY_TEST_OF(test_other_words_are_no_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
