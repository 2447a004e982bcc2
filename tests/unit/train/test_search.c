/* A search finds the same for the same seed, however often it is stopped; its trials are ordinary runs; and what it
 * cannot try it refuses before anything is trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#include <espalier/search.h>

#define RECIPE(search) "net: tiny.yaml\ndata: data\nepochs: 9\nbatch: 8\noptimizer: {sgd: {rate: 0.05}}\n" \
                       "techniques: [schedule-cosine, {clip-gradients: {norm: 2}}]\nsearch: " search "\n"
#define TWO "{rate: log 1e-3..1, decay: [0, 1e-3]}"

typedef struct stopper {
    espl_context *ctx;
    int64_t steps, every; /* 0: never */
} stopper;

static void stop_sometimes(void *user, const espl_news *news)
{
    stopper *s = user;

    if (news->kind == ESPL_NEWS_STEP && s->every && ++s->steps % s->every == 0)
        espl_interrupt(s->ctx);
}

typedef struct job {
    const char *text, *out;
    espl_search_settings settings;
    int64_t stop_every;
    bool only_open;
} job;

static espl_context *open_context(void)
{
    espl_context *ctx = NULL;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    return ctx;
}

static void tell(const espl_search *search, char *told, size_t size)
{
    size_t length = 0;

    for (int place = 0; place < espl_search_trials(search) && length < size; place++) {
        const int trial = espl_search_ranked(search, place);
        const espl_trial *t = espl_search_trial(search, trial);
        length += (size_t)snprintf(told + length, size - length, "%d:", trial);
        for (int v = 0; v < espl_search_values(search) && length < size; v++)
            length += (size_t)snprintf(told + length, size - length, " %s=%s", espl_search_path(search, v),
                                       espl_search_text(search, trial, v));
        if (length < size)
            length += (size_t)snprintf(told + length, size - length, " %lld %a %a\n", (long long)t->epochs, t->top1, t->loss);
    }
}

/* One process's work; `told`: every trial, best first, to the bit. */
static espl_status once(tiny *t, const job *j, char *told, size_t size)
{
    espl_context *ctx = open_context();
    espl_search_settings settings = j->settings;
    espl_search *search = NULL;
    stopper s = { ctx, 0, j->stop_every };
    char folder[160];

    snprintf(folder, sizeof folder, "%s/%s", t->folder, j->out ? j->out : "search");
    settings.folder = folder;
    tiny_write(t, "recipe.yaml", j->text);
    espl_status status = espl_search_open(ctx, t->recipe, &settings, &search);
    if (!status && !j->only_open) {
        espl_search_watch(search, stop_sometimes, &s);
        status = espl_search_run(search);
    }
    if (!status)
        tell(search, told, size);
    snprintf(t->message, sizeof t->message, "%s", espl_message(ctx));
    espl_search_free(search);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return status;
}

static char *search(tiny *t, const job *j)
{
    static char told[3][8192]; /* the latest three */
    static int turn;
    char *result = told[turn++ % 3];
    espl_status status;
    int calls = 0;

    result[0] = 0;
    while ((status = once(t, j, result, sizeof told[0])) == ESPL_INTERRUPTED)
        assert_true(++calls < 200);
    if (status)
        fail_msg("%s: %s", espl_status_name(status), t->message);
    if (j->stop_every)
        assert_true(calls > 1);
    return result;
}

static void refuses(tiny *t, const job *j, espl_status expected, const char *words)
{
    char told[8192];
    const espl_status status = once(t, j, told, sizeof told);

    if (status != expected || !strstr(t->message, words))
        fail_msg("expected %s with \"%s\", got %s with \"%s\"", espl_status_name(expected), words,
                 espl_status_name(status), t->message);
}

