/* The page of every technique has the parts a reader looks for, an example that can be read, and the table
 * of options as the source has it. After a change of options
 *     ESPALIER_WRITE_PAGES=1 ctest -R test_technique_pages
 * writes the tables anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tree.h"
#include "train/techniques.h"
#include <espalier/report.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END "<!-- end -->"

typedef struct page {
    char path[512], begin[128];
    char *text;
    size_t bytes;
} page;

static page read_page(espl_context *ctx, const espl_technique *technique)
{
    page p = { .path = "" };
    char name[128];

    snprintf(name, sizeof name, "%s", technique->name);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    snprintf(p.path, sizeof p.path, "%s/docs/techniques/%s.md", ESPL__SOURCE_DIR, name);
    snprintf(p.begin, sizeof p.begin, "<!-- options: technique %s -->\n", technique->name);
    if (espl__file_read(ctx, p.path, 1 << 20, &p.text, &p.bytes))
        fail_msg("%s", espl_message(ctx));
    return p;
}

/* A cell of a table: "|" would end it. */
static void write_cell(espl_context *ctx, espl__text *table, const char *text, size_t length)
{
    assert_int_equal(espl__text_add(ctx, table, " "), ESPL_OK);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(espl__text_add(ctx, table, text[i] == '|' ? "\\%c" : "%c", text[i]), ESPL_OK);
    assert_int_equal(espl__text_add(ctx, table, " |"), ESPL_OK);
}

static void write_table(espl_context *ctx, const espl_technique *technique, espl__text *table)
{
    char *text = NULL;

    assert_int_equal(espl_options_text(ctx, "technique", technique->name, &text), ESPL_OK);
    assert_int_equal(espl__text_add(ctx, table, *text ? "| option | type | default | range | meaning |\n|---|---|---|---|---|\n" : "None.\n"),
                     ESPL_OK);
    for (const char *at = text; *at;) {
        assert_int_equal(espl__text_add(ctx, table, "|"), ESPL_OK);
        for (int field = 0; field < 5; field++) {
            const size_t length = strcspn(at, field < 4 ? "\t" : "\n");
            write_cell(ctx, table, at, length);
            at += length + 1;
        }
        assert_int_equal(espl__text_add(ctx, table, "\n"), ESPL_OK);
    }
    espl_text_free(ctx, text);
}

/* The table between the two marks; puts it there if asked to. */
static void check_table(espl_context *ctx, const page *p, const espl__text *table)
{
    const char *begin = strstr(p->text, p->begin);
    const char *end = begin ? strstr(begin, END) : NULL;
    espl__text whole = { 0 };

    if (!end)
        fail_msg("%s: \"%s\" and then \"%s\" were expected", p->path, p->begin, END);
    begin += strlen(p->begin);
    if ((size_t)(end - begin) == table->length && !memcmp(begin, table->data, table->length))
        return;
    if (!getenv("ESPALIER_WRITE_PAGES"))
        fail_msg("%s: the options are not those of the source; ESPALIER_WRITE_PAGES=1 writes\n%s", p->path, table->data);
    assert_int_equal(espl__text_add_bytes(ctx, &whole, p->text, (size_t)(begin - p->text)), ESPL_OK);
    assert_int_equal(espl__text_add_bytes(ctx, &whole, table->data, table->length), ESPL_OK);
    assert_int_equal(espl__text_add_bytes(ctx, &whole, end, strlen(end)), ESPL_OK);
    assert_int_equal(espl__file_replace(ctx, p->path, whole.data, whole.length), ESPL_OK);
    espl__text_free(ctx, &whole);
}

/* The example is YAML and names the technique among its techniques, with options that exist. */
static void check_example(espl_context *ctx, const page *p, const espl_technique *technique)
{
    const char *begin = strstr(p->text, "```yaml\n"), *end = begin ? strstr(begin + 8, "```") : NULL;
    espl__document *document = NULL;
    bool found = false;
    void *options = NULL;

    if (!end)
        fail_msg("%s: has no example in ```yaml", p->path);
    if (espl__document_parse(ctx, p->path, begin + 8, (size_t)(end - begin - 8), &document))
        fail_msg("%s", espl_message(ctx));
    const espl__tree *list = espl__tree_get(document->root, "techniques");
    for (const espl__tree *item = list ? list->first : NULL; item; item = item->next) {
        const espl__tree *settings = item->kind == ESPL__MAP ? item->first : NULL;
        if (strcmp(settings ? settings->key : item->text, technique->name))
            continue;
        found = true;
        assert_int_equal(espl__allocate(ctx, 1, technique->size, &options), ESPL_OK);
        if (espl__options_read(document, settings, technique->options, technique->name, options))
            fail_msg("%s", espl_message(ctx));
        espl__release(ctx, options);
    }
    if (!found)
        fail_msg("%s: the example does not use %s", p->path, technique->name);
    espl__document_free(document);
}

static void check_parts(const page *p, const espl_technique *technique)
{
    const char *const parts[] = { "**What it does.**", "**When it helps.**", "**When not.**", "**Options**", "**Example**",
                                  "**Cost.**" };
    char title[128];

    snprintf(title, sizeof title, "# %s\n", technique->name);
    if (strncmp(p->text, title, strlen(title)))
        fail_msg("%s: does not begin with \"%s\"", p->path, title);
    for (int i = 0; i < ESPL__COUNT(parts); i++)
        if (!strstr(p->text, parts[i]))
            fail_msg("%s: has no %s", p->path, parts[i]);
    if (technique->paper && !strstr(p->text, "**Paper"))
        fail_msg("%s: has no **Paper.**", p->path);
}

static void test_pages(void **unused)
{
    espl_context *ctx = NULL;

    (void)unused;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; espl__technique_at(i); i++) {
        const espl_technique *technique = espl__technique_at(i);
        page p = read_page(ctx, technique);
        espl__text table = { 0 };
        check_parts(&p, technique);
        write_table(ctx, technique, &table);
        check_table(ctx, &p, &table);
        check_example(ctx, &p, technique);
        espl__text_free(ctx, &table);
        espl__release(ctx, p.text);
    }
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
