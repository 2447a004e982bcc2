/* YAML as a tree: kinds, marks, what is refused and in which words, limits. */
#include "base_rig.h"
#include "base/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static espl__document *parse(espl_context *ctx, const char *text)
{
    espl__document *document = NULL;

    if (espl__document_parse(ctx, "plants.yaml", text, strlen(text), &document))
        fail_msg("%s", espl_message(ctx));
    return document;
}

static void assert_refused(espl_context *ctx, const char *text, size_t bytes, const char *message)
{
    espl__document *document = (espl__document *)(void *)ctx;

    assert_int_equal(espl__document_parse(ctx, "plants.yaml", text, bytes, &document), ESPL_BAD_RECIPE);
    assert_null(document);
    if (!strstr(espl_message(ctx), message))
        fail_msg("\"%s\" instead of \"%s\"", espl_message(ctx), message);
}

static const espl__tree *get(const espl__tree *map, const char *key)
{
    const espl__tree *node = espl__tree_get(map, key);

    if (!node)
        fail_msg("there is no \"%s\"", key);
    return node;
}

static void assert_mark(const espl__tree *node, int key_line, int key_column, int line, int column)
{
    assert_int_equal(node->key_line, key_line);
    assert_int_equal(node->key_column, key_column);
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
}

static const char recipe[] = "# plants\n"
                             "net: vgg16.h5\n"
                             "held-out: 0.2\n"
                             "optimizer: {sgd: {rate: 1e-3, nesterov: no}}\n"
                             "cache:\n"
                             "note: ''\n"
                             "techniques:\n"
                             "  - transfer-freeze: {layers: \"block[1-4]_*\"}\n"
                             "  - augment-flip\n"
                             "  -\n"
                             "text: |\n"
                             "  two\n"
                             "  lines\n";

static void kinds_and_marks_are_right(void **state)
{
    espl__document *document = parse(*state, recipe);
    const espl__tree *root = document->root, *techniques = get(root, "techniques");
    const espl__tree *rate = get(get(get(root, "optimizer"), "sgd"), "rate");

    assert_int_equal(root->kind, ESPL__MAP);
    assert_int_equal(root->count, 7);
    assert_null(root->key);
    assert_string_equal(get(root, "net")->text, "vgg16.h5");
    assert_mark(get(root, "held-out"), 3, 1, 3, 11);
    assert_string_equal(rate->text, "1e-3");
    assert_mark(rate, 4, 19, 4, 25);
    assert_string_equal(get(rate->parent, "nesterov")->text, "no");
    assert_int_equal(techniques->kind, ESPL__LIST);
    assert_int_equal(techniques->count, 3);
    assert_mark(techniques->first, 0, 0, 8, 5);
    assert_true(get(techniques->first->first, "layers")->quoted);
    assert_string_equal(techniques->first->next->text, "augment-flip");
    assert_false(techniques->first->next->quoted);
    assert_string_equal(get(root, "text")->text, "two\nlines\n");
    espl__document_free(document);
}

static void nothing_is_an_empty_scalar(void **state)
{
    espl__document *document = parse(*state, recipe);
    const espl__tree *cache = get(document->root, "cache"), *note = get(document->root, "note");

    assert_int_equal(cache->kind, ESPL__SCALAR);
    assert_true(espl__tree_empty(cache));
    assert_mark(cache, 5, 1, 5, 1); /* not where the next thing begins */
    assert_string_equal(note->text, "");
    assert_false(espl__tree_empty(note)); /* '' is said, not left out */
    assert_true(espl__tree_empty(get(document->root, "techniques")->first->next->next));
    espl__document_free(document);
}

static void nothing_at_all_is_an_empty_document(void **state)
{
    static const char *const texts[] = { "", "\n\n", "# only a comment\n", "---\n", "\xef\xbb\xbf" };

    for (int i = 0; i < ESPL__COUNT(texts); i++) {
        espl__document *document = parse(*state, texts[i]);
        assert_true(espl__tree_empty(document->root));
        assert_null(espl__tree_get(document->root, "net"));
        assert_true(document->root->line >= 1);
        espl__document_free(document);
    }
}

static void line_ends_and_marks_of_other_systems_are_read(void **state)
{
    espl__document *document = parse(*state, "\xef\xbb\xbf"
                                             "net: a\r\nepochs: 3\r\n");

    assert_string_equal(get(document->root, "net")->text, "a");
    assert_string_equal(get(document->root, "epochs")->text, "3");
    assert_mark(get(document->root, "epochs"), 2, 1, 2, 9);
    espl__document_free(document);
}

