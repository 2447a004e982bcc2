/* What every part of the library shares: statuses, the context and its messages.
 *
 * A context owns the memory, the seed and the last error message. A context and the objects made
 * from it are used by one thread at a time; several contexts may live side by side. Nothing in the
 * library prints, exits, reads the environment or touches signals. */
#ifndef ESPALIER_BASE_H
#define ESPALIER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ESPALIER_SHARED) && defined(__GNUC__)
#define ESPL_API __attribute__((visibility("default")))
#else
#define ESPL_API
#endif

#define ESPL_VERSION_MAJOR 0
#define ESPL_VERSION_MINOR 1
#define ESPL_VERSION_PATCH 0

/* What a call came to. Every function that can fail returns one; its results come through the last
 * parameter and are NULL (or zero) after a failure. */
typedef enum espl_status {
#define ESPL_STATUS(name, text) ESPL_##name,
#include <espalier/status.def>
#undef ESPL_STATUS
    ESPL_STATUS_COUNT
} espl_status;

typedef struct espl_context espl_context;

typedef enum espl_level { ESPL_NOTE, ESPL_WARNING } espl_level;

/* How a context behaves. Zero in every field is a good default. */
typedef struct espl_context_settings {
    uint64_t seed;       /* of every random draw; 0 is a seed like any other */
    int threads;         /* workers; 0: one for each processor this process may use */
    bool oversubscribe;  /* allow more workers than processors */
    size_t memory_limit; /* refuse plans and files that need more bytes than this; 0: what the
                          * system has */

    /* Replace malloc. `allocate` returns memory aligned to `alignment` or NULL. */
    void *(*allocate)(void *user, size_t bytes, size_t alignment);
    void (*release)(void *user, void *memory);

    /* Receives notes and warnings, a line at a time without the newline. NULL: they are dropped. */
    void (*log)(void *user, espl_level level, const char *line);
    void *user; /* handed to the three functions above */
} espl_context_settings;

/* Opens a context. `settings` may be NULL. On failure `*result` is NULL; only ESPL_NO_MEMORY and
 * ESPL_BAD_OPTION can happen. Ended by espl_context_free. */
ESPL_API espl_status espl_context_open(const espl_context_settings *settings, espl_context **result);

/* Ends a context. Everything made from it must have been freed before. Takes NULL. */
ESPL_API void espl_context_free(espl_context *context);

/* The message of the last failure, a whole sentence that says where, what was found, what was
 * expected and what to do. Valid until the next call with this context; "" if nothing failed. */
ESPL_API const char *espl_message(const espl_context *context);

/* The name of a status ("BAD_FILE") and its general sentence. Never NULL. */
ESPL_API const char *espl_status_name(espl_status status);
ESPL_API const char *espl_status_text(espl_status status);

/* Asks a running fit or score to stop after the current step; it then returns ESPL_INTERRUPTED.
 * May be called from a signal handler or another thread. */
ESPL_API void espl_interrupt(espl_context *context);

/* "0.1.0" */
ESPL_API const char *espl_version(void);

#ifdef __cplusplus
}
#endif
#endif
