/* The vector unit as kernels see it. Every file of this folder is compiled once per instruction set
 * (src/CMakeLists.txt): `plain` for any processor, `avx2` and `avx512` on x86. The source is the same;
 * what differs is below: how many lanes a vector has and how a fused multiply-add is spelled. The variant
 * `bf16` is `avx512` for tensors of bf16 numbers.
 *
 * A kernel is exported as ESPL__KERNEL(name), a helper shared by two files as ESPL__VECTOR(name). */
#ifndef ESPL_VECTOR_H
#define ESPL_VECTOR_H

#include "kernels/kernel.h"

#include <string.h>

#define ESPL__JOIN2(name, variant) name##_##variant
#define ESPL__JOIN(name, variant) ESPL__JOIN2(name, variant)
#define ESPL__QUOTE2(text) #text
#define ESPL__QUOTE(text) ESPL__QUOTE2(text)

#define ESPL__VECTOR(name) ESPL__JOIN(espl__##name, ESPL__VARIANT)
#define ESPL__KERNEL(name) ESPL__JOIN(espl__kernel_##name, ESPL__VARIANT)
#define ESPL__KERNEL_NAME(name) name "_" ESPL__QUOTE(ESPL__VARIANT)

/* Everything with a vector among its arguments is inlined, so their calling convention (and -Wpsabi) is
 * no matter. */
#define ESPL__INLINE static inline __attribute__((always_inline))

/* `fits` must ask for the instruction set before it runs anything else, and what it then calls must stay
 * a function of its own: the compiler may use the instruction set anywhere, be it to copy a struct. */
#define ESPL__APART __attribute__((noinline))

#if defined(ESPL__VARIANT_IS_bf16)
#define ESPL__VARIANT_IS_avx512
#define ESPL__VARIANT_BF16 true
#else
#define ESPL__VARIANT_BF16 false
#endif

#if defined(ESPL__VARIANT_IS_avx512)
#include <immintrin.h>
#define LANES 16
#define ESPL__VARIANT_ISA ESPL__ISA_AVX512
#elif defined(ESPL__VARIANT_IS_avx2)
#include <immintrin.h>
#define LANES 8
#define ESPL__VARIANT_ISA ESPL__ISA_AVX2
#else
#define LANES 8
#define ESPL__VARIANT_ISA ESPL__ISA_PLAIN
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t vec_mask __attribute__((vector_size(4 * LANES))); /* a lane is 0 or all ones */
/* The same in memory: any address a float may have. */
typedef float vec_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

ESPL__INLINE vec v_load(const float *from)
{
    return *(const vec_at *)from;
}

ESPL__INLINE void v_store(float *to, vec value)
{
    *(vec_at *)to = value;
}

/* A number of a tensor, as it lies in memory. A bf16 number is the upper half of a float, rounded to nearest,
 * ties to even. Parameters, sums and what kernels keep for themselves are floats in every variant. */
#if defined(ESPL__VARIANT_IS_bf16)
typedef uint16_t stored;
#else
typedef float stored;
#endif

/* Calls hand tensors over as floats, whatever they hold. */
ESPL__INLINE stored *stored_at(float *tensor)
{
    return (stored *)(void *)tensor;
}

ESPL__INLINE const stored *stored_in(const float *tensor)
{
    return (const stored *)(const void *)tensor;
}

/* The first `count` lanes, at most LANES; those behind are 0, or left as they are. */
ESPL__INLINE vec v_load_some(const float *from, int64_t count)
{
#if defined(ESPL__VARIANT_IS_avx512)
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#elif defined(ESPL__VARIANT_IS_avx2)
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (vec)_mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes));
#else
    float all[LANES] = { 0 };

    memcpy(all, from, (size_t)count * sizeof(float));
    return v_load(all);
#endif
}

ESPL__INLINE void v_store_some(float *to, vec value, int64_t count)
{
#if defined(ESPL__VARIANT_IS_avx512)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)value);
#elif defined(ESPL__VARIANT_IS_avx2)
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes), (__m256)value);
#else
    float all[LANES];

    v_store(all, value);
    memcpy(to, all, (size_t)count * sizeof(float));
#endif
}

ESPL__INLINE vec v_get(const stored *from)
{
#if defined(ESPL__VARIANT_IS_bf16)
    return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16);
#else
    return v_load(from);
#endif
}

ESPL__INLINE void v_put(stored *to, vec value)
{
#if defined(ESPL__VARIANT_IS_bf16)
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)value));
#else
    v_store(to, value);
#endif
}

/* As v_load_some and v_store_some. */
ESPL__INLINE vec v_get_some(const stored *from, int64_t count)
{
#if defined(ESPL__VARIANT_IS_bf16)
    const __m256i half = _mm256_maskz_loadu_epi16((__mmask16)((1u << count) - 1), from);
    return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
#else
    return v_load_some(from, count);
#endif
}

ESPL__INLINE void v_put_some(stored *to, vec value, int64_t count)
{
#if defined(ESPL__VARIANT_IS_bf16)
    _mm256_mask_storeu_epi16(to, (__mmask16)((1u << count) - 1), (__m256i)_mm512_cvtneps_pbh((__m512)value));
#else
    v_store_some(to, value, count);
#endif
}

