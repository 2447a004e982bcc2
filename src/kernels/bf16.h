/* Numbers of type bf16: the upper half of a float, rounded to nearest, ties to even. Eight bits of fraction, the
 * hidden one included: a number is off by 2^-9 of itself at most (Kalamkar et al., A Study of BFLOAT16 for Deep
 * Learning Training, arXiv:1905.12322). */
#ifndef ESPL_BF16_H
#define ESPL_BF16_H

#include "base/base.h"

#include <string.h>

static inline float espl__float_of(uint16_t number)
{
    const uint32_t bits = (uint32_t)number << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t espl__bf16_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    const bool number = (bits & 0x7fffffff) <= 0x7f800000; /* what is not one stays so */
    return (uint16_t)((number ? rounded : bits | 0x400000) >> 16);
}

void espl__bf16_from_floats(uint16_t *to, const float *from, int64_t count);
void espl__bf16_to_floats(float *to, const uint16_t *from, int64_t count);
/* to += from, rounded once */
void espl__bf16_add(uint16_t *to, const uint16_t *from, int64_t count);

#endif
