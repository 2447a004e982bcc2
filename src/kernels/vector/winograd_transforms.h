/* The transforms of winograd.h, for LANES channels at once. Each takes its rows one or two at a time, so
 * that nothing but the result is written to memory. */
#ifndef ESPL_WINOGRAD_TRANSFORMS_H
#define ESPL_WINOGRAD_TRANSFORMS_H

#include "kernels/vector/winograd.h"

/* Pixels are copied from a picture into a *strip* first, with the zeros around it: then tiles at the edge are like
 * all others, and every pixel lies at a constant distance from the tile's first one. */
#define STRIP_WIDTH (4 * RUN_TILES + 2)
typedef float strip_memory[6 * STRIP_WIDTH * LANES] __attribute__((aligned(64)));

/* Six vectors `plane` floats apart. */
ESPL__INLINE void store_line(const vec line[6], float *v, int64_t plane)
{
    for (int i = 0; i < 6; i++, v = v_anchor(v + plane))
        v_store(v, line[i]);
}

/* B' times six numbers:
 *     4  0 -5  0  1  0
 *     0 -4 -4  1  1  0
 *     0  4 -4 -1  1  0
 *     0 -2 -1  2  1  0
 *     0  2 -1 -2  1  0
 *     0  4  0 -5  0  1 */
ESPL__INLINE void input_line(const vec d[6], float *v, int64_t plane)
{
    const vec a = v_fma(v_all(-4), d[2], d[4]), b = v_fma(v_all(-4), d[1], d[3]);
    const vec c = d[4] - d[2], e = d[3] - d[1];

    const vec line[6] = { v_fma(v_all(4), d[0] - d[2], c), a + b, a - b, v_fma(v_all(2), e, c),
                          v_fma(v_all(-2), e, c), v_fma(v_all(-4), e, d[5] - d[3]) };
    store_line(line, v, plane);
}

