/* The arithmetic of Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
 * for whoever makes several draws side by side. */
#ifndef ESPL_PHILOX_H
#define ESPL_PHILOX_H

#include <stdint.h>

#define ESPL__PHILOX_ROUNDS 10

/* One round of the draw x0..x3; the key is that of the round. */
static inline __attribute__((always_inline)) void espl__philox_round(uint32_t *x0, uint32_t *x1, uint32_t *x2, uint32_t *x3,
                                                                     uint32_t k0, uint32_t k1)
{
    const uint64_t p0 = (uint64_t)0xD2511F53u * *x0, p1 = (uint64_t)0xCD9E8D57u * *x2;
    const uint32_t y0 = (uint32_t)(p1 >> 32) ^ *x1 ^ k0, y2 = (uint32_t)(p0 >> 32) ^ *x3 ^ k1;

    *x1 = (uint32_t)p1;
    *x3 = (uint32_t)p0;
    *x0 = y0;
    *x2 = y2;
}

/* The key of the next round: Weyl sequences. */
static inline void espl__philox_next(uint32_t *k0, uint32_t *k1)
{
    *k0 += 0x9E3779B9u;
    *k1 += 0xBB67AE85u;
}

#endif
