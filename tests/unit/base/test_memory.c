/* Memory: aligned, zeroed, counted, and refused with a sentence when sizes cannot be. */
#include "base_rig.h"

#include <string.h>

static void blocks_are_aligned_and_zeroed(void **state)
{
    espl_context *ctx = *state;

    for (size_t bytes = 0; bytes < 300; bytes++) {
        unsigned char *block = NULL;
        assert_int_equal(espl__allocate(ctx, bytes, 1, &block), ESPL_OK);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(block[i], 0);
        memset(block, 0xff, bytes); /* so that the next one is not zero by chance */
        espl__release(ctx, block);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    espl_context *ctx = *state;
    int here = 0;
    void *block = &here;

    assert_int_equal(espl__allocate(ctx, SIZE_MAX / 2, 3, &block), ESPL_NO_MEMORY);
    assert_null(block);
    assert_non_null(strstr(espl_message(ctx), "not enough memory"));
    assert_int_equal(espl__allocate(ctx, SIZE_MAX, 1, &block), ESPL_NO_MEMORY);
    assert_int_equal(espl__allocate(ctx, SIZE_MAX / 2, 1, &block), ESPL_NO_MEMORY);
}

static void a_block_above_the_limit_is_refused(void **state)
{
    espl_context *ctx = NULL;
    void *block = NULL;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .memory_limit = 5000 }, &ctx), ESPL_OK);
    assert_int_equal(espl__allocate(ctx, 5001, 1, &block), ESPL_NO_MEMORY);
    assert_int_equal(espl__allocate(ctx, 5000, 1, &block), ESPL_OK);
    espl__release(ctx, block);
    espl_context_free(ctx);
}

static void multiplication_tells_overflow(void **state)
{
    size_t result = 0;

    (void)state;
    assert_true(espl__multiply(6, 7, &result));
    assert_int_equal(result, 42);
    assert_true(espl__multiply(SIZE_MAX, 1, &result));
    assert_true(espl__multiply(SIZE_MAX, 0, &result));
    assert_int_equal(result, 0);
    assert_false(espl__multiply(SIZE_MAX / 2 + 1, 2, &result));
}

static void resizing_keeps_what_was_there(void **state)
{
    espl_context *ctx = *state;
    int *numbers = NULL;

    assert_int_equal(espl__resize(ctx, 0, 3, sizeof *numbers, &numbers), ESPL_OK);
    for (int i = 0; i < 3; i++)
        numbers[i] = i + 1;
    assert_int_equal(espl__resize(ctx, 3, 100, sizeof *numbers, &numbers), ESPL_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(numbers[i], i < 3 ? i + 1 : 0);
    assert_int_equal(espl__resize(ctx, 100, 2, sizeof *numbers, &numbers), ESPL_OK);
    assert_int_equal(numbers[1], 2);
    assert_int_equal(espl__resize(ctx, 2, SIZE_MAX, sizeof *numbers, &numbers), ESPL_NO_MEMORY);
    assert_int_equal(numbers[1], 2);
    espl__release(ctx, numbers);
}

static void bytes_are_counted(void **state)
{
    espl_context *ctx = *state;
    const int64_t before = espl__allocation_count(ctx);
    void *first = NULL, *second = NULL;

    assert_int_equal(espl__bytes_now(ctx), 0);
    assert_int_equal(espl__allocate(ctx, 1000, 1, &first), ESPL_OK);
    const size_t one = espl__bytes_now(ctx);
    assert_in_range(one, 1000, 1200);
    assert_int_equal(espl__allocate(ctx, 10, 100, &second), ESPL_OK);
    assert_int_equal(espl__bytes_now(ctx), 2 * one);
    espl__release(ctx, first);
    espl__release(ctx, second);
    espl__release(ctx, NULL);
    assert_int_equal(espl__bytes_now(ctx), 0);
    assert_int_equal(espl__bytes_peak(ctx), 2 * one);
    assert_int_equal(espl__allocation_count(ctx) - before, 2);
}

/* For threads that share no message. */
static void quiet_allocation_leaves_the_message(void **state)
{
    espl_context *ctx = *state;

    espl__fail(ctx, ESPL_BAD_STATE, "before");
    assert_null(espl__allocate_quietly(ctx, SIZE_MAX, 2));
    assert_string_equal(espl_message(ctx), "before");
    void *block = espl__allocate_quietly(ctx, 3, 5);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    espl__release(ctx, block);
}

static void texts_are_copied(void **state)
{
    espl_context *ctx = *state;
    char *copy = NULL;

    assert_int_equal(espl__copy_text(ctx, "espalier", &copy), ESPL_OK);
    assert_string_equal(copy, "espalier");
    espl__release(ctx, copy);
    assert_int_equal(espl__copy_text(ctx, "", &copy), ESPL_OK);
    assert_string_equal(copy, "");
    espl__release(ctx, copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(blocks_are_aligned_and_zeroed),
        WITH_CONTEXT(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_block_above_the_limit_is_refused),
        cmocka_unit_test(multiplication_tells_overflow),
        WITH_CONTEXT(resizing_keeps_what_was_there),
        WITH_CONTEXT(bytes_are_counted),
        WITH_CONTEXT(quiet_allocation_leaves_the_message),
        WITH_CONTEXT(texts_are_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
