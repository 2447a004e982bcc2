/* Two passes, first along the rows, then along the columns. For every result position an axis has a
 * few taps: where they begin, how many there are, and their weights, which sum to one.
 *
 * The triangle filter: the weight of input x for output i falls linearly with the distance of their
 * centres, |x + 1/2 - c_i| with c_i = (i + 1/2) * in/out, and reaches zero at max(1, in/out). */
#include "data/resample.h"

#include <math.h>
#include <string.h>

#define FIXED_BITS 22 /* 8 bits of pixel, 22 of weight and 2 to spare make 32 */

typedef struct axis {
    int64_t count, most; /* results, and most taps one of them has */
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
        for (int32_t t = 0; t < a->used[i]; t++)
            a->weight.fixed[i * a->most + t] = (int32_t)(0.5 + a->row[t] * (1 << FIXED_BITS));
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

static void across_colour(const axis *a, const uint8_t *in, uint8_t *out)
{
    for (int64_t i = 0; i < a->count; i++) {
        const int32_t *weight = a->weight.fixed + i * a->most;
        const uint8_t *pixel = in + (int64_t)a->first[i] * 3;
        int32_t red = 1 << (FIXED_BITS - 1), green = red, blue = red;
        for (int32_t t = 0; t < a->used[i]; t++, pixel += 3) {
            red += pixel[0] * weight[t];
            green += pixel[1] * weight[t];
            blue += pixel[2] * weight[t];
        }
        out[3 * i] = byte_of(red);
        out[3 * i + 1] = byte_of(green);
        out[3 * i + 2] = byte_of(blue);
    }
}

/* One result row of the vertical pass: `rows` input rows of `bytes` values lie one after the other.
 */
static void down_bytes(const uint8_t *rows, int32_t used, const int32_t *weight, int64_t bytes,
                       int32_t *sums)
{
    for (int64_t x = 0; x < bytes; x++)
        sums[x] = 1 << (FIXED_BITS - 1);
    for (int32_t t = 0; t < used; t++) {
        const uint8_t *row = rows + t * bytes;
        const int32_t w = weight[t];
        for (int64_t x = 0; x < bytes; x++)
            sums[x] += row[x] * w;
    }
}

static void spread_row(const int32_t *sums, int64_t channels, int64_t width, int64_t plane,
                       float *row)
{
    if (channels == 3)
        for (int64_t x = 0; x < width; x++) {
            row[x] = byte_of(sums[3 * x]);
            row[plane + x] = byte_of(sums[3 * x + 1]);
            row[2 * plane + x] = byte_of(sums[3 * x + 2]);
        }
    else
        for (int64_t x = 0; x < width; x++)
            row[x] = byte_of(sums[x]);
}

/* The horizontal pass, or the window's columns as they are when the width stays (weights would be
 * one). */
static void across_rows(const axis *a, const uint8_t *pixels, int64_t channels, int64_t width,
                        espl__window window, int64_t from, int64_t to, uint8_t *result)
{
    const int64_t bytes = window.width * channels;

    for (int64_t y = from; y < to; y++, result += bytes) {
        const uint8_t *row = pixels + y * width * channels;
        if (window.whole_width == width)
            memcpy(result, row + window.left * channels, (size_t)bytes);
        else if (channels == 3)
            across_colour(a, row, result);
        else
            across_grey(a, row, result);
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
    int64_t from = 0, to = 0;

    if (!memory)
        return ESPL_NO_MEMORY;
    axis horizontal = axis_in(memory, width, window.whole_width, window.width, true);
    axis vertical = axis_in(memory + across, height, window.whole_height, window.height, true);
    fill_fixed(&horizontal, width, window.whole_width, window.left);
    fill_fixed(&vertical, height, window.whole_height, window.top);
    rows_needed(&vertical, &from, &to);
    int32_t *sums = espl__reading_room(reading, ESPL__READING_RESIZED,
                                       (size_t)bytes * (sizeof(int32_t) + (size_t)(to - from)));
    if (!sums)
        return ESPL_NO_MEMORY;
    uint8_t *rows = (uint8_t *)(sums + bytes);
    across_rows(&horizontal, pixels, channels, width, window, from, to, rows);
    for (int64_t i = 0; i < window.height; i++) {
        down_bytes(rows + (vertical.first[i] - from) * bytes, vertical.used[i],
                   vertical.weight.fixed + i * vertical.most, bytes, sums);
        spread_row(sums, channels, window.width, window.height * window.width,
                   planes + i * window.width);
    }
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
