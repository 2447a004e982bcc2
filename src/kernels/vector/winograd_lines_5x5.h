/* The transforms of F(4x4, 5x5) in one dimension, by the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. What
 * belongs to a point and its opposite is the sum and the difference of an even and an odd part. */
#ifndef ESPL_WINOGRAD_LINES_5X5_H
#define ESPL_WINOGRAD_LINES_5X5_H

#include "kernels/vector/winograd.h"

/* What the rows of G are multiplied by, by point: 1 at 0 and infinity. */
#define AT_ONE (-2.0f / 9)
#define AT_TWO (1.0f / 90)
#define AT_HALF (32.0f / 45)

/* B' times eight numbers:
 *     1    0  -21/4    0   21/4    0   -1  0
 *     0    1     1  -17/4 -17/4    1    1  0
 *     0   -1     1   17/4 -17/4   -1    1  0
 *     0   1/2   1/4  -5/2  -5/4    2    1  0
 *     0  -1/2   1/4   5/2  -5/4   -2    1  0
 *     0    2     4   -5/2   -5    1/2   1  0
 *     0   -2     4    5/2   -5   -1/2   1  0
 *     0   -1     0   21/4    0  -21/4   0  1 */
ESPL__INLINE void input_line(const vec d[8], vec v[8])
{
    const vec even = v_fma(v_all(-4.25f), d[4], d[2] + d[6]), odd = v_fma(v_all(-4.25f), d[3], d[1] + d[5]);
    const vec even_two = v_fma(v_all(0.25f), d[2], v_fma(v_all(-1.25f), d[4], d[6]));
    const vec odd_two = v_fma(v_all(0.5f), d[1], v_fma(v_all(-2.5f), d[3], d[5] + d[5]));
    const vec even_half = v_fma(v_all(4), d[2], v_fma(v_all(-5), d[4], d[6]));
    const vec odd_half = v_fma(v_all(0.5f), d[5], v_fma(v_all(-2.5f), d[3], d[1] + d[1]));

    v[0] = v_fma(v_all(5.25f), d[4] - d[2], d[0] - d[6]);
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = even_two + odd_two;
    v[4] = even_two - odd_two;
    v[5] = even_half + odd_half;
    v[6] = even_half - odd_half;
    v[7] = v_fma(v_all(5.25f), d[3] - d[5], d[7] - d[1]);
}

/* A' times eight numbers:
 *     1  1  1  1  1   1    1   0
 *     0  1 -1  2 -2  1/2 -1/2  0
 *     0  1  1  4  4  1/4  1/4  0
 *     0  1 -1  8 -8  1/8 -1/8  1 */
ESPL__INLINE void output_line(const vec m[8], vec y[4])
{
    const vec even = m[1] + m[2], odd = m[1] - m[2], even_two = m[3] + m[4], odd_two = m[3] - m[4];
    const vec even_half = m[5] + m[6], odd_half = m[5] - m[6];

    y[0] = ((m[0] + even) + even_two) + even_half;
    y[1] = v_fma(v_all(0.5f), odd_half, v_fma(v_all(2), odd_two, odd));
    y[2] = v_fma(v_all(0.25f), even_half, v_fma(v_all(4), even_two, even));
    y[3] = v_fma(v_all(0.125f), odd_half, v_fma(v_all(8), odd_two, odd)) + m[7];
}

/* K times four numbers: 1, p, p^2 and p^3 of every point p. The factors of G are put back once, when all tiles
 * have been summed. */
ESPL__INLINE void gradient_line(const vec d[4], vec v[8])
{
    const vec even = d[0] + d[2], odd = d[1] + d[3];
    const vec even_two = v_fma(v_all(4), d[2], d[0]), odd_two = v_fma(v_all(4), d[3], d[1]);
    const vec even_half = v_fma(v_all(0.25f), d[2], d[0]), odd_half = v_fma(v_all(0.25f), d[3], d[1]);

    v[0] = d[0];
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = v_fma(v_all(2), odd_two, even_two);
    v[4] = v_fma(v_all(-2), odd_two, even_two);
    v[5] = v_fma(v_all(0.5f), odd_half, even_half);
    v[6] = v_fma(v_all(-0.5f), odd_half, even_half);
    v[7] = d[3];
}

/* G times five numbers: 1, p, p^2, p^3 and p^4 of every point p, times its factor. */
ESPL__INLINE void filter_line(const vec g[5], vec u[8])
{
    const vec even = ((g[0] + g[2]) + g[4]) * v_all(AT_ONE), odd = (g[1] + g[3]) * v_all(AT_ONE);
    const vec even_two = v_fma(v_all(16), g[4], v_fma(v_all(4), g[2], g[0])) * v_all(AT_TWO);
    const vec odd_two = v_fma(v_all(4), g[3], g[1]) * v_all(2 * AT_TWO);
    const vec even_half = v_fma(v_all(0.0625f), g[4], v_fma(v_all(0.25f), g[2], g[0])) * v_all(AT_HALF);
    const vec odd_half = v_fma(v_all(0.25f), g[3], g[1]) * v_all(0.5f * AT_HALF);

    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = even_two + odd_two;
    u[4] = even_two - odd_two;
    u[5] = even_half + odd_half;
    u[6] = even_half - odd_half;
    u[7] = g[4];
}

/* H' times eight numbers that still lack the factors of G:
 *     1  1  1   1   1   1     1    0
 *     0  1 -1   2  -2  1/2  -1/2   0
 *     0  1  1   4   4  1/4   1/4   0
 *     0  1 -1   8  -8  1/8  -1/8   0
 *     0  1  1  16  16  1/16  1/16  1 */
ESPL__INLINE void taps_line(const vec m[8], vec y[5])
{
    const vec even = (m[1] + m[2]) * v_all(AT_ONE), odd = (m[1] - m[2]) * v_all(AT_ONE);
    const vec even_two = (m[3] + m[4]) * v_all(AT_TWO), odd_two = (m[3] - m[4]) * v_all(AT_TWO);
    const vec even_half = (m[5] + m[6]) * v_all(AT_HALF), odd_half = (m[5] - m[6]) * v_all(AT_HALF);

    y[0] = ((m[0] + even) + even_two) + even_half;
    y[1] = v_fma(v_all(0.5f), odd_half, v_fma(v_all(2), odd_two, odd));
    y[2] = v_fma(v_all(0.25f), even_half, v_fma(v_all(4), even_two, even));
    y[3] = v_fma(v_all(0.125f), odd_half, v_fma(v_all(8), odd_two, odd));
    y[4] = v_fma(v_all(0.0625f), even_half, v_fma(v_all(16), even_two, even)) + m[7];
}

#endif
