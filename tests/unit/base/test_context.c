/* The context: its settings, messages that nest, the log, the interrupt; and the statuses' names. */
#include "base_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;

    ++*(int *)user;
    return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void give(void *user, void *memory)
{
    --*(int *)user;
    free(memory);
}

static void bad_settings_are_refused(void **state)
{
    int here = 0;
    espl_context *ctx = (espl_context *)(void *)&here;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = -1 }, &ctx), ESPL_BAD_OPTION);
    assert_null(ctx);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 100000 }, &ctx), ESPL_BAD_OPTION);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .allocate = take }, &ctx), ESPL_BAD_OPTION);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .release = give }, &ctx), ESPL_BAD_OPTION);
    espl_context_free(NULL);
}

static void zero_settings_are_a_good_default(void **state)
{
    espl_context *ctx = NULL;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_string_equal(espl_message(ctx), "");
    assert_true(espl__worker_count(ctx) >= 1);
    assert_true(espl__memory_limit(ctx) > (size_t)1 << 20);
    assert_int_equal(espl__seed(ctx), 0);
    espl_context_free(ctx);
}

static void workers_do_not_exceed_processors_unasked(void **state)
{
    espl_context *ctx = NULL;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    const int all = espl__worker_count(ctx);
    espl_context_free(ctx);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 256 }, &ctx), ESPL_OK);
    assert_int_equal(espl__worker_count(ctx), all);
    espl_context_free(ctx);
    const espl_context_settings more = { .threads = 256, .oversubscribe = true };
    assert_int_equal(espl_context_open(&more, &ctx), ESPL_OK);
    assert_int_equal(espl__worker_count(ctx), 256);
    espl_context_free(ctx);
}

static void the_callers_allocator_is_used_for_everything(void **state)
{
    int held = 0;
    const espl_context_settings settings = { .allocate = take, .release = give, .user = &held };
    espl_context *ctx = NULL;
    void *block = NULL;

    (void)state;
    assert_int_equal(espl_context_open(&settings, &ctx), ESPL_OK);
    assert_int_equal(held, 1);
    assert_int_equal(espl__allocate(ctx, 1, 1, &block), ESPL_OK);
    assert_int_equal(held, 2);
    espl__release(ctx, block);
    espl_context_free(ctx);
    assert_int_equal(held, 0);
}

static void messages_nest(void **state)
{
    espl_context *ctx = *state;

    assert_int_equal(espl__fail(ctx, ESPL_BAD_FILE, "%d is not %s", 3, "four"), ESPL_BAD_FILE);
    assert_string_equal(espl_message(ctx), "3 is not four");
    assert_int_equal(espl__fail_within(ctx, ESPL_BAD_FILE, "line %d", 7), ESPL_BAD_FILE);
    assert_string_equal(espl_message(ctx), "line 7: 3 is not four");
    assert_int_equal(espl__fail(ctx, ESPL_BAD_STATE, "again: %s", espl_message(ctx)), ESPL_BAD_STATE);
    assert_string_equal(espl_message(ctx), "again: line 7: 3 is not four");
}

static void long_messages_are_cut(void **state)
{
    espl_context *ctx = *state;
    char large[5000];

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    espl__fail(ctx, ESPL_BAD_FILE, "%s", large);
    assert_int_equal(strlen(espl_message(ctx)), 1023);
    espl__fail_within(ctx, ESPL_BAD_FILE, "where");
    assert_int_equal(strlen(espl_message(ctx)), 1023);
    assert_int_equal(strncmp(espl_message(ctx), "where: xxx", 10), 0);
    espl__fail_within(ctx, ESPL_BAD_FILE, "%s", large);
    assert_int_equal(strlen(espl_message(ctx)), 1023);
}

static void keep_line(void *user, espl_level level, const char *line)
{
    snprintf(user, 100, "%d %s", (int)level, line);
}

static void the_log_gets_lines(void **state)
{
    char seen[100] = "";
    espl_context *ctx = NULL;

    espl__log(*state, ESPL_WARNING, "nobody listens"); /* must not crash */
    assert_int_equal(espl_context_open(&(espl_context_settings){ .log = keep_line, .user = seen }, &ctx),
                     ESPL_OK);
    espl__log(ctx, ESPL_WARNING, "%d left", 5);
    assert_string_equal(seen, "1 5 left");
    espl_context_free(ctx);
}

static void an_interrupt_stays_until_it_is_cleared(void **state)
{
    espl_context *ctx = *state;

    assert_false(espl__interrupted(ctx));
    espl_interrupt(ctx);
    assert_true(espl__interrupted(ctx));
    assert_true(espl__interrupted(ctx));
    espl__interrupt_clear(ctx);
    assert_false(espl__interrupted(ctx));
}

static void statuses_have_names_and_sentences(void **state)
{
    (void)state;
    assert_int_equal(ESPL_OK, 0);
    assert_string_equal(espl_status_name(ESPL_OK), "OK");
    assert_string_equal(espl_status_name(ESPL_BAD_RECIPE), "BAD_RECIPE");
    for (int i = 0; i < ESPL_STATUS_COUNT; i++) {
        assert_true(strlen(espl_status_text((espl_status)i)) > 3);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(espl_status_name((espl_status)i), espl_status_name((espl_status)j));
    }
    assert_string_equal(espl_status_name((espl_status)999), "UNKNOWN");
    assert_string_equal(espl_status_name((espl_status)-1), "UNKNOWN");
    assert_non_null(espl_status_text((espl_status)999));
}

static void the_version_is_the_headers(void **state)
{
    char version[32];

    (void)state;
    snprintf(version, sizeof version, "%d.%d.%d", ESPL_VERSION_MAJOR, ESPL_VERSION_MINOR, ESPL_VERSION_PATCH);
    assert_string_equal(espl_version(), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(zero_settings_are_a_good_default),
        cmocka_unit_test(workers_do_not_exceed_processors_unasked),
        cmocka_unit_test(the_callers_allocator_is_used_for_everything),
        WITH_CONTEXT(messages_nest),
        WITH_CONTEXT(long_messages_are_cut),
        WITH_CONTEXT(the_log_gets_lines),
        WITH_CONTEXT(an_interrupt_stays_until_it_is_cleared),
        cmocka_unit_test(statuses_have_names_and_sentences),
        cmocka_unit_test(the_version_is_the_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