static void test_lists_make_every_combination(void **state)
{
    const char *told = search(*state, &(job){ .text = RECIPE("{rate: [0.1, 0.2], batch: 8..24, norm: [3]}"),
                                              .settings = { .grid = 2 },
                                              .only_open = true });
    assert_string_equal(told, "0: optimizer.sgd.rate=0.1 batch=8 techniques.clip-gradients.norm=3 0 nan nan\n"
                              "1: optimizer.sgd.rate=0.1 batch=24 techniques.clip-gradients.norm=3 0 nan nan\n"
                              "2: optimizer.sgd.rate=0.2 batch=8 techniques.clip-gradients.norm=3 0 nan nan\n"
                              "3: optimizer.sgd.rate=0.2 batch=24 techniques.clip-gradients.norm=3 0 nan nan\n");
}

/* ln rate is even over its range: mean and variance of a thousand draws within five deviations. */
static void test_draws_are_even_in_the_logarithm(void **state)
{
    espl_context *ctx = open_context();
    espl_search *found = NULL;
    tiny *t = *state;
    double sum = 0, squares = 0;

    tiny_write(t, "recipe.yaml", RECIPE("{rate: log 1e-3..1}"));
    assert_int_equal(espl_search_open(ctx, t->recipe, &(espl_search_settings){ .trials = 1000 }, &found), ESPL_OK);
    for (int i = 0; i < 1000; i++) {
        const double u = log(atof(espl_search_text(found, i, 0)) / 1e-3) / log(1000);
        assert_true(u >= 0 && u <= 1);
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / 1000 - 0.5) < 5 * sqrt(1.0 / 12 / 1000));
    assert_true(fabs(squares / 1000 - sum * sum / 1e6 - 1.0 / 12) < 5.0 / 12 * sqrt(0.8 / 1000));
    espl_search_free(found);
    espl_context_free(ctx);
}

static void test_a_longer_search_begins_with_the_same_trials(void **state)
{
    const job five = { .text = RECIPE(TWO), .settings = { .trials = 5 }, .only_open = true };
    job nine = five;

    nine.settings.trials = 9;
    const char *few = search(*state, &five), *more = search(*state, &nine);
    assert_memory_equal(few, more, strlen(few));
    assert_true(strlen(more) > strlen(few));
    nine.settings.set = (const char *const[]){ "seed=1", NULL };
    assert_memory_not_equal(few, search(*state, &nine), 40);
}

/* Nine trials of nine epochs: all train for one, three for three, one for all nine. */
static void test_the_better_ones_go_on(void **state)
{
    const char *told = search(*state, &(job){ .text = RECIPE(TWO), .settings = { .trials = 9 } });
    int with[10] = { 0 };

    for (const char *line = told; *line; line = strchr(line, '\n') + 1) {
        int trial, epochs;
        assert_int_equal(sscanf(line, "%d: %*s %*s %d", &trial, &epochs), 2);
        assert_in_range(epochs, 1, 9);
        with[epochs]++;
    }
    assert_int_equal(with[1], 6);
    assert_int_equal(with[3], 2);
    assert_int_equal(with[9], 1);
}

static void test_stopped_anywhere_it_ends_the_same(void **state)
{
    job j = { .text = RECIPE(TWO), .out = "whole", .settings = { .trials = 6 } };
    char whole[8192];

    snprintf(whole, sizeof whole, "%s", search(*state, &j));
    j.out = "stopped";
    j.stop_every = 13; /* steps; an epoch has 6 */
    assert_string_equal(search(*state, &j), whole);
    j.stop_every = 0; /* all is there: nothing trains, and the same is told */
    assert_string_equal(search(*state, &j), whole);
}

/* As after a power cut: a trial's checkpoint or log is gone. */
static void test_what_is_lost_is_done_again(void **state)
{
    const job j = { .text = RECIPE(TWO), .settings = { .trials = 4 } };
    tiny *t = *state;
    char whole[8192], path[256];

    snprintf(whole, sizeof whole, "%s", search(t, &j));
    snprintf(path, sizeof path, "%s/search/trial-001/log.jsonl", t->folder);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s/search/trial-001/checkpoint.safetensors", t->folder);
    remove(path);
    assert_string_equal(search(t, &j), whole);
}

