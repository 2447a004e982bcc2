/* The matrix products between the transforms of winograd.h. A block of rows and columns is kept in
 * registers while the steps go by; how many rows fit follows from the number of registers. Every element
 * is one chain of multiply-adds in the order of the steps, whatever block it falls into. */
#include "kernels/vector/winograd.h"

#if LANES == 16
#define ROWS 12
#define GRADIENT_ROWS 8
#else
#define ROWS 6
#define GRADIENT_ROWS 4
#endif

/* `rows` and `vectors` are constants at every place this is inlined to. a: rows LANES floats apart, steps next
 * to each other within a group of LANES. b: one panel, steps `vectors * LANES` floats apart. */
ESPL__INLINE void block_forward(const product *p, const float *a, float *c, const int rows, const int vectors)
{
    const float *b = p->b;
    vec sum[ROWS][PANEL];

#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (vec){ 0 };
    for (int64_t group = 0; group < p->steps; group += LANES, a += p->a_group) {
        const int left = p->steps - group < LANES ? (int)(p->steps - group) : LANES;
#pragma GCC unroll 4
        for (int s = 0; s < left; s++, b += vectors * LANES) {
            vec line[PANEL];
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++)
                line[j] = v_load(b + j * LANES);
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                const vec x = v_all(a[i * LANES + s]);
#pragma GCC unroll 2
                for (int j = 0; j < vectors; j++)
                    sum[i][j] = v_fma(x, line[j], sum[i][j]);
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            v_store(c + i * LANES + j * p->c_vector, sum[i][j]);
}

#define EVERY_ROWS_6(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if ROWS == 12
#define EVERY_ROWS(CASE) EVERY_ROWS_6(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#else
#define EVERY_ROWS(CASE) EVERY_ROWS_6(CASE)
#endif

static void rows_forward(const product *p, const float *a, float *c, int64_t rows)
{
#define CASE(n)                           \
    case n:                               \
        if (p->vectors == 2)              \
            block_forward(p, a, c, n, 2); \
        else                              \
            block_forward(p, a, c, n, 1); \
        break;
    switch (rows) {
        EVERY_ROWS(CASE)
    }
#undef CASE
}

/* All rows, in blocks as equal as can be. */
void product_rows(const product *p)
{
    const int64_t blocks = (p->rows + ROWS - 1) / ROWS;

    for (int64_t i = 0; i < blocks; i++) {
        const int64_t first = p->rows * i / blocks, end = p->rows * (i + 1) / blocks;
        rows_forward(p, p->a + first * LANES, p->c + first * LANES, end - first);
    }
}

/* LANES rows of one group, GRADIENT_ROWS at a time. */
ESPL__INLINE void block_tiles(const product_sum *p, const float *a, float *c, const int vectors)
{
    const float *b = p->b, *b2 = p->b + (vectors - 1) * p->b_vector;
    vec sum[GRADIENT_ROWS][PANEL];

#pragma GCC unroll 8
    for (int i = 0; i < GRADIENT_ROWS; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sum[i][j] = p->add ? v_load(c + (i * vectors + j) * LANES) : (vec){ 0 };
    for (int64_t s = 0; s < p->steps; s++, a += LANES, b += LANES, b2 += LANES) {
        const vec line[PANEL] = { v_load(b), v_load(b2) };
#pragma GCC unroll 8
        for (int i = 0; i < GRADIENT_ROWS; i++) {
            const vec x = v_all(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++)
                sum[i][j] = v_fma(x, line[j], sum[i][j]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < GRADIENT_ROWS; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            v_store(c + (i * vectors + j) * LANES, sum[i][j]);
}

void product_tiles(const product_sum *p)
{
    for (int64_t i = 0; i < p->rows; i += GRADIENT_ROWS) {
        const float *a = p->a + i / LANES * p->a_group + i % LANES;
        if (p->vectors == 2)
            block_tiles(p, a, p->c + i * 2 * LANES, 2);
        else
            block_tiles(p, a, p->c + i * LANES, 1);
    }
}
