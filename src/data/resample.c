/* Two passes, first along the rows, then along the columns. For every result position an axis has a
 * few taps: where they begin, how many there are, and their weights, which sum to one.
 *
 * The triangle filter: the weight of input x for output i falls linearly with the distance of their
 * centres, |x + 1/2 - c_i| with c_i = (i + 1/2) * in/out, and reaches zero at max(1, in/out). */
#include "data/resample.h"
#include "kernels/wide.h"

#include <math.h>
#include <string.h>

#define FIXED_BITS 22 /* 8 bits of pixel, 22 of weight and 2 to spare make 32 */
/* Bytes behind the end of a row that may be touched: taps of weight 0, and the fourth byte of a colour. */
#define BEHIND(axis) ((size_t)(axis).most * 3 + 1)

typedef struct axis {
    int64_t count, most; /* results, and room for the taps of one */
    int32_t widest;      /* taps of the result that has most of them */
    int32_t *first, *used;
    union {
        float *real; /* count x most */
        int32_t *fixed;
    } weight;
    double *row; /* of the result just computed */
} axis;

static int64_t most_taps(int64_t in, int64_t out, bool antialias)
{
    const double reach = antialias && in > out ? (double)in / (double)out : 1.0;

    return (int64_t)ceil(reach) * 2 + 1;
}

static size_t axis_bytes(int64_t in, int64_t out, int64_t count, bool antialias)
{
    const size_t most = (size_t)most_taps(in, out, antialias);

    return most * sizeof(double) + (size_t)count * (2 * sizeof(int32_t) + most * sizeof(float)) +
           64;
}

static axis axis_in(char *memory, int64_t in, int64_t out, int64_t count, bool antialias)
{
    axis a = { .count = count, .most = most_taps(in, out, antialias) };

    a.row = (double *)memory;
    a.first = (int32_t *)(a.row + a.most);
    a.used = a.first + count;
    a.weight.real = (float *)(a.used + count);
    return a;
}

/* Taps of output i; returns how many, with the first one's position. */
static int32_t triangle_taps(double *weight, int64_t in, int64_t out, int64_t i, int32_t *first)
{
    const double scale = (double)in / (double)out, reach = scale > 1 ? scale : 1;
    const double centre = ((double)i + 0.5) * scale, slope = 1 / reach;
    int64_t low = (int64_t)(centre - reach + 0.5), high = (int64_t)(centre + reach + 0.5);
    double sum = 0;

    low = low < 0 ? 0 : low;
    high = high > in ? in : high;
    for (int64_t x = low; x < high; x++) {
        const double distance = fabs(((double)x - centre + 0.5) * slope);
        weight[x - low] = distance < 1 ? 1 - distance : 0;
        sum += weight[x - low];
    }
    for (int64_t x = low; x < high && sum > 0; x++)
        weight[x - low] /= sum;
    *first = (int32_t)low;
    return (int32_t)(high - low);
}

static int32_t two_taps(double *weight, int64_t in, int64_t out, int64_t i, int32_t *first)
{
    const double place = ((double)i + 0.5) * ((double)in / (double)out) - 0.5;
    const double below = floor(place), share = place - below;
    const int64_t low = below < 0 ? 0 : (int64_t)below;
    const bool edge = below < 0 || low + 1 >= in;

    *first = (int32_t)low;
    weight[0] = edge ? 1 : 1 - share;
    weight[1] = share;
    return edge ? 1 : 2;
}

static void fill_real(axis *a, int64_t in, int64_t out, int64_t from, bool antialias)
{
    for (int64_t i = 0; i < a->count; i++) {
        a->used[i] = antialias ? triangle_taps(a->row, in, out, from + i, &a->first[i])
                               : two_taps(a->row, in, out, from + i, &a->first[i]);
        for (int32_t t = 0; t < a->used[i]; t++)
            a->weight.real[i * a->most + t] = (float)a->row[t];
    }
}