static const struct {
    const char *text, *message;
} refused[] = {
    { "a: 1\nb: 2\na: 3\n", "plants.yaml:3:1: the key \"a\" is given twice, first on line 1" },
    { "a: &x 1\n", "plants.yaml:1:4: anchors and tags" },
    { "a: &x [1]\n", "plants.yaml:1:4: anchors and tags" },
    { "a: !!int 1\n", "plants.yaml:1:4: anchors and tags" },
    { "a: !x {b: c}\n", "plants.yaml:1:4: anchors and tags" },
    { "layers: *conv\n", "plants.yaml:1:9: aliases (*name) are not understood here; quote a text with a star" },
    { "a: 1\n---\nb: 2\n", "plants.yaml:2:1: a second document begins here" },
    { "? [a, b]\n: c\n", "plants.yaml:1:3: a key must be plain text" },
    { "\"\": c\n", "plants.yaml:1:1: a key is missing" },
    { "a: b: c\n", "plants.yaml:1:5: mapping values are not allowed in this context; begin a new line" },
    { "a:\n\tb: c\n", "; indent with spaces, not with tabs" },
    { "a: [1, 2\nb: 3\n", "plants.yaml:2:" },
    { "a: 'never ends\n", "plants.yaml:1:4: found unexpected end of stream while scanning a quoted scalar" },
    { "a: \"x\\0y\"\n", "plants.yaml:1:4: a text must not hold a zero byte" },
    { "a: \xff\n", "plants.yaml:1:4: it is not text in UTF-8" },
    { "a: 1\nb: \xc3\x28\n", "plants.yaml:2:5: it is not text in UTF-8: invalid trailing UTF-8 octet" },
    { "a: \x01\n", "plants.yaml:1:4: it is not text in UTF-8: control characters are not allowed" },
    { "%YAML 9.9\n---\na: 1\n", "plants.yaml:1:1: found incompatible YAML document" },
};

static void what_is_refused_is_explained(void **state)
{
    for (int i = 0; i < ESPL__COUNT(refused); i++)
        assert_refused(*state, refused[i].text, strlen(refused[i].text), refused[i].message);
    assert_refused(*state, "a: b\0c", 6, "control characters are not allowed");
}

static void repeat(espl_context *ctx, espl__text *text, const char *piece, int times)
{
    while (times--)
        assert_int_equal(espl__text_add(ctx, text, "%s", piece), ESPL_OK);
}

static void depth_is_limited(void **state)
{
    static const char *const openings[] = { "[", "{a: ", "- " };

    for (int i = 0; i < ESPL__COUNT(openings); i++) {
        espl__text text = { 0 };
        repeat(*state, &text, openings[i], 20000);
        assert_refused(*state, text.data, text.length, "nested more than 64 levels deep");
        espl__text_free(*state, &text);
    }
}

static void size_is_limited(void **state)
{
    espl__text text = { 0 };

    repeat(*state, &text, "[,1,2]\n", 200000);
    assert_refused(*state, text.data, text.length, "plants.yaml: more than 1048576 bytes is no recipe");
    espl__text_free(*state, &text);
    repeat(*state, &text, "- 1\n", 100001);
    assert_refused(*state, text.data, text.length, "more than 100000 values");
    espl__text_free(*state, &text);
    for (int i = 0; i < 1001; i++)
        assert_int_equal(espl__text_add(*state, &text, "k%d: 1\n", i), ESPL_OK);
    assert_refused(*state, text.data, text.length, "plants.yaml:1001:1: this map has more than 1000 keys");
    espl__text_free(*state, &text);
}

static void settings_need_no_braces(void **state)
{
    static const char *const texts[] = { "period: 1ep, stretch: 2", "{period: 1ep, stretch: 2}",
                                         "period: 1ep\nstretch: 2", "  period: 1ep\n  stretch: 2\n",
                                         "period: 1ep, stretch: 2 # a comment", " {period: 1ep, stretch: 2}" };

    for (int i = 0; i < ESPL__COUNT(texts); i++) {
        espl__document *document = NULL;
        assert_int_equal(espl__document_parse_settings(*state, "settings", texts[i], &document), ESPL_OK);
        assert_int_equal(document->root->count, 2);
        assert_string_equal(get(document->root, "period")->text, "1ep");
        assert_string_equal(get(document->root, "stretch")->text, "2");
        espl__document_free(document);
    }
}

static void marks_of_settings_are_the_users(void **state)
{
    espl__document *document = NULL;

    assert_int_equal(espl__document_parse_settings(*state, "settings", "a: 1, b: 2", &document), ESPL_OK);
    assert_mark(get(document->root, "b"), 1, 7, 1, 10);
    espl__document_free(document);
    assert_int_equal(espl__document_parse_settings(*state, "settings", "a: 1, a: 2", &document),
                     ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(*state), "settings:1:7: the key \"a\" is given twice, first on line 1");
    assert_int_equal(espl__document_parse_settings(*state, "settings", "a: 1}, {b: 2", &document),
                     ESPL_BAD_RECIPE);
}

