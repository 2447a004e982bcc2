/* Fingerprints of pictures: 64 signs of horizontal differences of an 8x9 picture tell in a moment which
 * pairs may be the same; correlation of the pictures at 32x32 pixels decides. */
#include "data/fingerprint.h"

#include <math.h>
#include <string.h>

#define SIDE ESPL__PRINT_SIDE
#define SIGNS_APART 14     /* of 64; unrelated pictures differ in about 32 */
#define GREY_ALIKE 0.985   /* correlation of the grey pictures */
#define COLOUR_ALIKE 0.96  /* correlation of the coarse colours, brightness taken out */

/* Mean of the grey values in one cell of a grid of `rows` x `columns` on the picture or on its mirror image: 32 pixels
 * make no nine equal columns, so the cells of the two are not the same. */
static float cell_mean(const uint8_t *grey, int row, int rows, int column, int columns, bool mirrored)
{
    const int top = row * SIDE / rows, bottom = (row + 1) * SIDE / rows;
    const int left = column * SIDE / columns, right = (column + 1) * SIDE / columns;
    int sum = 0;

    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            sum += grey[y * SIDE + (mirrored ? SIDE - 1 - x : x)];
    return (float)sum / (float)((bottom - top) * (right - left));
}

static void take_look(espl__fingerprint *print)
{
    float cell[8][9];

    for (int mirrored = 0; mirrored < 2; mirrored++) {
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 9; x++)
                cell[y][x] = cell_mean(print->grey, y, 8, x, 9, mirrored);
        print->look[mirrored] = 0;
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                print->look[mirrored] |= (uint64_t)(cell[y][x] > cell[y][x + 1]) << (8 * y + x);
    }
}

static void take_colour(const float *planes, espl__fingerprint *print)
{
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 64; i++) {
            const float *from = planes + (c * SIDE + i / 8 * 4) * SIDE + i % 8 * 4;
            float sum = 0;
            for (int k = 0; k < 16; k++)
                sum += from[k / 4 * SIDE + k % 4];
            print->colour[c][i] = (uint8_t)(sum / 16 + 0.5f);
        }
}

void espl__fingerprint_take(const float *planes, espl__fingerprint *print)
{
    const int size = SIDE * SIDE;
    double sum = 0, squares = 0;

    for (int i = 0; i < size; i++) {
        const float grey = 0.299f * planes[i] + 0.587f * planes[size + i] + 0.114f * planes[2 * size + i];
        print->grey[i] = (uint8_t)(grey + 0.5f);
        sum += print->grey[i];
        squares += (double)print->grey[i] * print->grey[i];
    }
    const double mean = sum / size, variance = squares / size - mean * mean;
    print->deviation = variance > 0 ? (float)sqrt(variance) : 0;
    take_look(print);
    take_colour(planes, print);
}

typedef struct sums {
    double a, b, aa, bb, ab, count;
} sums;

static void add(sums *s, double a, double b)
{
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
    s->count++;
}

/* Where both hardly vary there is nothing to tell them apart by: 1. */
static double correlation(const sums *s, double noise)
{
    const double va = s->aa / s->count - s->a / s->count * (s->a / s->count);
    const double vb = s->bb / s->count - s->b / s->count * (s->b / s->count);
    const double ab = s->ab / s->count - s->a / s->count * (s->b / s->count);

    if (va < noise && vb < noise)
        return 1;
    return va > 0 && vb > 0 ? ab / sqrt(va * vb) : 0;
}

static double grey_alike(const espl__fingerprint *a, const espl__fingerprint *b, bool mirrored)
{
    sums s = { 0 };

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            add(&s, a->grey[y * SIDE + x], b->grey[y * SIDE + (mirrored ? SIDE - 1 - x : x)]);
    return correlation(&s, 1);
}

/* Red against green and blue against green: a grey copy of a coloured picture is not the same. */
static double colour_alike(const espl__fingerprint *a, const espl__fingerprint *b, bool mirrored)
{
    sums s = { 0 };

    for (int c = 0; c < 3; c += 2)
        for (int i = 0; i < 64; i++) {
            const int k = mirrored ? i / 8 * 8 + 7 - i % 8 : i;
            add(&s, a->colour[c][i] - a->colour[1][i], b->colour[c][k] - b->colour[1][k]);
        }
    return correlation(&s, 16);
}

bool espl__fingerprint_same(const espl__fingerprint *a, const espl__fingerprint *b)
{
    for (int mirrored = 0; mirrored < 2; mirrored++)
        if (__builtin_popcountll(a->look[0] ^ b->look[mirrored]) <= SIGNS_APART &&
            grey_alike(a, b, mirrored) >= GREY_ALIKE && colour_alike(a, b, mirrored) >= COLOUR_ALIKE)
            return true;
    return false;
}