static void fill_fixed(axis *a, int64_t in, int64_t out, int64_t from)
{
    for (int64_t i = 0; i < a->count; i++) {
        a->used[i] = triangle_taps(a->row, in, out, from + i, &a->first[i]);
        a->widest = a->used[i] > a->widest ? a->used[i] : a->widest;
        for (int32_t t = 0; t < a->most; t++)
            a->weight.fixed[i * a->most + t] = t < a->used[i] ? (int32_t)(0.5 + a->row[t] * (1 << FIXED_BITS)) : 0;
    }
}

/* Input rows that the vertical pass will look at. */
static void rows_needed(const axis *vertical, int64_t *from, int64_t *to)
{
    *from = vertical->first[0];
    *to = 0;
    for (int64_t i = 0; i < vertical->count; i++)
        if (vertical->first[i] + vertical->used[i] > *to)
            *to = vertical->first[i] + vertical->used[i];
}

/* ---- bytes ---- */

static uint8_t byte_of(int32_t sum)
{
    const int32_t value = sum >> FIXED_BITS;

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255
                                                 : value);
}

static void across_grey(const axis *a, const uint8_t *in, uint8_t *out)
{
    for (int64_t i = 0; i < a->count; i++) {
        const int32_t *weight = a->weight.fixed + i * a->most;
        const uint8_t *pixel = in + a->first[i];
        int32_t sum = 1 << (FIXED_BITS - 1);
        for (int32_t t = 0; t < a->used[i]; t++)
            sum += pixel[t] * weight[t];
        out[i] = byte_of(sum);
    }
}

/* A pixel of each of two rows: red, green, blue and whatever comes behind them. */
typedef int32_t colours __attribute__((vector_size(32)));
typedef uint32_t words __attribute__((vector_size(32)));

static ESPL__WIDE_BODY uint32_t word_at(const uint8_t *pixel)
{
    return pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16 | (uint32_t)pixel[3] << 24;
}

static ESPL__WIDE_BODY void add_tap(colours *sum, const uint8_t *pixel, const uint8_t *below, int32_t weight)
{
    const uint32_t a = word_at(pixel), b = word_at(below);
    const words both = (words){ a, a, a, a, b, b, b, b } >> (words){ 0, 8, 16, 24, 0, 8, 16, 24 };

    *sum += (colours)(both & 255) * weight;
}

/* Two rows at once. Every result takes the same number of taps, some of weight 0, so that no branch depends on the
 * picture: what lies behind the row is read (see BEHIND). The results of each colour lie together. */
static ESPL__WIDE_BODY void across_colour_body(const axis *a, const uint8_t *const in[2], uint8_t *const out[2])
{
    const int64_t count = a->count, most = a->most, end = 3 * (int64_t)a->widest;
    const int32_t *weight = a->weight.fixed, *first = a->first;
    const uint8_t *restrict upper = in[0], *restrict lower = in[1];
    uint8_t *to_upper = out[0], *to_lower = out[1];

    for (int64_t i = 0; i < count; i++, weight += most) {
        const int64_t at = (int64_t)first[i] * 3;
        colours sum = (colours){ 0 } + (1 << (FIXED_BITS - 1));
        for (int64_t t = 0, w = 0; t < end; t += 3, w++)
            add_tap(&sum, upper + at + t, lower + at + t, weight[w]);
        sum >>= FIXED_BITS;
        const colours above = sum > 255;
        sum = (sum & ~above) | (above & 255);
        for (int c = 0; c < 3; c++) {
            to_upper[c * count + i] = (uint8_t)sum[c];
            to_lower[c * count + i] = (uint8_t)sum[4 + c];
        }
    }
}
ESPL__WIDE(across_colour, across_colour_body, (const axis *a, const uint8_t *const in[2], uint8_t *const out[2]),
           (a, in, out))

