/* Option tables: what each type accepts, in which words it refuses, and that whatever is written can
 * be read again. */
#include "base_rig.h"
#include "base/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct everything {
    int64_t count;
    double real;
    bool flag;
    char text[24];
    int choice;
    espl_duration warm_up;
    espl_counts counts;
    espl_reals reals;
    espl_durations durations;
    char after[8]; /* nothing may ever be written here */
} everything;

static const espl_option table[] = {
    ESPL_COUNT(everything, count, "5", -10, 1000, "how many"),
    ESPL_REAL(everything, real, "0.1", 0, 1, "how much"),
    ESPL_FLAG(everything, flag, "no", "whether"),
    ESPL_TEXT(everything, text, "a: b", "what"),
    ESPL_CHOICE(everything, choice, "two", "one|two|three", "which"),
    ESPL_DURATION(everything, warm_up, "5ep", 0, 1e6, "how long"),
    ESPL_COUNTS(everything, counts, "[1, 2]", 0, 9, "how many each"),
    ESPL_REALS(everything, reals, "0.5", 0, INFINITY, "how much each"),
    ESPL_DURATIONS(everything, durations, "[]", 0, 1e6, "how long each"),
    ESPL_OPTIONS_END
};

static espl_status read_settings(espl_context *ctx, const char *text, everything *result)
{
    espl__document *document = NULL;
    espl_status status = espl__document_parse_settings(ctx, "plants.yaml", text, &document);

    if (!status)
        status = espl__options_read(document, document->root, table, "thing", result);
    espl__document_free(document);
    return status;
}

static void defaults_are_those_of_the_table(void **state)
{
    everything e;

    memset(&e, 0x55, sizeof e);
    assert_int_equal(espl__options_begin(*state, table, &e), ESPL_OK);
    assert_int_equal(e.count, 5);
    assert_true(e.real == 0.1);
    assert_false(e.flag);
    assert_string_equal(e.text, "a: b");
    assert_int_equal(e.choice, 1);
    assert_true(e.warm_up.amount == 5 && e.warm_up.unit == ESPL_EPOCHS);
    assert_int_equal(e.counts.count, 2);
    assert_int_equal(e.counts.item[1], 2);
    assert_int_equal(e.reals.count, 1);
    assert_true(e.reals.item[0] == 0.5);
    assert_int_equal(e.durations.count, 0);
    assert_int_equal(e.after[0], 0x55);
}

static void every_type_is_read(void **state)
{
    everything e;

    assert_int_equal(read_settings(*state,
                                   "count: -3, real: 1e-3, flag: On, text: 'x # y', choice: three,"
                                   "warm-up: 0.7run, counts: 7, reals: [1, 2.5], durations: [300st, 5ep]",
                                   &e),
                     ESPL_OK);
    assert_int_equal(e.count, -3);
    assert_true(e.real == 1e-3);
    assert_true(e.flag);
    assert_string_equal(e.text, "x # y");
    assert_int_equal(e.choice, 2);
    assert_true(e.warm_up.amount == 0.7 && e.warm_up.unit == ESPL_RUNS);
    assert_int_equal(e.counts.count, 1);
    assert_int_equal(e.counts.item[0], 7);
    assert_int_equal(e.reals.count, 2);
    assert_true(e.reals.item[1] == 2.5);
    assert_int_equal(e.durations.count, 2);
    assert_true(e.durations.item[0].amount == 300 && e.durations.item[0].unit == ESPL_STEPS);
    assert_true(e.durations.item[1].amount == 5 && e.durations.item[1].unit == ESPL_EPOCHS);
}

static void flags_have_six_words(void **state)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

    for (int i = 0; i < ESPL__COUNT(words); i++) {
        everything e;
        char text[32];
        snprintf(text, sizeof text, "flag: %s", words[i]);
        assert_int_equal(read_settings(*state, text, &e), ESPL_OK);
        assert_int_equal(e.flag, i % 2);
    }
}

static void names_are_read_with_either_dash(void **state)
{
    everything e;
    char key[ESPL__KEY_MAX];

    assert_int_equal(read_settings(*state, "warm_up: 3st", &e), ESPL_OK);
    assert_true(e.warm_up.amount == 3);
    espl__option_key(&table[5], key);
    assert_string_equal(key, "warm-up");
    assert_ptr_equal(espl__option_find(table, "warm-up"), &table[5]);
    assert_null(espl__option_find(table, "warm"));
    assert_null(espl__option_find(table, "warm-ups"));
    assert_null(espl__option_find(NULL, "warm-up"));
}

