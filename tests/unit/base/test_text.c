/* Text that grows, patterns over names, and the nearest name. */
#include "base_rig.h"

#include <string.h>

static void it_grows_and_stays_terminated(void **state)
{
    espl_context *ctx = *state;
    espl__text text = { 0 };
    size_t expected = 0;

    for (int i = 0; i < 3000; i++) {
        assert_int_equal(espl__text_add(ctx, &text, "%d,", i % 10), ESPL_OK);
        expected += 2;
        assert_int_equal(text.length, expected);
        assert_int_equal(strlen(text.data), expected);
        assert_true(text.capacity > text.length);
    }
    for (int i = 0; i < 3000; i++)
        assert_int_equal(text.data[2 * i], '0' + i % 10);
    espl__text_free(ctx, &text);
    assert_null(text.data);
    espl__text_free(ctx, &text);
}

static void bytes_may_be_zero(void **state)
{
    espl_context *ctx = *state;
    espl__text text = { 0 };

    assert_int_equal(espl__text_add_bytes(ctx, &text, NULL, 0), ESPL_OK);
    assert_string_equal(text.data, "");
    assert_int_equal(espl__text_add_bytes(ctx, &text, "a\0b", 3), ESPL_OK);
    assert_int_equal(espl__text_add(ctx, &text, "c"), ESPL_OK);
    assert_memory_equal(text.data, "a\0bc", 5);
    espl__text_free(ctx, &text);
}

static void a_length_that_overflows_is_refused(void **state)
{
    espl_context *ctx = *state;
    espl__text text = { 0 };

    assert_int_equal(espl__text_add(ctx, &text, "x"), ESPL_OK);
    assert_int_equal(espl__text_add_bytes(ctx, &text, "y", SIZE_MAX - 1), ESPL_NO_MEMORY);
    assert_string_equal(text.data, "x");
    espl__text_free(ctx, &text);
}

static const struct {
    const char *pattern, *text;
    bool match;
} matches[] = {
    { "block[1-4]_*", "block1_conv1", true },
    { "block[1-4]_*", "block4_", true },
    { "block[1-4]_*", "block5_conv1", false },
    { "block[1-4]_*", "block1", false },
    { "", "", true },
    { "", "a", false },
    { "*", "", true },
    { "*", "anything at all", true },
    { "**", "a", true },
    { "?", "", false },
    { "?", "a", true },
    { "a?c", "abc", true },
    { "a?c", "ac", false },
    { "*.weight", "stage1.0.conv.weight", true },
    { "*.weight", "stage1.0.conv.weights", false },
    { "*a*b*c", "xaxbxbxc", true },
    { "*a*b*c", "xaxcxb", false },
    { "*ab", "aab", true },
    { "[!a-c]x", "dx", true },
    { "[!a-c]x", "bx", false },
    { "[]]", "]", true },
    { "[!]]", "]", false },
    { "[a-]", "-", true },
    { "[a-]", "b", false },
    { "[abc", "[abc", true }, /* an open bracket without end means itself */
    { "[abc", "a", false },
    { "[", "[", true },
    { "[!", "[!", true },
    { "x[0-9][0-9]", "x42", true },
    { "x[0-9][0-9]", "x4", false },
    { "a", "A", false },
    { "\xc3\xa4*", "\xc3\xa4hre", true },
    { "[\x80-\xff]", "\xe4", true },
};

static void patterns_match(void **state)
{
    (void)state;
    for (int i = 0; i < ESPL__COUNT(matches); i++)
        if (espl__text_match(matches[i].pattern, matches[i].text) != matches[i].match)
            fail_msg("\"%s\" and \"%s\"", matches[i].pattern, matches[i].text);
}

/* Naive backtracking would take longer than the universe has. */
static void hostile_patterns_are_quick(void **state)
{
    char text[2001], pattern[2001];

    (void)state;
    memset(text, 'a', 2000);
    for (int i = 0; i < 2000; i += 2)
        memcpy(pattern + i, "*a", 2);
    text[2000] = pattern[2000] = 0;
    pattern[1999] = 'b';
    assert_false(espl__text_match(pattern, text));
}

static const char *const names[] = { "epochs", "batch", "held-out", "schedule-cosine", "schedule-step",
                                     "prune-weights", "prune-filters", "lr" };

static const struct {
    const char *word, *nearest; /* NULL: none */
} nears[] = {
    { "epoch", "epochs" },
    { "epohcs", "epochs" },
    { "Epochs", "epochs" },
    { "bacth", "batch" },
    { "held_out", "held-out" },
    { "heldout", "held-out" },
    { "prune-wieghts", "prune-weights" },
    { "prune-filter", "prune-filters" },
    { "cosine", "schedule-cosine" },
    { "schedule", "schedule-step" }, /* the shorter of two that hold it */
    { "l", NULL },
    { "rl", "lr" },
    { "xyz", NULL },
    { "", NULL },
    { "quantize", NULL },
};

static void the_nearest_name_is_found(void **state)
{
    char large[200];

    (void)state;
    for (int i = 0; i < ESPL__COUNT(nears); i++) {
        const char *found = espl__text_nearest(nears[i].word, names, ESPL__COUNT(names));
        if (!found || !nears[i].nearest ? found != nears[i].nearest : strcmp(found, nears[i].nearest) != 0)
            fail_msg("\"%s\" gave \"%s\"", nears[i].word, found ? found : "nothing");
    }
    assert_null(espl__text_nearest("epochs", names, 0));
    memset(large, 'e', sizeof large - 1);
    large[sizeof large - 1] = 0;
    assert_null(espl__text_nearest(large, names, ESPL__COUNT(names)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(it_grows_and_stays_terminated),
        WITH_CONTEXT(bytes_may_be_zero),
        WITH_CONTEXT(a_length_that_overflows_is_refused),
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(hostile_patterns_are_quick),
        cmocka_unit_test(the_nearest_name_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