/* One result row of the vertical pass: rows of `bytes` values lie `stride` apart. */
static ESPL__WIDE_BODY void down_bytes_body(const uint8_t *rows, int64_t stride, int32_t used, const int32_t *weight,
                                            int64_t bytes, int32_t *restrict sums)
{
    for (int64_t x = 0; x < bytes; x++)
        sums[x] = 1 << (FIXED_BITS - 1);
    for (int32_t t = 0; t < used; t++) {
        const uint8_t *restrict row = rows + t * stride;
        const int32_t w = weight[t];
        for (int64_t x = 0; x < bytes; x++)
            sums[x] += row[x] * w;
    }
}
ESPL__WIDE(down_bytes, down_bytes_body,
           (const uint8_t *rows, int64_t stride, int32_t used, const int32_t *weight, int64_t bytes,
            int32_t *restrict sums),
           (rows, stride, used, weight, bytes, sums))

static ESPL__WIDE_BODY void spread_row_body(const int32_t *restrict sums, int64_t width, float *restrict row)
{
    for (int64_t x = 0; x < width; x++) {
        const float value = (float)(sums[x] >> FIXED_BITS); /* a whole number compared is a branch to the compiler */
        row[x] = value < 255 ? value : 255;
    }
}
ESPL__WIDE(spread_row, spread_row_body, (const int32_t *restrict sums, int64_t width, float *restrict row),
           (sums, width, row))

/* What the horizontal pass reads and makes: rows [from, to) of the picture; results, colour by colour, `stride` apart. */
typedef struct strip {
    const uint8_t *pixels;
    int64_t channels, width, from, to, stride;
    uint8_t *result, *spare; /* spare: a row with something to read behind it */
} strip;

/* The last row may be both. */
static void across_two_rows(const axis *a, const strip *s, int64_t y)
{
    const uint8_t *in[2];
    uint8_t *out[2];

    for (int k = 0; k < 2; k++) {
        const int64_t row = y + k < s->to ? y + k : y;
        in[k] = row + 1 < s->to ? s->pixels + row * s->width * 3 : s->spare;
        out[k] = s->result + (row - s->from) * s->stride;
    }
    across_colour(a, in, out);
}

static void part_colours(const strip *s, const uint8_t *pixels, int64_t width, uint8_t *result)
{
    for (int64_t c = 0; c < s->channels; c++)
        for (int64_t x = 0; x < width; x++)
            result[c * width + x] = pixels[x * s->channels + c];
}

/* The horizontal pass, or the window's columns as they are when the width stays (weights would be one). */
static void across_rows(const axis *a, const strip *s, espl__window window)
{
    const int64_t bytes = s->width * s->channels;

    if (window.whole_width == s->width) {
        for (int64_t y = s->from; y < s->to; y++)
            part_colours(s, s->pixels + y * bytes + window.left * s->channels, window.width,
                         s->result + (y - s->from) * s->stride);
    } else if (s->channels == 3) {
        memcpy(s->spare, s->pixels + (s->to - 1) * bytes, (size_t)bytes);
        for (int64_t y = s->from; y < s->to; y += 2)
            across_two_rows(a, s, y);
    } else {
        for (int64_t y = s->from; y < s->to; y++)
            across_grey(a, s->pixels + y * bytes, s->result + (y - s->from) * s->stride);
    }
}

static void down_rows(const axis *a, const strip *s, espl__window window, int32_t *sums, float *planes)
{
    for (int64_t i = 0; i < window.height; i++) {
        down_bytes(s->result + (a->first[i] - s->from) * s->stride, s->stride, a->used[i], a->weight.fixed + i * a->most,
                   window.width * s->channels, sums);
        for (int64_t c = 0; c < s->channels; c++)
            spread_row(sums + c * window.width, window.width, planes + (c * window.height + i) * window.width);
    }
}

