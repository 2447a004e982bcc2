/* What the tests of this room share: cmocka, and a context for each test that must hold nothing at the
 * end. Write WITH_CONTEXT(test) in the list of tests. */
#ifndef ESPL_TESTS_BASE_RIG_H
#define ESPL_TESTS_BASE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static inline int open_context(void **state)
{
    espl_context *ctx = NULL;
    const espl_status status = espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx);

    *state = ctx;
    return status != ESPL_OK;
}

static inline int free_context(void **state)
{
    const size_t held = espl__bytes_now(*state);

    espl_context_free(*state);
    if (held)
        print_error("%zu bytes were never given back\n", held);
    return held != 0;
}

#define WITH_CONTEXT(test) cmocka_unit_test_setup_teardown(test, open_context, free_context)

#endif