/* One number alone, for what is not worth a vector. */
ESPL__INLINE float get_one(const stored *from)
{
#if defined(ESPL__VARIANT_IS_bf16)
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)((uint32_t)*from << 16))));
#else
    return *from;
#endif
}

ESPL__INLINE void put_one(stored *to, float value)
{
#if defined(ESPL__VARIANT_IS_bf16)
    *to = (stored)_mm_extract_epi16((__m128i)_mm_cvtneps_pbh(_mm_set_ss(value)), 0);
#else
    *to = value;
#endif
}

ESPL__INLINE vec v_all(float value)
{
    return value - (vec){ 0 };
}

/* a * b + c, rounded once where the processor can. */
ESPL__INLINE vec v_fma(vec a, vec b, vec c)
{
#if defined(ESPL__VARIANT_IS_avx512)
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(ESPL__VARIANT_IS_avx2)
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_FEATURE_FMA)
    for (int l = 0; l < LANES; l++) /* compilers make vector instructions of this */
        c[l] = __builtin_fmaf(a[l], b[l], c[l]);
    return c;
#else
    return a * b + c;
#endif
}

/* max(0, x); what is not a number stays so, that a diverging net is noticed. */
ESPL__INLINE vec v_relu(vec x)
{
#if defined(ESPL__VARIANT_IS_avx512)
    return (vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)x);
#elif defined(ESPL__VARIANT_IS_avx2)
    return (vec)_mm256_max_ps(_mm256_setzero_ps(), (__m256)x);
#else
    return (vec)((vec_mask)x & ~(x <= 0));
#endif
}

/* min(max(0, x), 6) */
ESPL__INLINE vec v_relu6(vec x)
{
    x = v_relu(x);
#if defined(ESPL__VARIANT_IS_avx512)
    return (vec)_mm512_min_ps(_mm512_set1_ps(6), (__m512)x);
#elif defined(ESPL__VARIANT_IS_avx2)
    return (vec)_mm256_min_ps(_mm256_set1_ps(6), (__m256)x);
#else
    const vec_mask above = x > v_all(6);
    return (vec)(((vec_mask)x & ~above) | ((vec_mask)v_all(6) & above));
#endif
}

/* `value` where y > 0, else 0. */
ESPL__INLINE vec v_where_positive(vec value, vec y)
{
#if defined(ESPL__VARIANT_IS_avx512)
    return (vec)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)value);
#else
    return (vec)((vec_mask)value & (y > 0));
#endif
}

/* `value` where 0 < y < 6, else 0. */
ESPL__INLINE vec v_where_within_6(vec value, vec y)
{
    return v_where_positive(v_where_positive(value, y), v_all(6) - y);
}

/* Lane l is the sum of the lanes of v[l]. */
ESPL__INLINE vec v_sums(const vec v[LANES])
{
#if defined(ESPL__VARIANT_IS_avx512)
    __m512 half[8], quarter[4];
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++) {
            const __m512 a = (__m512)v[i + 8 * k], b = (__m512)v[i + 8 * k + 4];
            half[i + 4 * k] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
        }
    for (int i = 0; i < 4; i++)
        quarter[i] = _mm512_add_ps(_mm512_shuffle_f32x4(half[i], half[i + 4], 0x88),
                                   _mm512_shuffle_f32x4(half[i], half[i + 4], 0xdd));
    const __m512 a = _mm512_add_ps(_mm512_unpacklo_ps(quarter[0], quarter[1]), _mm512_unpackhi_ps(quarter[0], quarter[1]));
    const __m512 b = _mm512_add_ps(_mm512_unpacklo_ps(quarter[2], quarter[3]), _mm512_unpackhi_ps(quarter[2], quarter[3]));
    return (vec)_mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
#elif defined(ESPL__VARIANT_IS_avx2)
    __m256 half[4];
    for (int i = 0; i < 4; i++)
        half[i] = _mm256_add_ps(_mm256_permute2f128_ps((__m256)v[i], (__m256)v[i + 4], 0x20),
                                _mm256_permute2f128_ps((__m256)v[i], (__m256)v[i + 4], 0x31));
    const __m256 a = _mm256_add_ps(_mm256_unpacklo_ps(half[0], half[1]), _mm256_unpackhi_ps(half[0], half[1]));
    const __m256 b = _mm256_add_ps(_mm256_unpacklo_ps(half[2], half[3]), _mm256_unpackhi_ps(half[2], half[3]));
    return (vec)_mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
#else
    vec sums = { 0 };
    for (int i = 0; i < LANES; i++)
        for (int l = 0; l < LANES; l++)
            sums[i] += v[i][l];
    return sums;
#endif
}

/* The same pointer, but the compiler forgets where it comes from: so it stays in a register, instead of being
 * worked out from dozens of sums that are kept ready and spilled. */
ESPL__INLINE float *v_anchor(float *pointer)
{
    __asm__(""
            : "+r"(pointer));
    return pointer;
}

ESPL__INLINE const float *v_anchor_const(const float *pointer)
{
    __asm__(""
            : "+r"(pointer));
    return pointer;
}

#endif
