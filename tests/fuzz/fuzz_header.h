/* safetensors files begin with the length of their header, which hardly any mutation keeps right. */
#ifndef ESPL_TESTS_FUZZ_HEADER_H
#define ESPL_TESTS_FUZZ_HEADER_H

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Calls `use` with the input as a header of the length that is right: up to the last brace of its first
 * 16 KiB. Does nothing if the length is right as it is, or if there is no header. */
static inline void fuzz_with_header_length(espl_context *ctx, const uint8_t *data, size_t bytes,
                                           void (*use)(espl_context *ctx, const uint8_t *data, size_t bytes))
{
    size_t end = bytes < 16384 ? bytes : 16384;
    uint8_t *copy = malloc(bytes + 1);

    while (end > 8 && data[end - 1] != '}')
        end--;
    if (copy && end > 8) {
        memcpy(copy, data, bytes);
        for (int i = 0; i < 8; i++)
            copy[i] = (uint8_t)(((uint64_t)end - 8) >> 8 * i);
        if (memcmp(copy, data, 8) != 0)
            use(ctx, copy, bytes);
    }
    free(copy);
}

#endif
