/* The context: settings, the last message, and who may interrupt. */
#include "base/base.h"
#include "base/context.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *allocate_plainly(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;

    (void)user;
    return posix_memalign(&memory, alignment, bytes) ? NULL : memory;
}

static void release_plainly(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static int processors_allowed(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

static size_t memory_of_system(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

espl_status espl_context_open(const espl_context_settings *settings, espl_context **result)
{
    const espl_context_settings none = { 0 };
    const espl_context_settings *s = settings ? settings : &none;

    *result = NULL;
    if (s->threads < 0 || s->threads > ESPL__WORKERS_MAX || !s->allocate != !s->release)
        return ESPL_BAD_OPTION;
    const bool own = !s->allocate;
    void *(*allocate)(void *, size_t, size_t) = own ? allocate_plainly : s->allocate;
    espl_context *ctx = allocate(s->user, sizeof *ctx, 64);
    if (!ctx)
        return ESPL_NO_MEMORY;
    memset(ctx, 0, sizeof *ctx);
    ctx->settings = *s;
    ctx->settings.allocate = allocate;
    ctx->settings.release = own ? release_plainly : s->release;
    const int allowed = processors_allowed();
    ctx->workers = s->threads ? s->threads : allowed;
    if (ctx->workers > allowed && !s->oversubscribe)
        ctx->workers = allowed;
    if (ctx->workers > ESPL__WORKERS_MAX)
        ctx->workers = ESPL__WORKERS_MAX;
    if (!ctx->settings.memory_limit)
        ctx->settings.memory_limit = memory_of_system();
    *result = ctx;
    return ESPL_OK;
}

void espl_context_free(espl_context *ctx)
{
    if (ctx)
        ctx->settings.release(ctx->settings.user, ctx);
}

const char *espl_message(const espl_context *ctx)
{
    return ctx->message;
}

void espl_interrupt(espl_context *ctx)
{
    ctx->interrupted = 1;
}

bool espl__interrupted(const espl_context *ctx)
{
    return ctx->interrupted != 0;
}

void espl__interrupt_clear(espl_context *ctx)
{
    ctx->interrupted = 0;
}

espl_status espl__fail(espl_context *ctx, espl_status status, const char *format, ...)
{
    char message[sizeof ctx->message]; /* an argument may be the old message */
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    memcpy(ctx->message, message, sizeof message);
    return status;
}

espl_status espl__fail_within(espl_context *ctx, espl_status status, const char *format, ...)
{
    char where[sizeof ctx->message], message[sizeof ctx->message];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(where, sizeof where, format, arguments);
    va_end(arguments);
    memcpy(message, ctx->message, sizeof message);
    snprintf(ctx->message, sizeof ctx->message, "%s", where);
    strncat(ctx->message, ": ", sizeof ctx->message - strlen(ctx->message) - 1);
    strncat(ctx->message, message, sizeof ctx->message - strlen(ctx->message) - 1);
    return status;
}

void espl__log(espl_context *ctx, espl_level level, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    if (!ctx->settings.log)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ctx->settings.log(ctx->settings.user, level, line);
}

uint64_t espl__seed(const espl_context *ctx)
{
    return ctx->settings.seed;
}

void espl__set_seed(espl_context *ctx, uint64_t seed)
{
    ctx->settings.seed = seed;
}

int espl__worker_count(const espl_context *ctx)
{
    return ctx->workers;
}

size_t espl__memory_limit(const espl_context *ctx)
{
    return ctx->settings.memory_limit;
}
