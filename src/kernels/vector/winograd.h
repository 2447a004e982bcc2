/* Winograd convolution F(4x4, 3x3), F(2x2, 3x3) and F(4x4, 5x5): Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks, arXiv:1509.09308. An output of 4x4 pixels is a *tile*; for filters of 3x3 it needs 6x6 pixels of
 * input. In the letters of the paper
 *     U = G g G'     a filter, 36 numbers
 *     V = B' d B     a tile of input
 *     Y = A' [sum over channels of U times V] A
 * so that 36 *frequencies* f each ask for one matrix product: M[f] = V[f] U[f], (tiles x channels in) times
 * (channels in x channels out). That is 36 multiplications where the plain sum has 144.
 *
 * The gradient of the filter is F(3x3, 4x4) with the same B:  dg = H' [sum over tiles of (K dy K') V] H.
 *
 * For 5x5 there are 8x8 = 64 frequencies, instead of 400 multiplications. Tiles of 2x2 have 16 frequencies where the
 * plain sum has 36; they waste less at the edges of small pictures. The files of Winograd convolution are compiled once
 * for each size of filters, TAPS, and of tiles, TILE.
 *
 * Work is done on a *batch* of tiles at a time, small enough that V and M stay in the second cache. Both
 * lie as [frequency][channels/LANES][tile][LANES]. */
#ifndef ESPL_WINOGRAD_H
#define ESPL_WINOGRAD_H

#include "kernels/vector/activation.h"

#ifndef TAPS
#define TAPS 3
#endif
#ifndef TILE
#define TILE 4
#endif
/* Pixels of input in a row of a tile. */
#define POINTS (TAPS + TILE - 1)
#define FREQUENCIES (POINTS * POINTS)
/* Columns of a matrix product computed at once, in vectors. */
#define PANEL 2
/* Tiles transformed in one go. */
#define RUN_TILES 8

/* What the files of Winograd convolution share and export, under the sizes and the name of the instruction set. */
#if TILE == 2
#define WINOGRAD "winograd_2x2"
#define WINOGRAD_KERNEL(role) ESPL__KERNEL(winograd_2x2_##role)
#elif TAPS == 3
#define WINOGRAD "winograd"
#define WINOGRAD_KERNEL(role) ESPL__KERNEL(winograd_##role)
#else
#define WINOGRAD "winograd_5x5"
#define WINOGRAD_KERNEL(role) ESPL__KERNEL(winograd_5x5_##role)
#endif
#define WINOGRAD_OF_SIZE(name) ESPL__JOIN(ESPL__JOIN(ESPL__VECTOR(name), TILE), TAPS)
#define winograd_of WINOGRAD_OF_SIZE(winograd_of)
#define winograd_suits WINOGRAD_OF_SIZE(winograd_suits)
#define winograd_pays WINOGRAD_OF_SIZE(winograd_pays)
#define winograd_inputs WINOGRAD_OF_SIZE(winograd_inputs)
#define winograd_gradients WINOGRAD_OF_SIZE(winograd_gradients)
#define product_rows ESPL__VECTOR(product_rows)
#define product_tiles ESPL__VECTOR(product_tiles)

/* One tensor of pictures as tiles see it. */
typedef struct picture {
    int64_t channels, height, width, block;
    int64_t padded;     /* channels up to a multiple of LANES: what the products see, zeros behind */
    int64_t size;       /* of a sample */
    int64_t group_step; /* floats from one pixel to the same of the next LANES channels */
} picture;

/* A convolution of stride 1 by tiles: tile (i, j) writes rows TILE i.. and columns TILE j.. of `to` and reads rows
 * TILE i - before[0].. of `from`. Backward it is the same with both sides exchanged. */
typedef struct winograd {
    picture from, to;
    int64_t before[2];
    int64_t across, in_sample; /* tiles in a row, and in a sample */
    int64_t batch;             /* tiles worked on at a time */
    /* floats from one frequency to the next: of V, of M, and of U or its gradient */
    int64_t from_plane, to_plane, filter_plane;
} winograd;

/* Some tiles next to each other. */
typedef struct run {
    int64_t sample;
    int64_t row, column; /* of `to`, where the first one begins */
    int64_t tiles;
} run;

winograd winograd_of(const espl__case *at);
/* Whether it is a convolution that can be done so, and whether that is faster than the plain sum and than tiles of the
 * other size; not to be called where the instruction set is missing. */
bool winograd_suits(const espl__case *at);
bool winograd_pays(const espl__case *at);

/* The run that begins with tile `index` of a shard and holds no more than `most` tiles. */
ESPL__INLINE run run_at(const winograd *w, int64_t index, int64_t most)
{
    const int64_t within = index % w->in_sample, place = within % w->across;
    int64_t tiles = w->across - place;

    tiles = tiles < RUN_TILES ? tiles : RUN_TILES;
    return (run){ index / w->in_sample, within / w->across * TILE, place * TILE, tiles < most ? tiles : most };
}

/* V of `count` tiles from tile `first` of a shard on. */
void winograd_inputs(const winograd *w, const stored *x, int64_t first, int64_t count, float *v);
/* K dy K' of the same tiles. */
void winograd_gradients(const winograd *w, const stored *dy, int64_t first, int64_t count, float *d);

/* C[i][.] = sum over s of a(i, s) * b[s][.] for `rows` rows and one panel of columns, see winograd_product.c. */
typedef struct product {
    const float *a, *b;
    float *c;
    int64_t rows, steps;
    int64_t vectors;  /* columns / LANES: 1 or 2 */
    int64_t a_group;  /* floats from LANES channels of a to the next LANES */
    int64_t c_vector; /* floats from one vector of columns to the next in c */
} product;
void product_rows(const product *p);

/* c[i][.] = or += sum over s of a[s][i] * b[s][.]: the steps are tiles, a and b lie as V, and the rows of one panel
 * of c one after the other. */
typedef struct product_sum {
    const float *a, *b;
    float *c;
    int64_t rows, steps, vectors;
    int64_t a_group, b_vector; /* floats from LANES channels to the next */
    bool add;                  /* to what c holds */
} product_sum;
void product_tiles(const product_sum *p);

#endif