static const struct {
    const char *settings, *message;
} refused[] = {
    { "real: 1.4", "plants.yaml:1:7: thing: real: 1.4 is not within 0..1" },
    { "real: -1e-9", "plants.yaml:1:7: thing: real: -1e-9 is not within 0..1" },
    { "real: nan", "plants.yaml:1:7: thing: real: \"nan\" is not a number" },
    { "real: 0x1", "plants.yaml:1:7: thing: real: \"0x1\" is not a number" },
    { "real: 0.1x", "plants.yaml:1:7: thing: real: \"0.1x\" is not a number" },
    { "real: [0.1]", "plants.yaml:1:7: thing: real: a single value was expected, not a list" },
    { "real: {a: 1}", "plants.yaml:1:7: thing: real: a single value was expected, not a map" },
    { "real:", "plants.yaml:1:1: thing: real: a value is missing" },
    { "count: 1.0", "plants.yaml:1:8: thing: count: \"1.0\" is not a whole number" },
    { "count: 1001", "plants.yaml:1:8: thing: count: 1001 is not within -10..1000" },
    { "count: 99999999999999999999", "is not a whole number" },
    { "flag: 1", "plants.yaml:1:7: thing: flag: \"1\" is neither yes nor no" },
    { "choice: four", "plants.yaml:1:9: thing: choice: \"four\" is none of one, two, three" },
    { "choice: one|two", "choice: \"one|two\" is none of" },
    { "choice: tw", "choice: \"tw\" is none of" },
    { "choice: ''", "choice: \"\" is none of" },
    { "text: 123456789012345678901234", "text: a text of 24 bytes is too long; at most 23 are possible" },
    { "warm-up: 5", "warm-up: 5 has no unit: write 5ep for epochs, 5st for steps or 0.5run" },
    { "warm-up: 5 ep", "\"5 ep\" is not a duration such as 5ep" },
    { "warm-up: 5epochs", "is not a duration" },
    { "warm-up: ep", "is not a duration" },
    { "warm-up: -1ep", "warm-up: -1ep is not within 0..1000000" },
    { "warm-up: nanep", "is not a duration" },
    { "counts: [1, 10]", "plants.yaml:1:13: thing: counts: 10 is not within 0..9" },
    { "counts: [1, [2]]", "plants.yaml:1:13: thing: counts: a value was expected, not a list or a map" },
    { "counts: {a: 1}", "counts: a single value was expected, not a map" },
    { "counts:", "counts: a value is missing" },
    { "counts: [1,,2]", "did not find expected node content" },
    { "reals: -1", "plants.yaml:1:8: thing: reals: -1 is not at least 0" },
    { "durations: [1ep, 2]", "plants.yaml:1:18: thing: durations: 2 has no unit" },
    { "reel: 1", "plants.yaml:1:1: thing: unknown key \"reel\"; did you mean \"real\"?" },
    { "warm-ups: 1ep", "unknown key \"warm-ups\"; did you mean \"warm-up\"?" },
    { "zzz: 1", "unknown key \"zzz\"; known are: count, real, flag, text, choice, warm-up, counts" },
    { "warm-up: 1ep, warm_up: 1ep", "plants.yaml:1:24: thing: \"warm_up\" is given twice" },
    { "[1, 2]", "plants.yaml:1:1: thing: options such as {name: value} were expected, not a list" },
    { "counts: [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
      "counts: a list can have at most 32 items" },
};

static void what_is_refused_is_explained(void **state)
{
    for (int i = 0; i < ESPL__COUNT(refused); i++) {
        everything e;
        memset(e.after, 0x55, sizeof e.after);
        if (!read_settings(*state, refused[i].settings, &e))
            fail_msg("\"%s\" is accepted", refused[i].settings);
        if (!strstr(espl_message(*state), refused[i].message))
            fail_msg("\"%s\" instead of \"%s\"", espl_message(*state), refused[i].message);
        assert_int_equal(e.after[0], 0x55);
    }
}

typedef struct needy {
    double sparsity;
    espl_counts sizes;
} needy;

static const espl_option needs[] = {
    ESPL_REAL(needy, sparsity, NULL, 0, 1, "share of the weights to remove"),
    ESPL_COUNTS(needy, sizes, "[]", -INFINITY, 5, "any"),
    ESPL_OPTIONS_END
};

