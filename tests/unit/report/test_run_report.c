/* The page of a run: its log read, damaged logs refused, and what stands on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/run_history.h"
#include "unit/train/tiny_run.h"

#include <espalier/run_report.h>

#define RECIPE TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-warm-restarts: {cycles: 3}\n  - average-ema\n" \
                                        "  - average-swa: {start: 1ep}\n  - ensemble-snapshot\n")

static void test_reads_the_log(void **state)
{
    const tiny *t = *state;
    espl__run_history h;
    espl_context *ctx = NULL;

    tiny_write(t, "log.jsonl", "{\"event\":\"begin\",\"net\":\"tiny\",\"epochs\":3,\"seed\":7,\"found_rate\":0.25}\n"
                               "{\"event\":\"find-rate\",\"rate\":0.25,\"trusted\":true,\"reason\":\"a clear fall\","
                               "\"points\":[{\"rate\":0.1,\"loss\":2},{\"rate\":1,\"loss\":null,\"smooth\":3}]}\n"
                               "{\"event\":\"epoch\",\"epoch\":1,\"loss\":2.5,\"rate\":0.1}\n\n"
                               "{\"event\":\"epoch\",\"epoch\":2,\"loss\":1.5,\"held_out_top1\":0.75,\"rate\":0}\n"
                               "{\"event\":\"done\"}\n");
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl__history_read(ctx, t->folder, &h), ESPL_OK);
    assert_string_equal(h.net, "tiny");
    assert_true(h.count == 2 && h.epochs == 3 && h.seed == 7);
    assert_true(h.rates.trusted && h.rates.rate == 0.25 && isnan(h.rates.low) && h.rates.count == 2);
    assert_true(h.rates.points[0].loss == 2 && isnan(h.rates.points[1].loss) && h.rates.points[1].smooth == 3);
    assert_string_equal(h.rates.reason, "a clear fall");
    assert_true(h.column[ESPL__HISTORY_EPOCH][1] == 2 && h.column[ESPL__HISTORY_LOSS][0] == 2.5);
    assert_true(isnan(h.column[ESPL__HISTORY_HELD_OUT_TOP1][0]) && h.column[ESPL__HISTORY_HELD_OUT_TOP1][1] == 0.75);
    espl__history_free(&h);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static void refuse(const tiny *t, const char *log, const char *words)
{
    char page[128];
    espl_context *ctx = NULL;

    tiny_write(t, "log.jsonl", log);
    snprintf(page, sizeof page, "%s/page.html", t->folder);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl_report_run(ctx, t->folder, NULL, page), ESPL_BAD_FILE);
    if (!strstr(espl_message(ctx), words))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(espl__bytes_now(ctx), 0);
    assert_int_not_equal(access(page, F_OK), 0);
    espl_context_free(ctx);
}

static void test_refuses_what_is_no_log(void **state)
{
    refuse(*state, "{\"event\":\"begin\",\"net\":\"tiny\"}\n{\"event\":\"epo", "line 2 is none of a run's log");
    refuse(*state, "[1, 2]\n", "line 1 is none of a run's log");
    refuse(*state, "{\"event\":\"epoch\"}\n", "does not say which net");
    refuse(*state, "", "does not say which net");
}

static void test_refuses_more_points_than_there_can_be(void **state)
{
    char log[8192] = "{\"event\":\"find-rate\",\"points\":[0";
    size_t length = strlen(log);

    for (int i = 0; i < ESPL_RATE_POINTS_MAX; i++)
        length += (size_t)snprintf(log + length, sizeof log - length, ",0");
    snprintf(log + length, sizeof log - length, "]}\n");
    refuse(*state, log, "line 1 is none of a run's log");
}

/* The page of a run of that recipe, to be freed. */
static char *page_of(tiny *t, const char *recipe, const espl_report_settings *settings)
{
    char folder[128], page[160];
    espl_context *ctx = NULL;

    tiny_hash(t, &(tiny_job){ .text = recipe });
    assert_int_equal(chdir(t->folder), 0); /* what the run's recipe names is found from here */
    snprintf(folder, sizeof folder, "%s/run", t->folder);
    snprintf(page, sizeof page, "%s/report.html", folder);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_report_run(ctx, folder, settings, page))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return tiny_read(t, "run/report.html");
}

/* With its curve, whether the tiny data let one be found or not. */
static void test_shows_how_the_rate_was_found(void **state)
{
    char *text = page_of(*state, "net: tiny.yaml\ndata: data\nepochs: 2\nbatch: 8\noptimizer: {sgd: {rate: find}}\n",
                         &(espl_report_settings){ .bare = true });

    assert_non_null(strstr(text, "How the learning rate was found"));
    assert_non_null(strstr(text, "Loss after a step with each rate"));
    assert_null(strstr(text, "nan"));
    free(text);
}

/* All nets that such a run brings and what is made of them, each in a row, one of them recommended. */
static void test_shows_every_candidate(void **state)
{
    static const char *const rows[] = { "last", "ema", "swa", "snapshot 1", "snapshot 2", "ensemble", "vote of 3" };
    char *text = page_of(*state, RECIPE, &(espl_report_settings){ .seconds = 0.01 }), row[64];

    for (int i = 0; i < ESPL__COUNT(rows); i++) {
        snprintf(row, sizeof row, "<td>%s</td>", rows[i]);
        if (!strstr(text, row))
            fail_msg("there is no %s", rows[i]);
    }
    assert_non_null(strstr(text, "<tr class=\"ship\">"));
    assert_non_null(strstr(text, "Recommended: "));
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "schedule-warm-restarts"));
    assert_non_null(strstr(text, "</html>\n"));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "How the learning rate was found"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_reads_the_log),
        TINY_TEST_OF(test_refuses_what_is_no_log),
        TINY_TEST_OF(test_refuses_more_points_than_there_can_be),
        TINY_TEST_OF(test_shows_how_the_rate_was_found),
        TINY_TEST_OF(test_shows_every_candidate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
