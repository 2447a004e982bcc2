/* The transforms of F(2x2, 3x3) in one dimension, by the points 0, 1, -1 and infinity. */
#ifndef ESPL_WINOGRAD_LINES_2X2_H
#define ESPL_WINOGRAD_LINES_2X2_H

#include "kernels/vector/winograd.h"

/* B' times four numbers:
 *     1  0 -1  0
 *     0  1  1  0
 *     0 -1  1  0
 *     0 -1  0  1 */
ESPL__INLINE void input_line(const vec d[4], vec v[4])
{
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
}

/* A' times four numbers:
 *     1  1  1  0
 *     0  1 -1  1 */
ESPL__INLINE void output_line(const vec m[4], vec y[2])
{
    y[0] = (m[0] + m[1]) + m[2];
    y[1] = (m[1] - m[2]) + m[3];
}

/* K times two numbers, each row times what makes it whole:
 *     1 times  1   0
 *     2 times 1/2 1/2
 *     2 times 1/2 -1/2
 *     1 times  0   1
 * the factors are put back once, when all tiles have been summed. */
ESPL__INLINE void gradient_line(const vec d[2], vec v[4])
{
    v[0] = d[0];
    v[1] = d[0] + d[1];
    v[2] = d[0] - d[1];
    v[3] = d[1];
}

/* G times three numbers:
 *      1   0   0
 *     1/2 1/2 1/2
 *     1/2 -1/2 1/2
 *      0   0   1 */
ESPL__INLINE void filter_line(const vec g[3], vec u[4])
{
    const vec even = (g[0] + g[2]) * v_all(0.5f), odd = g[1] * v_all(0.5f);

    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
}

/* H' times four numbers that still lack the factors of gradient_line:
 *     1  1  1  0
 *     0  1 -1  0
 *     0  1  1  1 */
ESPL__INLINE void taps_line(const vec m[4], vec y[3])
{
    const vec a = (m[1] + m[2]) * v_all(0.5f);

    y[0] = m[0] + a;
    y[1] = (m[1] - m[2]) * v_all(0.5f);
    y[2] = a + m[3];
}

#endif
