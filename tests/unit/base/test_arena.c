/* The arena: zeroed, counted, on a huge page's border, and refused above the context's limit with both
 * figures. */
#include "base_rig.h"

#include <string.h>

static void it_is_zeroed_and_counted(void **state)
{
    espl_context *ctx = *state;
    unsigned char *arena = NULL;
    const size_t bytes = ((size_t)2 << 20) + 5;

    assert_int_equal(espl__arena_open(ctx, bytes, (void **)&arena), ESPL_OK);
    assert_int_equal((uintptr_t)arena % ((size_t)2 << 20), 0);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(arena[i], 0);
    assert_true(espl__bytes_now(ctx) >= bytes);
    espl__arena_free(ctx, arena, bytes);
    espl__arena_free(ctx, NULL, bytes);
    assert_int_equal(espl__bytes_now(ctx), 0);
    assert_true(espl__bytes_peak(ctx) >= bytes);
}

static void it_keeps_to_the_limit(void **state)
{
    espl_context *ctx = NULL;
    void *arena = NULL;

    (void)state;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .memory_limit = 3000000 }, &ctx), ESPL_OK);
    assert_int_equal(espl__arena_open(ctx, 25000000, &arena), ESPL_NO_MEMORY);
    assert_null(arena);
    assert_non_null(strstr(espl_message(ctx), "25 MB"));
    assert_non_null(strstr(espl_message(ctx), "3 MB"));
    assert_int_equal(espl__arena_open(ctx, SIZE_MAX, &arena), ESPL_NO_MEMORY);
    assert_int_equal(espl__arena_open(ctx, 3000000, &arena), ESPL_OK);
    espl__arena_free(ctx, arena, 3000000);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(it_is_zeroed_and_counted),
        cmocka_unit_test(it_keeps_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
