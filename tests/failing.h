/* A context whose allocator refuses the n-th allocation, and the loop "for every n": whatever is
 * opened through it must answer ESPL_NO_MEMORY with a message, leave nothing behind, and work when
 * nothing is refused.
 *
 *     static espl_status open_and_free(espl_context *ctx, void *argument) { ... }
 *     failing_every(open_and_free, argument, NULL);
 *
 * Include after cmocka.h. */
#ifndef ESPL_TESTS_FAILING_H
#define ESPL_TESTS_FAILING_H

#include <espalier/base.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct failing {
    long long refused_at; /* the allocation to refuse, counted from 1; 0: none */
    atomic_llong asked;   /* allocations asked for; loader threads may ask as well */
    atomic_llong held;    /* blocks not yet given back */
} failing;

static inline void *failing_allocate(void *user, size_t bytes, size_t alignment)
{
    failing *f = user;
    void *memory = NULL;

    if (atomic_fetch_add(&f->asked, 1) + 1 == f->refused_at)
        return NULL;
    if (posix_memalign(&memory, alignment, bytes))
        return NULL;
    atomic_fetch_add(&f->held, 1);
    return memory;
}

static inline void failing_release(void *user, void *memory)
{
    failing *f = user;

    if (memory)
        atomic_fetch_sub(&f->held, 1);
    free(memory);
}

/* Seed, threads and the like from `settings`, which may be NULL. */
static inline espl_status failing_open(failing *f, const espl_context_settings *settings,
                                       espl_context **result)
{
    espl_context_settings mine = settings ? *settings : (espl_context_settings){ 0 };

    mine.allocate = failing_allocate;
    mine.release = failing_release;
    mine.log = NULL;
    mine.user = f;
    return espl_context_open(&mine, result);
}

/* Does the thing once, gives everything back, and returns what it came to. */
typedef espl_status (*failing_work)(espl_context *ctx, void *argument);

/* Runs `work` with the n-th allocation refused. `refused` tells whether it asked for that many; the
 * complaint is "" if all went as it must. */
static inline bool failing_try(failing_work work, void *argument, const espl_context_settings *settings,
                               long long n, char complaint[300])
{
    char message[200] = "";
    failing f = { .refused_at = n };
    espl_context *ctx = NULL;
    espl_status status = failing_open(&f, settings, &ctx);

    complaint[0] = 0;
    if (ctx) {
        status = work(ctx, argument);
        snprintf(message, sizeof message, "%s", espl_message(ctx));
        if (status && !*message)
            snprintf(complaint, 300, "the failure has no message");
        espl_context_free(ctx);
    }
    const bool refused = atomic_load(&f.asked) >= n;
    if (atomic_load(&f.held))
        snprintf(complaint, 300, "%lld blocks are never given back", (long long)atomic_load(&f.held));
    else if (status != (refused ? ESPL_NO_MEMORY : ESPL_OK))
        snprintf(complaint, 300, "the answer was %s%s%s", espl_status_name(status), status && *message ? ": " : "",
                 status ? message : "");
    return refused;
}

static inline bool failing_once(failing_work work, void *argument, const espl_context_settings *settings,
                                long long n)
{
    char complaint[300];
    const bool refused = failing_try(work, argument, settings, n, complaint);

    if (*complaint)
        fail_msg("%s %lld: %s", refused ? "refusing allocation" : "refusing nothing, not even", n, complaint);
    return refused;
}

/* Every n-th allocation up to the last one that `work` asks for; returns how many that were. */
static inline long long failing_every(failing_work work, void *argument,
                                      const espl_context_settings *settings)
{
    long long n = 1;

    while (failing_once(work, argument, settings, n))
        n++;
    return n - 1;
}

/* For work with many allocations: the first `all` of them one by one, then every `stride`-th. */
static inline long long failing_some(failing_work work, void *argument,
                                     const espl_context_settings *settings, long long all,
                                     long long stride)
{
    long long n = 1;

    while (failing_once(work, argument, settings, n))
        n += n < all ? 1 : stride;
    return n - 1;
}

#endif
