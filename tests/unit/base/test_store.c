/* Stores: what was finished under a key is found again, anything else is made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES 10000

static espl_context *ctx;
static char folder[] = "/tmp/espalier_store_XXXXXX", path[64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/store", folder);
    return espl_context_open(NULL, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    unlink(path);
    return rmdir(folder);
}

static void write_one(uint64_t key, char with, bool finish)
{
    espl__store store;

    assert_int_equal(espl__store_open(ctx, path, false, key, BYTES, &store), ESPL_OK);
    assert_false(store.whole);
    memset(store.values, with, BYTES);
    if (finish)
        assert_int_equal(espl__store_finish(ctx, &store), ESPL_OK);
    espl__store_free(ctx, &store, true);
}

static bool found(bool find, uint64_t key, size_t bytes, char with)
{
    espl__store store;

    assert_int_equal(espl__store_open(ctx, path, find, key, bytes, &store), ESPL_OK);
    const bool whole = store.whole;
    if (whole)
        assert_true(*(char *)store.values == with && ((char *)store.values)[bytes - 1] == with);
    espl__store_free(ctx, &store, true);
    return whole;
}

static void a_finished_file_is_found(void **state)
{
    (void)state;
    write_one(7, 'a', true);
    assert_true(found(true, 7, BYTES, 'a'));
    assert_true(found(true, 7, BYTES, 'a'));
    assert_false(found(false, 7, BYTES, 'a'));
    write_one(7, 'b', true);
    assert_false(found(true, 8, BYTES, 'b'));
    write_one(7, 'b', true);
    assert_false(found(true, 7, BYTES - 1, 'b'));
    write_one(7, 'c', false);
    assert_false(found(true, 7, BYTES, 'c'));
}

static void a_damaged_file_is_made_anew(void **state)
{
    (void)state;
    write_one(7, 'a', true);
    assert_int_equal(truncate(path, 100), 0);
    assert_false(found(true, 7, BYTES, 'a'));
    write_one(7, 'a', true);
    FILE *file = fopen(path, "r+b");
    fputc('x', file);
    fclose(file);
    assert_false(found(true, 7, BYTES, 'a'));
}

static void one_may_be_written_whole(void **state)
{
    static const char values[BYTES] = "abc";
    espl__store store;

    (void)state;
    unlink(path);
    assert_false(espl__store_find(path, 7, BYTES, &store));
    assert_int_equal(espl__store_write(ctx, path, 7, values, BYTES), ESPL_OK);
    assert_false(espl__store_find(path, 8, BYTES, &store));
    assert_true(espl__store_find(path, 7, BYTES, &store));
    assert_memory_equal(store.values, values, BYTES);
    memset(store.values, 'x', BYTES); /* stays here */
    espl__store_free(ctx, &store, true);
    assert_true(espl__store_find(path, 7, BYTES, &store));
    assert_memory_equal(store.values, values, BYTES);
    espl__store_free(ctx, &store, true);
    assert_int_equal(espl__store_write(ctx, "/nowhere/at/all", 7, values, BYTES), ESPL_WRITE_FAILED);
}

static void it_may_lie_in_memory_or_go(void **state)
{
    espl__store store;

    (void)state;
    assert_int_equal(espl__store_open(ctx, NULL, true, 7, BYTES, &store), ESPL_OK);
    assert_false(store.whole);
    espl__store_free(ctx, &store, true);
    assert_int_equal(espl__store_open(ctx, path, true, 7, BYTES, &store), ESPL_OK);
    espl__store_free(ctx, &store, false);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(espl__store_open(ctx, "/nowhere/at/all", true, 7, BYTES, &store), ESPL_WRITE_FAILED);
    assert_null(store.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_file_is_found),
        cmocka_unit_test(a_damaged_file_is_made_anew),
        cmocka_unit_test(one_may_be_written_whole),
        cmocka_unit_test(it_may_lie_in_memory_or_go),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