static void what_must_be_given_is_asked_for(void **state)
{
    espl__document *document = NULL;
    needy n = { .sparsity = 7 };

    assert_int_equal(espl__options_begin(*state, needs, &n), ESPL_OK);
    assert_true(n.sparsity == 0);
    assert_int_equal(espl__document_parse_settings(*state, "plants.yaml", "sizes: 6", &document), ESPL_OK);
    assert_int_equal(espl__options_read(document, NULL, needs, "prune-weights", &n), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(*state), "plants.yaml: prune-weights: sparsity: must be given (share of "
                                              "the weights to remove)");
    assert_int_equal(espl__options_read(document, document->root, needs, NULL, &n), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(*state), "plants.yaml:1:8: sizes: 6 is not at most 5");
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(*state, "plants.yaml", "sparsity: 0", &document), ESPL_OK);
    assert_int_equal(espl__options_read(document, document->root, needs, "prune-weights", &n), ESPL_OK);
    espl__document_free(document);
}

static void no_table_takes_no_options(void **state)
{
    static const espl_option none[] = { ESPL_OPTIONS_END };
    espl__document *document = NULL;
    espl__text text = { 0 };

    assert_int_equal(espl__document_parse_settings(*state, "x", "a: 1", &document), ESPL_OK);
    assert_int_equal(espl__options_read(document, document->root, none, "augment-flip", NULL), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(*state), "x:1:1: augment-flip: unknown key \"a\"; known are: none");
    assert_int_equal(espl__options_read(document, document->root, NULL, "augment-flip", NULL), ESPL_BAD_OPTION);
    assert_int_equal(espl__options_read(document, NULL, none, "augment-flip", NULL), ESPL_OK);
    assert_int_equal(espl__options_write(*state, none, NULL, &text), ESPL_OK);
    assert_string_equal(text.data, "{}");
    espl__text_free(*state, &text);
    espl__document_free(document);
}

static const struct {
    const char *name, *text;
    int count; /* of items; -1: refused */
} lists[] = {
    { "counts", "[1, 2]", 2 },
    { "counts", "[1,2]", 2 },
    { "counts", " 3", -1 },
    { "counts", "3", 1 },
    { "counts", "[]", 0 },
    { "counts", "[ ]", 0 },
    { "counts", "[ 1 , 2 ] ", 2 },
    { "counts", "[1", -1 },
    { "counts", "[1, 2", -1 },
    { "counts", "[1, ]", -1 },
    { "counts", "[1] 2", -1 },
    { "counts", "[1]]", -1 },
    { "counts", "", -1 },
    { "counts", "[1, 99]", -1 },
    { "durations", "[1ep, 0.5run]", 2 },
    { "reals", "[1e-3]", 1 },
};

static void one_option_is_set_from_text(void **state)
{
    for (int i = 0; i < ESPL__COUNT(lists); i++) {
        const espl_option *option = espl__option_find(table, lists[i].name);
        everything e, before;
        memset(&e, 0, sizeof e);
        assert_int_equal(espl__options_begin(*state, table, &e), ESPL_OK);
        before = e;
        const espl_status status = espl__option_set(*state, option, &e, lists[i].text);
        if ((status == ESPL_OK) != (lists[i].count >= 0))
            fail_msg("%s: \"%s\": %s", lists[i].name, lists[i].text, espl_message(*state));
        if (status)
            assert_memory_equal(&e, &before, sizeof e); /* a failure changes nothing */
        else
            assert_int_equal(*(int *)((char *)&e + option->offset), lists[i].count);
        assert_true(!status || strncmp(espl_message(*state), lists[i].name, strlen(lists[i].name)) == 0);
    }
}

static void options_are_written_as_a_recipe_has_them(void **state)
{
    everything e;
    espl__text text = { 0 };

    assert_int_equal(espl__options_begin(*state, table, &e), ESPL_OK);
    assert_int_equal(espl__options_write(*state, table, &e, &text), ESPL_OK);
    assert_string_equal(text.data, "{count: 5, real: 0.1, flag: no, text: \"a: b\", choice: two, warm-up: 5ep, "
                                   "counts: [1, 2], reals: [0.5], durations: []}");
    e.choice = 3;
    assert_int_equal(espl__option_write(*state, &table[4], &e, &text), ESPL_BAD_STATE);
    e.choice = -1;
    assert_int_equal(espl__option_write(*state, &table[4], &e, &text), ESPL_BAD_STATE);
    espl__text_free(*state, &text);
}

/* ---- whatever is written can be read again ---- */

static double draw_amount(espl__random *random)
{
    const double u = espl__random_uniform(random);
    const int kind = (int)espl__random_below(random, 4);

    return kind == 0 ? 0 : kind == 1 ? floor(u * 1000)
                       : kind == 2   ? u * 1e6
                                     : u * u * u * 1e-12;
}

static espl_duration draw_duration(espl__random *random)
{
    return (espl_duration){ draw_amount(random), (espl_unit)espl__random_below(random, 3) };
}

