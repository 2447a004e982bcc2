/* Everything in base that allocates, with each of its allocations refused in turn; and that the loop
 * which checks this would notice a leak, a wrong answer and a missing message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tree.h"
#include "failing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static espl_status grow_text(espl_context *ctx, void *argument)
{
    espl__text text = { 0 };
    espl_status status = ESPL_OK;

    (void)argument;
    for (int i = 0; i < 200 && !status; i++)
        status = espl__text_add(ctx, &text, "%d and ", i);
    espl__text_free(ctx, &text);
    return status;
}

static void growing_a_text(void **state)
{
    (void)state;
    assert_true(failing_every(grow_text, NULL, NULL) > 4);
}

static const char recipe[] = "net: resnet-20\n"
                             "optimizer: {sgd: {rate: 0.1, decay: 1e-4}}\n"
                             "techniques:\n"
                             "  - augment-flip\n"
                             "  - prune-weights: {sparsity: 0.9, layers: \"block[1-4]_*\"}\n";

typedef struct settings {
    double rate;
    char name[16];
    espl_counts sizes;
} settings;

static const espl_option table[] = {
    ESPL_REAL(settings, rate, "0.1", 0, 1, "of the steps"),
    ESPL_TEXT(settings, name, "a b", "of the thing"),
    ESPL_COUNTS(settings, sizes, "[1, 2]", 1, 9, "of everything"),
    ESPL_OPTIONS_END
};

static espl_status read_and_write(const espl__document *document, const espl__tree *map)
{
    settings s;
    espl__text text = { 0 };
    espl_status status = espl__options_read(document, map, table, "thing", &s);

    if (!status)
        status = espl__options_write(document->ctx, table, &s, &text);
    espl__text_free(document->ctx, &text);
    return status;
}

static espl_status use_document(espl_context *ctx, void *argument)
{
    espl__document *document = NULL;
    espl_status status = espl__document_parse(ctx, "plants.yaml", recipe, strlen(recipe), &document);

    (void)argument;
    if (status) {
        assert_null(document);
        return status;
    }
    status = espl__tree_set(document, "techniques.augment-flip.share", "[0.5, {a: b}]");
    if (!status)
        status = espl__tree_set(document, "thing", "{rate: 0.5, sizes: [3]}");
    if (!status)
        status = read_and_write(document, espl__tree_get(document->root, "thing"));
    espl__document_free(document);
    return status;
}

static void using_a_document(void **state)
{
    (void)state;
    assert_true(failing_every(use_document, NULL, NULL) > 5);
}

/* The text of an error needs memory as well; what was wrong must not become a crash. */
static espl_status fail_to_read(espl_context *ctx, void *argument)
{
    espl__document *document = NULL;
    settings s;
    espl_status status = espl__document_parse_settings(ctx, "settings", argument, &document);

    if (status)
        return status == ESPL_NO_MEMORY ? status : ESPL_OK;
    status = espl__options_read(document, document->root, table, "thing", &s);
    assert_int_not_equal(status, ESPL_OK);
    espl__document_free(document);
    return status == ESPL_NO_MEMORY ? status : ESPL_OK;
}

static void refusing_settings(void **state)
{
    char out_of_range[] = "rate: 2", no_list[] = "name: [1]", no_end[] = "{";

    (void)state;
    failing_every(fail_to_read, out_of_range, NULL);
    failing_every(fail_to_read, no_list, NULL);
    failing_every(fail_to_read, no_end, NULL);
}

static espl_status round_trip_file(espl_context *ctx, void *argument)
{
    char *data = NULL;
    size_t bytes = 0;
    espl_status status = espl__file_replace(ctx, argument, recipe, sizeof recipe);

    if (!status)
        status = espl__file_read(ctx, argument, 1 << 20, &data, &bytes);
    espl__release(ctx, data);
    return status;
}

static void replacing_and_reading_a_file(void **state)
{
    char path[] = "/tmp/espalier_failing_XXXXXX";
    char part[sizeof path + 8];
    const int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_true(failing_every(round_trip_file, path, NULL) > 1);
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(access(part, F_OK), -1);
    unlink(path);
}

static espl_status resize_block(espl_context *ctx, void *argument)
{
    int *block = NULL;
    espl_status status = espl__allocate(ctx, 4, sizeof *block, &block);

    (void)argument;
    if (status)
        return status;
    block[3] = 7;
    status = espl__resize(ctx, 4, 8, sizeof *block, &block);
    assert_int_equal(block[3], 7); /* the old block stays after a failure */
    espl__release(ctx, block);
    return status;
}

static espl_status open_arena(espl_context *ctx, void *argument)
{
    void *arena = NULL;
    const espl_status status = espl__arena_open(ctx, 1000, &arena);

    (void)argument;
    espl__arena_free(ctx, arena, 1000);
    return status;
}

static void blocks_and_arenas(void **state)
{
    (void)state;
    assert_int_equal(failing_every(resize_block, NULL, NULL), 3);
    assert_int_equal(failing_every(open_arena, NULL, NULL), 2);
}

/* ---- the loop itself ---- */

static espl_status leak(espl_context *ctx, void *argument)
{
    return espl__allocate(ctx, 1, 1, argument);
}

static espl_status hide_failure(espl_context *ctx, void *argument)
{
    void *block = NULL;

    (void)argument;
    (void)!espl__allocate(ctx, 1, 1, &block);
    espl__release(ctx, block);
    return ESPL_OK;
}

static void the_allocator_counts_and_refuses(void **state)
{
    failing f = { .refused_at = 3 };
    espl_context *ctx = NULL;
    void *block = NULL, *second = NULL;

    (void)state;
    assert_int_equal(failing_open(&f, NULL, &ctx), ESPL_OK);
    assert_int_equal(leak(ctx, &block), ESPL_OK);
    assert_int_equal(leak(ctx, &second), ESPL_NO_MEMORY);
    assert_null(second);
    assert_non_null(strstr(espl_message(ctx), "not enough memory"));
    assert_int_equal(atomic_load(&f.held), 2);
    espl__release(ctx, block);
    assert_int_equal(hide_failure(ctx, NULL), ESPL_OK);
    espl_context_free(ctx);
    assert_int_equal(atomic_load(&f.held), 0);
    assert_int_equal(atomic_load(&f.asked), 4);
}

static espl_status fail_silently(espl_context *ctx, void *argument)
{
    (void)ctx;
    (void)argument;
    return ESPL_BAD_STATE;
}

static void the_loop_notices_what_is_wrong(void **state)
{
    char complaint[300];
    void *block = NULL;

    (void)state;
    assert_true(failing_try(hide_failure, NULL, NULL, 2, complaint));
    assert_string_equal(complaint, "the answer was OK");
    assert_false(failing_try(fail_silently, NULL, NULL, 9, complaint));
    assert_string_equal(complaint, "the answer was BAD_STATE");
    assert_false(failing_try(leak, &block, NULL, 9, complaint));
    assert_string_equal(complaint, "1 blocks are never given back");
    free((char *)block - 64); /* what the context put in front of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_a_text),
        cmocka_unit_test(using_a_document),
        cmocka_unit_test(refusing_settings),
        cmocka_unit_test(replacing_and_reading_a_file),
        cmocka_unit_test(blocks_and_arenas),
        cmocka_unit_test(the_allocator_counts_and_refuses),
        cmocka_unit_test(the_loop_notices_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
