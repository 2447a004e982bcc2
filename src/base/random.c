/* Counter-based random numbers: Philox4x32-10 (philox.h). A draw depends on its coordinates alone, never on
 * who drew before. */
#include "base/base.h"
#include "base/philox.h"

#include <math.h>

/* Spreads every bit over all others (the finalizer of SplitMix64). */
static uint64_t spread(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

espl__stream espl__stream_of(uint64_t seed, const char *name)
{
    /* FNV-1a from a basis that the spread seed moves: from a bare seed, seed 0 with the name "a" and
     * seed 3 with "b" would be one stream. */
    uint64_t hash = 0xcbf29ce484222325u ^ spread(seed);

    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    return (espl__stream){ spread(hash) };
}

void espl__random_words(espl__stream stream, uint32_t a, uint64_t b, uint32_t index, uint32_t words[4])
{
    uint32_t k0 = (uint32_t)stream.key, k1 = (uint32_t)(stream.key >> 32);
    uint32_t x0 = index, x1 = a, x2 = (uint32_t)b, x3 = (uint32_t)(b >> 32);

    for (int round = 0; round < ESPL__PHILOX_ROUNDS; round++) {
        espl__philox_round(&x0, &x1, &x2, &x3, k0, k1);
        espl__philox_next(&k0, &k1);
    }
    words[0] = x0;
    words[1] = x1;
    words[2] = x2;
    words[3] = x3;
}

espl__random espl__random_at(espl__stream stream, uint32_t a, uint64_t b)
{
    return (espl__random){ .stream = stream, .a = a, .b = b };
}

uint32_t espl__random_word(espl__random *random)
{
    if (!random->left) {
        espl__random_words(random->stream, random->a, random->b, random->index++, random->word);
        random->left = 4;
    }
    return random->word[4 - random->left--];
}

float espl__random_uniform(espl__random *random)
{
    return (float)(espl__random_word(random) >> 8) * 0x1p-24f;
}

float espl__random_normal(espl__random *random)
{
    const double u = ((double)espl__random_word(random) + 1.0) * 0x1p-32; /* in (0,1] */
    const double v = (double)espl__random_word(random) * 0x1p-32;

    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

uint64_t espl__random_below(espl__random *random, uint64_t bound)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound; /* reject what would make some likelier */
    uint64_t word;

    do {
        word = (uint64_t)espl__random_word(random) << 32;
        word |= espl__random_word(random);
    } while (word >= limit);
    return word % bound;
}

void espl__random_shuffle(espl__random *random, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = (int64_t)espl__random_below(random, (uint64_t)i + 1);
        const int64_t held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}
