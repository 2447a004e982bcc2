/* What the rooms share and the public never sees: failing with a message, memory, workers, random
 * numbers and text. */
#ifndef ESPL_BASE_INTERNAL_H
#define ESPL_BASE_INTERNAL_H

#include <espalier/base.h>
#include <stdarg.h>

#if defined(__GNUC__)
#define ESPL__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ESPL__PRINTF(text, first)
#endif

#define ESPL__COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- failing (context.c) ---- */

/* Stores the message and returns `status`, so that a function can `return espl__fail(...)`. */
espl_status espl__fail(espl_context *ctx, espl_status status, const char *format, ...) ESPL__PRINTF(3, 4);

/* Puts "where: " in front of the stored message and returns `status` unchanged. */
espl_status espl__fail_within(espl_context *ctx, espl_status status, const char *format, ...)
    ESPL__PRINTF(3, 4);

void espl__log(espl_context *ctx, espl_level level, const char *format, ...) ESPL__PRINTF(3, 4);

uint64_t espl__seed(const espl_context *ctx);
/* A recipe may name the seed; it does before anything is drawn. */
void espl__set_seed(espl_context *ctx, uint64_t seed);
int espl__worker_count(const espl_context *ctx);
size_t espl__memory_limit(const espl_context *ctx);
bool espl__interrupted(const espl_context *ctx);
void espl__interrupt_clear(espl_context *ctx);

/* ---- memory (memory.c): aligned to 64 bytes, zeroed. A failure stores a message. ---- */

espl_status espl__allocate(espl_context *ctx, size_t count, size_t size, void *result_pointer);
/* The same for threads that share the context with others: NULL after a failure, no message. */
void *espl__allocate_quietly(espl_context *ctx, size_t count, size_t size);
/* Keeps the first `old_count` items; what is new is zero. On failure the old block stays. */
espl_status espl__resize(espl_context *ctx, size_t old_count, size_t count, size_t size, void *pointer);
void espl__release(espl_context *ctx, void *memory);
espl_status espl__copy_text(espl_context *ctx, const char *text, char **result);
/* Allocations through this context since it was opened; a training step must not move it.
 * Loader threads may allocate, so the count is kept atomically. */
int64_t espl__allocation_count(const espl_context *ctx);
/* Bytes held now and the most ever held. */
size_t espl__bytes_now(const espl_context *ctx);
size_t espl__bytes_peak(const espl_context *ctx);
/* false on overflow */
bool espl__multiply(size_t a, size_t b, size_t *result);

/* One block of big pages asked for with MADV_HUGEPAGE, touched once (arena.c). */
espl_status espl__arena_open(espl_context *ctx, size_t bytes, void **result);
size_t espl__arena_bytes(size_t bytes); /* what an arena of so many takes, in whole pages */
void espl__arena_free(espl_context *ctx, void *arena, size_t bytes);

/* ---- workers (workers.c) ---- */

/* Calls `work(argument, worker, workers)` once on each of the context's workers, at the same time,
 * and returns when all are done. Inside, espl__meet waits for the others. */
void espl__workers_run(espl_context *ctx, void (*work)(void *argument, int worker, int workers),
                       void *argument);
void espl__meet(void);

/* ---- random (random.c): Philox4x32-10, Salmon et al. 2011. A draw is a pure function of its
 * coordinates; nothing advances. ---- */

typedef struct espl__stream {
    uint64_t key;
} espl__stream;

/* The stream of that name under that seed, e.g. ("dropout/fc1"). */
espl__stream espl__stream_of(uint64_t seed, const char *name);
/* Four words at (a, b): a, b are e.g. (epoch, sample) or (step, 0); `index` counts within. */
void espl__random_words(espl__stream stream, uint32_t a, uint64_t b, uint32_t index, uint32_t words[4]);

/* A cursor over one stream at one place, for code that draws a number after the other. */
typedef struct espl__random {
    espl__stream stream;
    uint32_t a, index;
    uint64_t b;
    uint32_t word[4];
    int left;
} espl__random;
espl__random espl__random_at(espl__stream stream, uint32_t a, uint64_t b);
uint32_t espl__random_word(espl__random *random);
/* in [0,1), 24 bits */
float espl__random_uniform(espl__random *random);
/* standard normal, by Box and Muller */
float espl__random_normal(espl__random *random);
/* 0 .. bound-1 without bias, bound > 0 */
uint64_t espl__random_below(espl__random *random, uint64_t bound);
/* order[0..count-1] becomes a random permutation of 0..count-1 (Fisher and Yates) */
void espl__random_shuffle(espl__random *random, int64_t *order, int64_t count);

/* ---- text (text.c) ---- */

/* A text that grows. Zero it to begin; every function keeps it terminated. */
typedef struct espl__text {
    char *data;
    size_t length, capacity;
} espl__text;
espl_status espl__text_add(espl_context *ctx, espl__text *text, const char *format, ...) ESPL__PRINTF(3, 4);
espl_status espl__text_add_bytes(espl_context *ctx, espl__text *text, const void *bytes, size_t count);
void espl__text_free(espl_context *ctx, espl__text *text);

/* (quote.c) Adds `value` as YAML reads it: plain where nothing can be misunderstood, else in double
 * quotes. It must be UTF-8. */
espl_status espl__text_add_quoted(espl_context *ctx, espl__text *text, const char *value);
/* The other way: adds what a text written by espl__text_add_quoted says. */
espl_status espl__text_add_unquoted(espl_context *ctx, espl__text *text, const char *quoted);
/* With what HTML and SVG would take for markup written as codes. */
espl_status espl__text_add_escaped(espl_context *ctx, espl__text *text, const char *value);
bool espl__text_is_utf8(const char *text);

bool espl__text_equal(const char *a, const char *b);
/* "block[1-4]_*": * ? [a-z] [!a-z] */
bool espl__text_match(const char *pattern, const char *text);
/* The nearest of `count` names by edit distance, or NULL if none is near. */
const char *espl__text_nearest(const char *name, const char *const *names, int count);
/* (number.c) The whole text is a finite decimal number; locale is never consulted. */
bool espl__text_to_real(const char *text, double *result);
bool espl__text_to_integer(const char *text, int64_t *result);
/* Decimal text with the fewest digits that read back as the same double ("0.1", "1e-4"), at most 32
 * bytes with the end. */
void espl__text_from_real(double value, char text[32]);

/* ---- files (files.c) ---- */

/* Reads a file into memory with one zero byte behind it; refuses more than `limit` bytes, and
 * never allocates more than the file really has. */
espl_status espl__file_read(espl_context *ctx, const char *path, size_t limit, char **data, size_t *bytes);
/* Replaces `path` by `bytes` of `data`: temporary name, fsync, rename, fsync of the folder. On any
 * failure the old file is untouched. */
espl_status espl__file_replace(espl_context *ctx, const char *path, const void *data, size_t bytes);
/* The same with what lies in several places, so that large files need no second copy in memory. */
typedef struct espl__piece {
    const void *data;
    size_t bytes;
} espl__piece;
espl_status espl__file_replace_pieces(espl_context *ctx, const char *path, const espl__piece *pieces, int count);

/* Monotonic seconds (clock.c). */
double espl__now(void);
/* What this process has had of the processors so far. */
typedef struct espl__usage {
    double seconds; /* of all threads */
    long lost;      /* how often another program took a processor away */
} espl__usage;
espl__usage espl__usage_now(void);

/* 64-bit hash of bytes, chained through `seed` (hash.c, xxHash). */
uint64_t espl__hash(const void *data, size_t bytes, uint64_t seed);

#endif
