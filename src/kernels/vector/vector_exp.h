/* e^x of every lane, for x <= 0: x = n ln 2 + r, and 2^n times a polynomial of r (Cody & Waite 1980, range reduction
 * in two steps; the Taylor polynomial of degree 7 on |r| <= ln 2 / 2 is off by less than 6e-9). */
#ifndef ESPL_VECTOR_EXP_H
#define ESPL_VECTOR_EXP_H

#include "kernels/vector/vector.h"

/* Below the negative of this the result is 0. */
#define V_EXP_FAR 87.0f

ESPL__INLINE vec v_exp(vec x)
{
    typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
    const vec_mask far = x < v_all(-V_EXP_FAR);

    x = (vec)(((vec_mask)x & ~far) | ((vec_mask)v_all(-V_EXP_FAR) & far));
    const vec_mask n = __builtin_convertvector(x * 1.44269504f - 0.5f, vec_mask); /* towards zero: to the nearest */
    const vec whole = __builtin_convertvector(n, vec);
    const vec r = v_fma(whole, v_all(-1.42860677e-6f), v_fma(whole, v_all(-0.693145752f), x));
    vec p = v_all(1.0f / 5040);

    p = v_fma(p, r, v_all(1.0f / 720));
    p = v_fma(p, r, v_all(1.0f / 120));
    p = v_fma(p, r, v_all(1.0f / 24));
    p = v_fma(p, r, v_all(1.0f / 6));
    p = v_fma(p, r, v_all(0.5f));
    p = v_fma(p, r, v_all(1));
    p = v_fma(p, r, v_all(1));
    return (vec)(((bits)p + ((bits)n << 23)) & ~(bits)far);
}

#endif
