/* Which convolutions are done by tiles, and how big the pieces of work are: rules over shape and
 * instruction set alone, never a timing. */
#include "kernels/vector/winograd.h"

/* What the transforms write for one batch of tiles, and the products read, stays in a second cache of half a
 * megabyte, unless filters are so large that reading them once a batch would cost more. Gradients go over all
 * sums once a batch, so theirs are larger. Measured on Zen 3: flat around these. */
#define BATCH_BYTES (256 * 1024)
#define GRADIENT_BATCH_BYTES (1024 * 1024)
#define BATCH_MIN 24
#define BATCH_MAX 96

static int64_t padded(espl__shape shape)
{
    return (shape.dim[0] + LANES - 1) / LANES * LANES;
}

static picture picture_of(espl__shape shape, int64_t block)
{
    return (picture){ .channels = shape.dim[0],
                      .height = shape.dim[1],
                      .width = shape.dim[2],
                      .block = block,
                      .padded = padded(shape),
                      .size = espl__shape_size(shape),
                      .group_step = block == LANES ? espl__shape_pixels(shape) * LANES : LANES };
}

/* Floats from one frequency to the next: a line more than there are, so that they do not all fall
 * into the same few sets of a cache. */
static int64_t plane_of(int64_t floats)
{
    return floats + 16;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most
                                                : value;
}

/* `tiles` of a shard in batches as equal as can be. */
static int64_t batch_of(int64_t tiles, int64_t in, int64_t out, bool gradient)
{
    const int64_t bytes = gradient ? GRADIENT_BATCH_BYTES : BATCH_BYTES;
    const int64_t fitting = bytes / (FREQUENCIES * (in + out) * (int64_t)sizeof(float));
    const int64_t for_filters = gradient ? 0 : in * out / (3 * (in + out));
    const int64_t most = within(fitting, within(for_filters, BATCH_MIN, BATCH_MAX), BATCH_MAX);
    const int64_t batches = (tiles + most - 1) / most;

    return (tiles + batches - 1) / batches;
}

winograd winograd_of(const espl__case *at)
{
    const espl__window window = espl__conv2d_window(at->node->attributes, at->input[0].dim[0]);
    const picture in = picture_of(at->input[0], at->input_block[0]);
    const picture out = picture_of(at->output, at->output_block);
    const bool back = at->role == ESPL__BACKWARD_INPUTS;
    winograd w = { .from = back ? out : in, .to = back ? in : out };

    for (int i = 0; i < 2; i++) /* a full correlation with the turned filter */
        w.before[i] = back ? TAPS - 1 - window.before[i] : window.before[i];
    w.across = (w.to.width + TILE - 1) / TILE;
    w.in_sample = w.across * ((w.to.height + TILE - 1) / TILE);
    w.batch = batch_of(at->samples * w.in_sample, w.from.padded, w.to.padded, at->role == ESPL__BACKWARD_PARAMETERS);
    w.from_plane = plane_of(w.from.padded * w.batch);
    w.to_plane = plane_of(w.to.padded * w.batch);
    w.filter_plane = plane_of(w.from.padded * w.to.padded);
    return w;
}

static bool has_taps(const espl__case *at)
{
    const espl__window window = espl__conv2d_window(at->node->attributes, at->input[0].dim[0]);
    bool plain = window.groups == 1;

    for (int i = 0; i < 2; i++)
        plain = plain && window.kernel[i] == TAPS && window.stride[i] == 1 && window.dilation[i] == 1;
    return plain;
}

/* What a convolution of one sample costs in multiplications: the products of all tiles and, for every vector of
 * channels, the transforms. Tiles waste what lies beyond the edges. */
static double cost(const espl__case *at, int64_t tile)
{
    const double in = (double)padded(at->input[0]), out = (double)padded(at->output);
    const double points = (double)(tile + TAPS - 1), transforms = TAPS == 5 ? 300 : tile == 4 ? 150
                                                                                              : 60;
    const double tiles = (double)((at->output.dim[1] + tile - 1) / tile * ((at->output.dim[2] + tile - 1) / tile));

    return tiles * (points * points * in * out + transforms * (in + out));
}

/* The plain sum; its kernels fill vectors up as well, unless there are few channels to read. */
static double direct_cost(const espl__case *at)
{
    const int64_t in = at->input[0].dim[0];

    return TAPS * TAPS * (double)espl__shape_pixels(at->output) * (double)padded(at->output) *
           (double)(2 * in < LANES ? in : padded(at->input[0]));
}

/* bench/bench_convolution compares this choice with times; docs/performance.md has its table. */
bool winograd_pays(const espl__case *at)
{
    const double here = cost(at, TILE);

    return here < direct_cost(at) && (TAPS != 3 || here <= cost(at, TILE == 4 ? 2 : 4));
}

/* Channels lie in blocks of LANES, or all together. */
static bool has_groups(espl__shape shape, int64_t block)
{
    return block == LANES || block == shape.dim[0];
}

bool winograd_suits(const espl__case *at)
{
    return !at->direct_only && at->output.rank == 3 && has_groups(at->input[0], at->input_block[0]) &&
           has_groups(at->output, at->output_block) && has_taps(at);
}