static void no_settings_are_the_empty_map(void **state)
{
    static const char *const texts[] = { NULL, "", "  ", "\n" };

    for (int i = 0; i < ESPL__COUNT(texts); i++) {
        espl__document *document = NULL;
        assert_int_equal(espl__document_parse_settings(*state, "settings", texts[i], &document), ESPL_OK);
        assert_true(espl__tree_empty(document->root));
        espl__document_free(document);
    }
}

static void files_are_loaded_by_name(void **state)
{
    char path[] = "/tmp/espalier_document_XXXXXX", missing[] = "/tmp/espalier_document_missing.yaml";
    espl__document *document = NULL;
    FILE *file = fdopen(mkstemp(path), "w");

    fputs("net: lenet-5\nepoch 3\n", file);
    fclose(file);
    assert_int_equal(espl__document_load(*state, path, &document), ESPL_BAD_RECIPE);
    assert_int_equal(strncmp(espl_message(*state), path, strlen(path)), 0);
    assert_non_null(strstr(espl_message(*state), ":3:1: could not find expected ':'"));
    remove(path);
    assert_int_equal(espl__document_load(*state, missing, &document), ESPL_NO_FILE);
    assert_null(document);
    espl__document_free(NULL);
}

/* What an option table writes in quotes must come back from libyaml as the same bytes. */
static void quoted_text_comes_back(void **state)
{
    static const char *const texts[] = { "", "plain", "a b", " a ", "a: b", "# no comment", "yes", "-", "- a",
                                         "\"", "\\", "'", "tab\there", "line\nbreak\r\n", "\x01\x1f\x7f",
                                         "\xc3\xa4hre", "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85\xc2\xa0", "\xf0\x9f\x8c\xb1",
                                         "\xef\xbb\xbf", "\xef\xbf\xbe\xef\xbf\xbf", "*x", "&x", "!x", "{", "a,b",
                                         "null", "~", "0x10", ".5", "%a", "@a", "`a`", "a\\u0041" };
    espl__text text = { 0 }, plain = { 0 };

    for (int i = 0; i < ESPL__COUNT(texts); i++) {
        text.length = 0;
        plain.length = 0;
        assert_int_equal(espl__text_add(*state, &text, "["), ESPL_OK);
        assert_int_equal(espl__text_add_quoted(*state, &text, texts[i]), ESPL_OK);
        assert_int_equal(espl__text_add_unquoted(*state, &plain, text.data + 1), ESPL_OK);
        assert_string_equal(plain.data, texts[i]);
        assert_int_equal(espl__text_add(*state, &text, ", x]"), ESPL_OK);
        espl__document *document = parse(*state, text.data);
        assert_int_equal(document->root->count, 2);
        assert_string_equal(document->root->first->text, texts[i]);
        espl__document_free(document);
    }
    espl__text_free(*state, &text);
    espl__text_free(*state, &plain);
}

static void bytes_that_are_not_utf8_are_not_quoted(void **state)
{
    static const char *const texts[] = { "\xff", "\xc3", "\xc3(", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80",
                                         "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "\x80", "\xe0\x80\xaf" };
    espl__text text = { 0 };

    for (int i = 0; i < ESPL__COUNT(texts); i++) {
        assert_false(espl__text_is_utf8(texts[i]));
        assert_int_equal(espl__text_add_quoted(*state, &text, texts[i]), ESPL_BAD_STATE);
    }
    assert_true(espl__text_is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb1"));
    espl__text_free(*state, &text);
}

static void broken_quotes_are_refused(void **state)
{
    static const char *const texts[] = { "\"", "\"a", "\"a\"b", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u0000\"",
                                         "\"\\" };
    espl__text text = { 0 };

    for (int i = 0; i < ESPL__COUNT(texts); i++)
        assert_int_equal(espl__text_add_unquoted(*state, &text, texts[i]), ESPL_BAD_OPTION);
    espl__text_free(*state, &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(kinds_and_marks_are_right),
        WITH_CONTEXT(nothing_is_an_empty_scalar),
        WITH_CONTEXT(nothing_at_all_is_an_empty_document),
        WITH_CONTEXT(line_ends_and_marks_of_other_systems_are_read),
        WITH_CONTEXT(what_is_refused_is_explained),
        WITH_CONTEXT(depth_is_limited),
        WITH_CONTEXT(size_is_limited),
        WITH_CONTEXT(settings_need_no_braces),
        WITH_CONTEXT(marks_of_settings_are_the_users),
        WITH_CONTEXT(no_settings_are_the_empty_map),
        WITH_CONTEXT(files_are_loaded_by_name),
        WITH_CONTEXT(quoted_text_comes_back),
        WITH_CONTEXT(bytes_that_are_not_utf8_are_not_quoted),
        WITH_CONTEXT(broken_quotes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
