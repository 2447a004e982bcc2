/* Every recipe in the tree can be read, with all its techniques and options, and so can those in the
 * pages that name a net and data. The data itself is not needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "train/train.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As far as opening data and net. */
static void check_recipe(const char *name, const char *text, size_t bytes)
{
    espl_context *ctx = NULL;
    espl__document *document = NULL;
    espl_run run = { 0 };

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    run.ctx = ctx;
    if (espl__document_parse(ctx, name, text, bytes, &document) ||
        espl__recipe_read(ctx, document, true, &run.recipe) || espl__members_read(&run))
        fail_msg("%s", espl_message(ctx));
    espl__members_free(&run);
    espl__recipe_free(&run.recipe);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

static char *read_text(const char *path, size_t *bytes)
{
    espl_context *ctx = NULL;
    char *text = NULL, *copy;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl__file_read(ctx, path, 1 << 20, &text, bytes))
        fail_msg("%s", espl_message(ctx));
    copy = malloc(*bytes + 1);
    memcpy(copy, text, *bytes + 1);
    espl__release(ctx, text);
    espl_context_free(ctx);
    return copy;
}

/* Calls `check` for every file of a folder whose name ends so; returns how many there are. */
static int each_file(const char *folder, const char *ending, void (*check)(const char *path))
{
    char path[1024];
    int count = 0;

    snprintf(path, sizeof path, "%s/%s", ESPL__SOURCE_DIR, folder);
    DIR *all = opendir(path);
    assert_non_null(all);
    for (const struct dirent *entry; (entry = readdir(all));) {
        const size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length <= tail || strcmp(entry->d_name + length - tail, ending))
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", ESPL__SOURCE_DIR, folder, entry->d_name);
        check(path);
        count++;
    }
    closedir(all);
    return count;
}

static void check_file(const char *path)
{
    size_t bytes = 0;
    char *text = read_text(path, &bytes);

    check_recipe(path, text, bytes);
    free(text);
}

/* Blocks between ```yaml and ``` that name both a net and data. */
static void check_page(const char *path)
{
    size_t bytes = 0;
    char *text = read_text(path, &bytes);

    for (char *at = text; (at = strstr(at, "```yaml\n"));) {
        char *begin = at + 8, *end = strstr(begin, "```");
        assert_non_null(end);
        *end = 0;
        if ((!strncmp(begin, "net:", 4) || strstr(begin, "\nnet:")) && strstr(begin, "\ndata:"))
            check_recipe(path, begin, (size_t)(end - begin));
        at = end + 3;
    }
    free(text);
}

static void test_recipes(void **unused)
{
    (void)unused;
    assert_true(each_file("recipes", ".yaml", check_file) >= 3);
}

static void test_recipes_in_pages(void **unused)
{
    (void)unused;
    assert_true(each_file("docs/guides", ".md", check_page) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_recipes), cmocka_unit_test(test_recipes_in_pages) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
