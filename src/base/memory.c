/* All memory comes through here: aligned, zeroed, counted, and failing with a sentence. */
#include "base/base.h"
#include "base/context.h"

#include <string.h>

#define ALIGNMENT 64

/* In front of every block, so that bytes can be counted back; keeps the block aligned. */
typedef struct header {
    size_t bytes;
    char fill[ALIGNMENT - sizeof(size_t)];
} header;

bool espl__multiply(size_t a, size_t b, size_t *result)
{
    if (b && a > SIZE_MAX / b)
        return false;
    *result = a * b;
    return true;
}

static void count_bytes(espl_context *ctx, size_t bytes)
{
    const size_t now = atomic_fetch_add(&ctx->bytes_now, bytes) + bytes;
    size_t peak = atomic_load(&ctx->bytes_peak);

    atomic_fetch_add(&ctx->allocations, 1);
    while (now > peak && !atomic_compare_exchange_weak(&ctx->bytes_peak, &peak, now))
        ;
}

void *espl__allocate_quietly(espl_context *ctx, size_t count, size_t size)
{
    size_t bytes = 0;

    /* What a lying file asks for is refused here, before the system promises what it does not have. */
    if (!espl__multiply(count, size, &bytes) || bytes > ctx->settings.memory_limit || bytes > SIZE_MAX / 2)
        return NULL;
    const size_t whole = (bytes + sizeof(header) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    header *block = ctx->settings.allocate(ctx->settings.user, whole, ALIGNMENT);
    if (!block)
        return NULL;
    memset(block, 0, whole);
    block->bytes = whole;
    count_bytes(ctx, whole);
    return block + 1;
}

espl_status espl__allocate(espl_context *ctx, size_t count, size_t size, void *result_pointer)
{
    void **result = result_pointer;

    *result = espl__allocate_quietly(ctx, count, size);
    if (!*result)
        return espl__fail(ctx, ESPL_NO_MEMORY, "not enough memory for %zu items of %zu bytes", count, size);
    return ESPL_OK;
}

void espl__release(espl_context *ctx, void *memory)
{
    if (!memory)
        return;
    header *block = (header *)memory - 1;
    atomic_fetch_sub(&ctx->bytes_now, block->bytes);
    ctx->settings.release(ctx->settings.user, block);
}

espl_status espl__resize(espl_context *ctx, size_t old_count, size_t count, size_t size, void *pointer)
{
    void **memory = pointer;
    void *larger = NULL;
    const espl_status status = espl__allocate(ctx, count, size, &larger);

    if (status)
        return status;
    const size_t kept = old_count < count ? old_count : count;
    if (*memory && kept)
        memcpy(larger, *memory, kept * size);
    espl__release(ctx, *memory);
    *memory = larger;
    return ESPL_OK;
}

espl_status espl__copy_text(espl_context *ctx, const char *text, char **result)
{
    const size_t bytes = strlen(text) + 1;
    const espl_status status = espl__allocate(ctx, bytes, 1, result);

    if (!status)
        memcpy(*result, text, bytes);
    return status;
}

int64_t espl__allocation_count(const espl_context *ctx)
{
    return (int64_t)atomic_load(&ctx->allocations);
}

size_t espl__bytes_now(const espl_context *ctx)
{
    return atomic_load(&ctx->bytes_now);
}

size_t espl__bytes_peak(const espl_context *ctx)
{
    return atomic_load(&ctx->bytes_peak);
}
