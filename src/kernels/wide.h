/* A plain loop over memory, compiled once per instruction set within its own file and chosen when it is
 * called. For loops that need no other care than wide vectors; what needs more lives in vector/.
 *
 *     static ESPL__WIDE_BODY void add_body(float *to, const float *from, int64_t count) { ... }
 *     ESPL__WIDE(add, add_body, (float *to, const float *from, int64_t count), (to, from, count))
 *
 * defines `static void add(...)`. The build never contracts a * b + c, so all variants give the same
 * bits. */
#ifndef ESPL_WIDE_H
#define ESPL_WIDE_H

#include "kernels/kernel.h"

#define ESPL__WIDE_BODY inline __attribute__((always_inline))

#ifdef ESPL__HAVE_X86_VARIANTS
#define ESPL__WIDE(name, body, parameters, arguments)                                                      \
    static __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))) void name##_avx512 parameters \
    {                                                                                                      \
        body arguments;                                                                                    \
    }                                                                                                      \
    static __attribute__((target("avx2,fma"))) void name##_avx2 parameters                                 \
    {                                                                                                      \
        body arguments;                                                                                    \
    }                                                                                                      \
    static void name##_plain parameters                                                                    \
    {                                                                                                      \
        body arguments;                                                                                    \
    }                                                                                                      \
    static void name parameters                                                                            \
    {                                                                                                      \
        const espl__isa isa = espl__isa_here();                                                            \
        if (isa == ESPL__ISA_AVX512)                                                                       \
            name##_avx512 arguments;                                                                       \
        else if (isa == ESPL__ISA_AVX2)                                                                    \
            name##_avx2 arguments;                                                                         \
        else                                                                                               \
            name##_plain arguments;                                                                        \
    }
#else
#define ESPL__WIDE(name, body, parameters, arguments) \
    static void name parameters                       \
    {                                                 \
        body arguments;                               \
    }
#endif

#endif