/* V = B' d B: 6x6 pixels of a strip at x become 36 vectors `plane` floats apart. */
ESPL__INLINE void transform_input(const float *x, float *v, int64_t plane)
{
    vec s[6], t[6];

#define D(i, j) v_load(x + ((i)*STRIP_WIDTH + (j)) * LANES)
    for (int j = 0; j < 6; j++) {
        const vec d2 = D(2, j);
        s[j] = v_fma(v_all(4), D(0, j) - d2, D(4, j) - d2);
    }
    input_line(s, v, plane);
    for (int j = 0; j < 6; j++) {
        const vec a = v_fma(v_all(-4), D(2, j), D(4, j)), b = v_fma(v_all(-4), D(1, j), D(3, j));
        s[j] = a + b;
        t[j] = a - b;
    }
    input_line(s, v + 6 * plane, plane);
    input_line(t, v + 12 * plane, plane);
    for (int j = 0; j < 6; j++) {
        const vec c = D(4, j) - D(2, j), e = D(3, j) - D(1, j);
        s[j] = v_fma(v_all(2), e, c);
        t[j] = v_fma(v_all(-2), e, c);
    }
    input_line(s, v + 18 * plane, plane);
    input_line(t, v + 24 * plane, plane);
    for (int j = 0; j < 6; j++) {
        const vec d3 = D(3, j);
        s[j] = v_fma(v_all(-4), d3 - D(1, j), D(5, j) - d3);
    }
    input_line(s, v + 30 * plane, plane);
#undef D
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

/* Rows 2 * half and... of Y = A' M A: `half` 0 gives rows 0 and 2 (first and second), 1 rows 1 and 3. */
ESPL__INLINE void transform_output(const float *m, int64_t plane, int half, vec first[4], vec second[4])
{
    vec s[6], t[6];

#define M(i, j) v_load(m + (6 * (i) + (j)) * plane)
    for (int j = 0; j < 6; j++) {
        if (half == 0) {
            const vec a = M(1, j) + M(2, j), c = M(3, j) + M(4, j);
            s[j] = (M(0, j) + a) + c;
            t[j] = v_fma(v_all(4), c, a);
        } else {
            const vec b = M(1, j) - M(2, j), d = M(3, j) - M(4, j);
            s[j] = v_fma(v_all(2), d, b);
            t[j] = v_fma(v_all(8), d, b) + M(5, j);
        }
    }
#undef M
    output_line(s, first);
    output_line(t, second);
}

/* K times four numbers, each row times what makes it whole:
 *     4    times  1/4   0    0    0
 *    -6    times -1/6 -1/6 -1/6 -1/6
 *    -6    times -1/6  1/6 -1/6  1/6
 *    24    times 1/24 1/12  1/6  1/3
 *    24    times 1/24 -1/12 1/6 -1/3
 *     1    times   0    0    0    1
 * the factors are put back once, when all tiles have been summed. */
ESPL__INLINE void gradient_line(const vec d[4], float *v, int64_t plane)
{
    const vec even = d[0] + d[2], odd = d[1] + d[3];
    const vec far_even = v_fma(v_all(4), d[2], d[0]), far_odd = v_fma(v_all(4), d[3], d[1]);

    const vec line[6] = { d[0], even + odd, even - odd, v_fma(v_all(2), far_odd, far_even),
                          v_fma(v_all(-2), far_odd, far_even), d[3] };
    store_line(line, v, plane);
}

/* K dy K' of 4x4 pixels of a strip at dy. */
ESPL__INLINE void transform_gradient(const float *dy, float *v, int64_t plane)
{
    vec s[4], t[4];

#define D(i, j) v_load(dy + ((i)*STRIP_WIDTH + (j)) * LANES)
    for (int j = 0; j < 4; j++) {
        s[j] = D(0, j);
        t[j] = D(3, j);
    }
    gradient_line(s, v, plane);
    gradient_line(t, v + 30 * plane, plane);
    for (int j = 0; j < 4; j++) {
        const vec even = D(0, j) + D(2, j), odd = D(1, j) + D(3, j);
        s[j] = even + odd;
        t[j] = even - odd;
    }
    gradient_line(s, v + 6 * plane, plane);
    gradient_line(t, v + 12 * plane, plane);
    for (int j = 0; j < 4; j++) {
        const vec even = v_fma(v_all(4), D(2, j), D(0, j)), odd = v_fma(v_all(4), D(3, j), D(1, j));
        s[j] = v_fma(v_all(2), odd, even);
        t[j] = v_fma(v_all(-2), odd, even);
    }
    gradient_line(s, v + 18 * plane, plane);
    gradient_line(t, v + 24 * plane, plane);
#undef D
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

/* U = G g G' of nine taps. */
ESPL__INLINE void transform_filter(const vec g[9], vec u[FREQUENCIES])
{
    vec columns[6][3], line[3], all[6];

    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++)
            line[i] = g[3 * i + j];
        filter_line(line, all);
        for (int i = 0; i < 6; i++)
            columns[i][j] = all[i];
    }
    for (int i = 0; i < 6; i++)
        filter_line(columns[i], u + 6 * i);
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

/* H' M H: nine taps from 36 vectors `plane` floats apart. */
ESPL__INLINE void transform_taps(const float *m, int64_t plane, vec taps[9])
{
    vec rows[3][6], line[6], three[3];

    for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++)
            line[i] = v_load(m + (6 * i + j) * plane);
        taps_line(line, three);
        for (int i = 0; i < 3; i++)
            rows[i][j] = three[i];
    }
    for (int i = 0; i < 3; i++)
        taps_line(rows[i], taps + 3 * i);
}

/* Copies `rows` x `columns` pixels of LANES channels from (row, column) on into a strip, zeros where the picture
 * has none. `x` is the pixel (0, 0). */
static inline void copy_strip(const float *x, const picture *p, int64_t row, int64_t column, int64_t rows,
                              int64_t columns, float *strip)
{
    const int64_t left = column < 0 ? -column : 0, right = p->width - column;
    const int64_t begin = left < columns ? left : columns, end = right < begin ? begin : right < columns ? right
                                                                                                         : columns;

    for (int64_t i = 0; i < rows; i++, strip += STRIP_WIDTH * LANES) {
        const float *line = x + ((row + i) * p->width + column) * p->block;
        if (row + i < 0 || row + i >= p->height) {
            memset(strip, 0, (size_t)(columns * LANES) * sizeof(float));
            continue;
        }
        for (int64_t j = 0; j < begin; j++)
            v_store(strip + j * LANES, (vec){ 0 });
        for (int64_t j = begin; j < end; j++)
            v_store(strip + j * LANES, v_load(line + j * p->block));
        for (int64_t j = end; j < columns; j++)
            v_store(strip + j * LANES, (vec){ 0 });
    }
}

#endif
