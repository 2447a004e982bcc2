/* The transforms of F(4x4, 3x3) in one dimension, by the points 0, 1, -1, 2, -2 and infinity. */
#ifndef ESPL_WINOGRAD_LINES_3X3_H
#define ESPL_WINOGRAD_LINES_3X3_H

#include "kernels/vector/winograd.h"

/* B' times six numbers:
 *     4  0 -5  0  1  0
 *     0 -4 -4  1  1  0
 *     0  4 -4 -1  1  0
 *     0 -2 -1  2  1  0
 *     0  2 -1 -2  1  0
 *     0  4  0 -5  0  1 */
ESPL__INLINE void input_line(const vec d[6], vec v[6])
{
    const vec a = v_fma(v_all(-4), d[2], d[4]), b = v_fma(v_all(-4), d[1], d[3]);
    const vec c = d[4] - d[2], e = d[3] - d[1];

    v[0] = v_fma(v_all(4), d[0] - d[2], c);
    v[1] = a + b;
    v[2] = a - b;
    v[3] = v_fma(v_all(2), e, c);
    v[4] = v_fma(v_all(-2), e, c);
    v[5] = v_fma(v_all(-4), e, d[5] - d[3]);
}

/* A' times six numbers:
 *     1  1  1  1  1  0
 *     0  1 -1  2 -2  0
 *     0  1  1  4  4  0
 *     0  1 -1  8 -8  1 */
ESPL__INLINE void output_line(const vec m[6], vec y[4])
{
    const vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];

    y[0] = (m[0] + a) + c;
    y[1] = v_fma(v_all(2), d, b);
    y[2] = v_fma(v_all(4), c, a);
    y[3] = v_fma(v_all(8), d, b) + m[5];
}

/* K times four numbers, each row times what makes it whole:
 *     4    times  1/4   0    0    0
 *    -6    times -1/6 -1/6 -1/6 -1/6
 *    -6    times -1/6  1/6 -1/6  1/6
 *    24    times 1/24 1/12  1/6  1/3
 *    24    times 1/24 -1/12 1/6 -1/3
 *     1    times   0    0    0    1
 * the factors are put back once, when all tiles have been summed. */
ESPL__INLINE void gradient_line(const vec d[4], vec v[6])
{
    const vec even = d[0] + d[2], odd = d[1] + d[3];
    const vec far_even = v_fma(v_all(4), d[2], d[0]), far_odd = v_fma(v_all(4), d[3], d[1]);

    v[0] = d[0];
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = v_fma(v_all(2), far_odd, far_even);
    v[4] = v_fma(v_all(-2), far_odd, far_even);
    v[5] = d[3];
}

/* G times three numbers:
 *     1/4    0    0
 *    -1/6 -1/6 -1/6
 *    -1/6  1/6 -1/6
 *    1/24 1/12  1/6
 *    1/24 -1/12 1/6
 *      0    0    1 */
ESPL__INLINE void filter_line(const vec g[3], vec u[6])
{
    const vec even = (g[0] + g[2]) * v_all(-1.0f / 6), odd = g[1] * v_all(-1.0f / 6);
    const vec far_even = v_fma(v_all(4), g[2], g[0]) * v_all(1.0f / 24), far_odd = g[1] * v_all(1.0f / 12);

    u[0] = g[0] * v_all(0.25f);
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = far_even + far_odd;
    u[4] = far_even - far_odd;
    u[5] = g[2];
}

/* H' times six numbers that still lack the factors of gradient_line:
 *     1  1  1  1  1  0
 *     0  1 -1  2 -2  0
 *     0  1  1  4  4  1 */
ESPL__INLINE void taps_line(const vec m[6], vec y[3])
{
    const vec m0 = m[0] * v_all(0.25f);
    const vec a = (m[1] + m[2]) * v_all(-1.0f / 6), b = (m[1] - m[2]) * v_all(-1.0f / 6);
    const vec c = (m[3] + m[4]) * v_all(1.0f / 24), d = (m[3] - m[4]) * v_all(1.0f / 24);

    y[0] = (m0 + a) + c;
    y[1] = v_fma(v_all(2), d, b);
    y[2] = v_fma(v_all(4), c, a) + m[5];
}

#endif
