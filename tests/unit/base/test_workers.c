/* Workers: each is called once, all at the same time, and meeting means that nobody goes on alone. */
#include "base_rig.h"

#include <stdatomic.h>

typedef struct shared {
    atomic_int calls[8], arrived;
    atomic_bool alone;
    int workers;
} shared;

static void work(void *argument, int worker, int workers)
{
    shared *s = argument;

    atomic_fetch_add(&s->calls[worker], 1);
    if (worker == 0)
        s->workers = workers;
    for (int round = 1; round <= 50; round++) {
        atomic_fetch_add(&s->arrived, 1);
        espl__meet();
        if (atomic_load(&s->arrived) < round * workers)
            atomic_store(&s->alone, true);
        espl__meet();
    }
}

static void each_worker_is_called_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads += 2) {
        const espl_context_settings settings = { .threads = threads, .oversubscribe = true };
        espl_context *ctx = NULL;
        shared s = { .workers = 0 };

        assert_int_equal(espl_context_open(&settings, &ctx), ESPL_OK);
        assert_int_equal(espl__worker_count(ctx), threads);
        espl__workers_run(ctx, work, &s);
        assert_int_equal(s.workers, threads);
        for (int i = 0; i < 8; i++)
            assert_int_equal(atomic_load(&s.calls[i]), i < threads);
        assert_false(atomic_load(&s.alone));
        espl_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_worker_is_called_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