/* Characters that YAML cares about, or that are long in UTF-8, more often than others. */
static void draw_text(espl__random *random, char *text, size_t size)
{
    static const char *const pieces[] = { " ", ":", "#", "\"", "\\", "'", "\n", "\t", "-", "[", "]", "{", "}",
                                          ",", "&", "*", "!", "%", "@", "~", "\xc3\xa4", "\xe2\x82\xac", "\x7f",
                                          "\xf0\x9f\x8c\xb1", "\xc2\x85", "\xe2\x80\xa8", "\x01", "a", "B", "7" };

    *text = 0;
    for (;;) {
        const char *piece = pieces[espl__random_below(random, ESPL__COUNT(pieces))];
        if (strlen(text) + strlen(piece) >= size || espl__random_below(random, 20) == 0)
            break;
        strcat(text, piece);
    }
}

static void draw_everything(espl__random *random, everything *e)
{
    memset(e, 0, sizeof *e);
    e->count = (int64_t)espl__random_below(random, 1011) - 10;
    e->real = espl__random_uniform(random);
    e->flag = espl__random_below(random, 2);
    draw_text(random, e->text, sizeof e->text);
    e->choice = (int)espl__random_below(random, 3);
    e->warm_up = draw_duration(random);
    e->counts.count = (int)espl__random_below(random, ESPL_LIST_MAX + 1);
    for (int i = 0; i < e->counts.count; i++)
        e->counts.item[i] = (int64_t)espl__random_below(random, 10);
    e->reals.count = (int)espl__random_below(random, ESPL_LIST_MAX + 1);
    for (int i = 0; i < e->reals.count; i++)
        e->reals.item[i] = draw_amount(random);
    e->durations.count = (int)espl__random_below(random, ESPL_LIST_MAX + 1);
    for (int i = 0; i < e->durations.count; i++)
        e->durations.item[i] = draw_duration(random);
}

static void assert_lists_equal(const everything *a, const everything *b)
{
    assert_int_equal(a->counts.count, b->counts.count);
    for (int i = 0; i < a->counts.count; i++)
        assert_true(a->counts.item[i] == b->counts.item[i]);
    assert_int_equal(a->reals.count, b->reals.count);
    for (int i = 0; i < a->reals.count; i++)
        assert_true(a->reals.item[i] == b->reals.item[i]);
    assert_int_equal(a->durations.count, b->durations.count);
    for (int i = 0; i < a->durations.count; i++) {
        assert_true(a->durations.item[i].amount == b->durations.item[i].amount);
        assert_int_equal(a->durations.item[i].unit, b->durations.item[i].unit);
    }
}

static void assert_everything_equal(const everything *a, const everything *b)
{
    assert_true(a->count == b->count);
    assert_true(a->real == b->real);
    assert_int_equal(a->flag, b->flag);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->choice, b->choice);
    assert_true(a->warm_up.amount == b->warm_up.amount);
    assert_int_equal(a->warm_up.unit, b->warm_up.unit);
    assert_lists_equal(a, b);
}

static void anything_written_can_be_read(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(1, "options"), 0, 0);
    espl__text text = { 0 };

    for (int i = 0; i < 2000; i++) {
        everything written, read;
        draw_everything(&random, &written);
        text.length = 0;
        assert_int_equal(espl__options_write(*state, table, &written, &text), ESPL_OK);
        if (read_settings(*state, text.data, &read))
            fail_msg("%s\n%s", espl_message(*state), text.data);
        assert_everything_equal(&written, &read);
    }
    espl__text_free(*state, &text);
}

static void any_option_written_can_be_set(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(2, "options"), 0, 0);
    espl__text text = { 0 };

    for (int i = 0; i < 1000; i++) {
        everything written, set;
        draw_everything(&random, &written);
        memset(&set, 0, sizeof set);
        for (const espl_option *option = table; option->name; option++) {
            text.length = 0;
            assert_int_equal(espl__option_write(*state, option, &written, &text), ESPL_OK);
            if (espl__option_set(*state, option, &set, text.data))
                fail_msg("%s", espl_message(*state));
        }
        assert_everything_equal(&written, &set);
    }
    espl__text_free(*state, &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(defaults_are_those_of_the_table),
        WITH_CONTEXT(every_type_is_read),
        WITH_CONTEXT(flags_have_six_words),
        WITH_CONTEXT(names_are_read_with_either_dash),
        WITH_CONTEXT(what_is_refused_is_explained),
        WITH_CONTEXT(what_must_be_given_is_asked_for),
        WITH_CONTEXT(no_table_takes_no_options),
        WITH_CONTEXT(one_option_is_set_from_text),
        WITH_CONTEXT(options_are_written_as_a_recipe_has_them),
        WITH_CONTEXT(anything_written_can_be_read),
        WITH_CONTEXT(any_option_written_can_be_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
