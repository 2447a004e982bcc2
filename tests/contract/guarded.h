/* Memory with a pattern on both sides that tells when somebody wrote past an end, filled with what
 * is not a number so that whoever reads what nobody wrote is found. */
#ifndef GUARDED_H
#define GUARDED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_BYTES \
    128 /* on each side; the front also keeps the size, and the data stays aligned to 64 */
#define GUARD_PATTERN 0xA5

static inline void *guarded_open(size_t bytes)
{
    unsigned char *whole = aligned_alloc(64, (bytes + 2 * GUARD_BYTES + 63) / 64 * 64);

    if (!whole)
        abort();
    memset(whole, GUARD_PATTERN, GUARD_BYTES);
    memcpy(whole, &bytes, sizeof bytes);
    memset(whole + GUARD_BYTES, 0xff, bytes);
    memset(whole + GUARD_BYTES + bytes, GUARD_PATTERN, GUARD_BYTES);
    return whole + GUARD_BYTES;
}

static inline size_t guarded_bytes(const void *memory)
{
    size_t bytes;

    memcpy(&bytes, (const unsigned char *)memory - GUARD_BYTES, sizeof bytes);
    return bytes;
}

/* How many bytes beyond either end were changed. */
static inline size_t guarded_damage(const void *memory)
{
    const unsigned char *data = memory, *front = data - GUARD_BYTES,
                        *back = data + guarded_bytes(memory);
    size_t damage = 0;

    for (size_t i = sizeof(size_t); i < GUARD_BYTES; i++)
        damage += front[i] != GUARD_PATTERN;
    for (size_t i = 0; i < GUARD_BYTES; i++)
        damage += back[i] != GUARD_PATTERN;
    return damage;
}

static inline void guarded_free(void *memory)
{
    if (memory)
        free((unsigned char *)memory - GUARD_BYTES);
}

#endif
