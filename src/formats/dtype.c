/* The types values are stored in, and how they become floats. */
#include "formats/safetensors.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[ESPL__DTYPE_COUNT] = {
    [ESPL__F32] = { "F32", 4 },
    [ESPL__F64] = { "F64", 8 },
    [ESPL__F16] = { "F16", 2 },
    [ESPL__BF16] = { "BF16", 2 },
    [ESPL__I64] = { "I64", 8 },
    [ESPL__I32] = { "I32", 4 },
    [ESPL__I16] = { "I16", 2 },
    [ESPL__I8] = { "I8", 1 },
    [ESPL__U64] = { "U64", 8 },
    [ESPL__U32] = { "U32", 4 },
    [ESPL__U16] = { "U16", 2 },
    [ESPL__U8] = { "U8", 1 },
    [ESPL__BOOL] = { "BOOL", 1 },
};

const char *espl__dtype_name(espl__dtype dtype)
{
    return types[dtype].name;
}

size_t espl__dtype_size(espl__dtype dtype)
{
    return types[dtype].size;
}

/* ---- to float ---- */

static float float_of_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Half precision: sign, 5 bits of exponent (bias 15), 10 of fraction. */
static float float_of_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, fraction = half & 0x3ffu;
    const uint32_t exponent = (half >> 10) & 0x1fu;

    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 is exact */
        const float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000u | fraction << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

#define CONVERT(type, from, expression)            \
    for (int64_t i = 0; i < count; i++) {          \
        type v;                                    \
        memcpy(&v, from + i * sizeof v, sizeof v); \
        to[i] = (float)(expression);               \
    }                                              \
    break

void espl__dtype_convert(espl__dtype dtype, const void *values, int64_t count, float *to)
{
    const char *from = values;

    switch (dtype) {
    case ESPL__F64:
        CONVERT(double, from, v);
    case ESPL__F16:
        CONVERT(uint16_t, from, float_of_half(v));
    case ESPL__BF16:
        CONVERT(uint16_t, from, float_of_bits((uint32_t)v << 16));
    case ESPL__I64:
        CONVERT(int64_t, from, v);
    case ESPL__I32:
        CONVERT(int32_t, from, v);
    case ESPL__I16:
        CONVERT(int16_t, from, v);
    case ESPL__I8:
        CONVERT(int8_t, from, v);
    case ESPL__U64:
        CONVERT(uint64_t, from, v);
    case ESPL__U32:
        CONVERT(uint32_t, from, v);
    case ESPL__U16:
        CONVERT(uint16_t, from, v);
    case ESPL__U8:
        CONVERT(uint8_t, from, v);
    case ESPL__BOOL:
        CONVERT(uint8_t, from, v != 0);
    default:
        CONVERT(float, from, v);
    }
}