espl_status espl__resize_pixels(const uint8_t *pixels, int64_t channels, int64_t height,
                                int64_t width, espl__window window, float *planes,
                                espl__reading *reading)
{
    const size_t across = (axis_bytes(width, window.whole_width, window.width, true) + 63) / 64 *
                          64;
    char *memory = espl__reading_room(reading, ESPL__READING_TAPS,
                                      across + axis_bytes(height, window.whole_height,
                                                          window.height, true));
    const int64_t bytes = window.width * channels;
    strip s = { .pixels = pixels, .channels = channels, .width = width, .stride = bytes };

    if (!memory)
        return ESPL_NO_MEMORY;
    axis horizontal = axis_in(memory, width, window.whole_width, window.width, true);
    axis vertical = axis_in(memory + across, height, window.whole_height, window.height, true);
    fill_fixed(&horizontal, width, window.whole_width, window.left);
    fill_fixed(&vertical, height, window.whole_height, window.top);
    rows_needed(&vertical, &s.from, &s.to);
    int32_t *sums = espl__reading_room(reading, ESPL__READING_RESIZED,
                                       (size_t)bytes * sizeof *sums + (size_t)(s.stride * (s.to - s.from)) +
                                           (size_t)(width * channels) + BEHIND(horizontal));
    if (!sums)
        return ESPL_NO_MEMORY;
    s.result = (uint8_t *)(sums + bytes);
    s.spare = s.result + s.stride * (s.to - s.from);
    across_rows(&horizontal, &s, window);
    down_rows(&vertical, &s, window, sums, planes);
    return ESPL_OK;
}

/* ---- floats ---- */

static void across_reals(const axis *a, const float *in, float *out)
{
    for (int64_t i = 0; i < a->count; i++) {
        const float *weight = a->weight.real + i * a->most, *value = in + a->first[i];
        float sum = 0;
        for (int32_t t = 0; t < a->used[i]; t++)
            sum += value[t] * weight[t];
        out[i] = sum;
    }
}

static void down_reals(const float *rows, int32_t used, const float *weight, int64_t width,
                       float *out)
{
    for (int64_t x = 0; x < width; x++)
        out[x] = rows[x] * weight[0];
    for (int32_t t = 1; t < used; t++)
        for (int64_t x = 0; x < width; x++)
            out[x] += rows[t * width + x] * weight[t];
}

size_t espl__resize_plane_bytes(int64_t height, int64_t width, espl__window window, bool antialias)
{
    const size_t across = (axis_bytes(width, window.whole_width, window.width, antialias) + 63) /
                          64 * 64;
    const size_t down = (axis_bytes(height, window.whole_height, window.height, antialias) + 63) /
                        64 * 64;

    return across + down + (size_t)height * (size_t)window.width * sizeof(float);
}

void espl__resize_plane_in(void *memory, const float *plane, int64_t stride, int64_t height,
                           int64_t width, espl__window window, bool antialias, float *result)
{
    const size_t across = (axis_bytes(width, window.whole_width, window.width, antialias) + 63) /
                          64 * 64;
    const size_t down = (axis_bytes(height, window.whole_height, window.height, antialias) + 63) /
                        64 * 64;
    axis horizontal = axis_in(memory, width, window.whole_width, window.width, antialias);
    axis vertical = axis_in((char *)memory + across, height, window.whole_height, window.height,
                            antialias);
    float *rows = (float *)((char *)memory + across + down);
    int64_t from = 0, to = 0;

    fill_real(&horizontal, width, window.whole_width, window.left, antialias);
    fill_real(&vertical, height, window.whole_height, window.top, antialias);
    rows_needed(&vertical, &from, &to);
    for (int64_t y = from; y < to; y++)
        across_reals(&horizontal, plane + y * stride, rows + (y - from) * window.width);
    for (int64_t i = 0; i < window.height; i++)
        down_reals(rows + (vertical.first[i] - from) * window.width, vertical.used[i],
                   vertical.weight.real + i * vertical.most, window.width,
                   result + i * window.width);
}

espl_status espl__resize_plane(const float *plane, int64_t stride, int64_t height, int64_t width,
                               espl__window window, bool antialias, float *result,
                               espl__reading *reading)
{
    void *memory = espl__reading_room(reading, ESPL__READING_RESIZED,
                                      espl__resize_plane_bytes(height, width, window, antialias));

    if (!memory)
        return ESPL_NO_MEMORY;
    espl__resize_plane_in(memory, plane, stride, height, width, window, antialias, result);
    return ESPL_OK;
}
