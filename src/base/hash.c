/* The hash behind cache keys, checkpoint fingerprints and the hash of a net's parameters: XXH3 in its
 * 64-bit form, whose value is fixed for all processors and future versions. */
#include "base/base.h"

#include <xxhash.h>

uint64_t espl__hash(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}
