/* One large block for everything a plan needs, on huge pages where the system offers them and touched
 * once when it is opened, because fresh pages are the dearest memory there is. It comes from the
 * context's allocator like all other memory. */
#include "base/base.h"
#include "base/context.h"

#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define HUGE_PAGE ((size_t)2 << 20)

size_t espl__arena_bytes(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

espl_status espl__arena_open(espl_context *ctx, size_t bytes, void **result)
{
    const size_t whole = espl__arena_bytes(bytes), limit = ctx->settings.memory_limit;

    *result = NULL;
    if (whole < bytes || bytes > limit)
        return espl__fail(ctx, ESPL_NO_MEMORY,
                          "the plan needs %.0f MB but only %.0f MB may be used: choose a smaller batch",
                          (double)bytes / 1e6, (double)limit / 1e6);
    void *arena = ctx->settings.allocate(ctx->settings.user, whole, HUGE_PAGE);
    if (!arena)
        return espl__fail(ctx, ESPL_NO_MEMORY,
                          "the system refused %.0f MB for the plan: choose a smaller batch",
                          (double)bytes / 1e6);
#ifdef MADV_HUGEPAGE
    madvise(arena, whole, MADV_HUGEPAGE); /* a wish; smaller pages work as well */
#endif
    memset(arena, 0, whole);
    const size_t now = atomic_fetch_add(&ctx->bytes_now, whole) + whole;
    size_t peak = atomic_load(&ctx->bytes_peak);
    while (now > peak && !atomic_compare_exchange_weak(&ctx->bytes_peak, &peak, now))
        ;
    atomic_fetch_add(&ctx->allocations, 1);
    *result = arena;
    return ESPL_OK;
}

void espl__arena_free(espl_context *ctx, void *arena, size_t bytes)
{
    if (!arena)
        return;
    atomic_fetch_sub(&ctx->bytes_now, espl__arena_bytes(bytes));
    ctx->settings.release(ctx->settings.user, arena);
}