/* The winner is what a training with its values would be. */
static void test_a_trial_is_a_run(void **state)
{
    tiny *t = *state;
    const char *told = search(t, &(job){ .text = RECIPE(TWO), .settings = { .trials = 3 } });
    char rate[64], decay[64], name[64], hash[40];
    int trial;

    assert_int_equal(sscanf(told, "%d: %63s %63s 9 ", &trial, rate, decay), 3);
    const char *const set[] = { "search=", "held-out=0.1", rate, decay, NULL };
    snprintf(hash, sizeof hash, "\"hash\":\"%016llx\"", (unsigned long long)tiny_hash(t, &(tiny_job){ .set = set }));
    snprintf(name, sizeof name, "search/trial-%03d/log.jsonl", trial + 1);
    char *log = tiny_read(t, name);
    if (!strstr(log, hash) || !strstr(log, "\"samples\":45,\"held_out\":5,")) /* no test picture chooses */
        fail_msg("%s is not the hash of trial %d with %s and %s: %s", hash, trial, rate, decay, log);
    free(log);
}

static void test_trials_that_diverge_come_last(void **state)
{
    tiny *t = *state;
    const char *told = search(t, &(job){ .text = TINY_RECIPE("plain.yaml", "search: {rate: [1e6, 0.05]}\n"),
                                         .settings = { .keep = 1 } });

    assert_memory_equal(told, "1: optimizer.sgd.rate=0.05 3 ", 29);
    assert_non_null(strstr(told, "\n0: optimizer.sgd.rate=1e6 0 nan nan\n"));
}

static void test_refuses(void **state)
{
    tiny *t = *state;

    refuses(t, &(job){ .text = RECIPE("") }, ESPL_BAD_RECIPE, "nothing to search");
    refuses(t, &(job){ .text = RECIPE("{speed: [1, 2]}") }, ESPL_BAD_RECIPE, "no option \"speed\"");
    refuses(t, &(job){ .text = RECIPE("{rate: log 0..1}") }, ESPL_BAD_RECIPE, "a range such as");
    refuses(t, &(job){ .text = RECIPE("{rate: 1..0.1}") }, ESPL_BAD_RECIPE, "a range such as");
    refuses(t, &(job){ .text = RECIPE("{rate: 0.1}") }, ESPL_BAD_RECIPE, "a range such as");
    refuses(t, &(job){ .text = RECIPE("{epochs: [1, 2]}") }, ESPL_BAD_RECIPE, "divides the epochs");
    refuses(t, &(job){ .text = RECIPE("{momentum: [0.5, 1.5]}") }, ESPL_BAD_OPTION, "momentum");
    refuses(t, &(job){ .text = RECIPE(TWO), .settings = { .grid = 501 } }, ESPL_BAD_OPTION, "more than 1000 combinations");
    refuses(t, &(job){ .text = RECIPE(TWO), .settings = { .grid = 2, .trials = 2 } }, ESPL_BAD_OPTION, "grid");
    tiny_refuses(t, &(tiny_job){ .text = RECIPE(TWO) }, ESPL_BAD_OPTION, "espalier search");
}

static void test_refuses_a_folder_of_another_search(void **state)
{
    const job j = { .text = RECIPE("{rate: [0.1, 0.2]}") };

    search(*state, &j);
    refuses(*state, &(job){ .text = RECIPE("{rate: [0.1, 0.3]}") }, ESPL_BAD_STATE, "search.rate.1 is 0.2 there and 0.3 here");
    refuses(*state, &(job){ .text = j.text, .settings = { .keep = 2 } }, ESPL_BAD_STATE, "keep-one-of is 3 there and 2 here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_lists_make_every_combination),
        TINY_TEST_OF(test_draws_are_even_in_the_logarithm),
        TINY_TEST_OF(test_a_longer_search_begins_with_the_same_trials),
        TINY_TEST_OF(test_the_better_ones_go_on),
        TINY_TEST_OF(test_stopped_anywhere_it_ends_the_same),
        TINY_TEST_OF(test_what_is_lost_is_done_again),
        TINY_TEST_OF(test_a_trial_is_a_run),
        TINY_TEST_OF(test_trials_that_diverge_come_last),
        TINY_TEST_OF(test_refuses),
        TINY_TEST_OF(test_refuses_a_folder_of_another_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
