/* Depthwise 3x3 convolution (one filter a channel), stride 1 or 2, where channels lie in blocks of LANES or are
 * a multiple of it channels-last: a group of LANES channels is a picture of vectors. Such a convolution is bound
 * by memory, so four pixels are computed at a time from pixels loaded once. The gradient of the input is, at
 * stride 1, the same with the filter turned around; at stride 2 every pixel of the output gives to 3x3 pixels
 * of the input, of which rows and columns of one parity overlap. */
#include "kernels/vector/activation.h"

#include <math.h>

/* Both sides of the sum. `before` may be negative: pixels that nobody reads. */
typedef struct depthwise {
    int64_t channels, stride;
    int64_t height, width, out_height, out_width; /* read, and written */
    int64_t before[2];
    int64_t pixel, group, out_group; /* floats from pixel to pixel, and from LANES channels to the next */
} depthwise;

static depthwise depthwise_of(const espl__case *at)
{
    const espl__window window = espl__conv2d_window(at->node->attributes, at->input[0].dim[0]);
    const int64_t *in = at->input[0].dim, *out = at->output.dim, block = at->output_block;

    return (depthwise){ .channels = in[0],
                        .stride = window.stride[0],
                        .height = in[1],
                        .width = in[2],
                        .out_height = out[1],
                        .out_width = out[2],
                        .before = { window.before[0], window.before[1] },
                        .pixel = block,
                        .group = block == LANES ? in[1] * in[2] * LANES : LANES,
                        .out_group = block == LANES ? out[1] * out[2] * LANES : LANES };
}

/* Stride 1, seen from the gradient of the output. */
static depthwise turned(depthwise d)
{
    return (depthwise){ .channels = d.channels,
                        .stride = 1,
                        .height = d.out_height,
                        .width = d.out_width,
                        .out_height = d.height,
                        .out_width = d.width,
                        .before = { 2 - d.before[0], 2 - d.before[1] },
                        .pixel = d.pixel,
                        .group = d.out_group,
                        .out_group = d.group };
}

/* What is done to a value before it is written. */
typedef struct finish {
    vec shift;
    const stored *residual; /* laid out as the output, or NULL */
    int activation;
} finish;

ESPL__INLINE void write_pixel(stored *y, const stored *residual, vec value, const finish *by)
{
    if (residual)
        value += v_get(residual);
    v_put(y, v_activate(by->activation, value));
}

/* The rows of the filter that fall on the picture at row `first`. */
ESPL__INLINE int64_t row_begin(int64_t first)
{
    return first < 0 ? (first < -3 ? 3 : -first) : 0;
}

ESPL__INLINE int64_t row_end(int64_t first, int64_t size)
{
    return size - first < 3 ? size - first : 3;
}

/* One pixel, wherever its window lies. `w` holds nine vectors; x is the pixel (0, 0). */
ESPL__INLINE vec edge_pixel(const depthwise *d, const stored *x, const float *w, int64_t row, int64_t column, vec sum)
{
    for (int64_t a = row_begin(row); a < row_end(row, d->height); a++)
        for (int64_t b = row_begin(column); b < row_end(column, d->width); b++)
            sum = v_fma(v_get(x + ((row + a) * d->width + column + b) * d->pixel), v_load(w + (3 * a + b) * LANES), sum);
    return sum;
}

/* Four pixels whose windows lie within the picture's columns. */
ESPL__INLINE void four_pixels(const depthwise *d, const stored *x, const float *w, int64_t row, int64_t column,
                              const int stride, int64_t pixel, vec sum[4])
{
    for (int64_t a = row_begin(row); a < row_end(row, d->height); a++) {
        const stored *line = x + ((row + a) * d->width + column) * pixel;
        const vec w0 = v_load(w + 3 * a * LANES), w1 = v_load(w + (3 * a + 1) * LANES), w2 = v_load(w + (3 * a + 2) * LANES);
        vec pixels[9];
        for (int j = 0; j < 3 * stride + 3; j++)
            pixels[j] = v_get(line + j * pixel);
        for (int j = 0; j < 4; j++)
            sum[j] = v_fma(pixels[stride * j + 2], w2, v_fma(pixels[stride * j + 1], w1, v_fma(pixels[stride * j], w0, sum[j])));
    }
}

ESPL__INLINE void output_row(const depthwise *d, const stored *x, const float *w, stored *y, int64_t row, const int stride,
                             int64_t pixel, const finish *by)
{
    const int64_t top = row * stride - d->before[0];
    /* windows of columns [inner, outer) lie within the picture */
    const int64_t inner = d->before[1] <= 0 ? 0 : (d->before[1] + stride - 1) / stride;
    const int64_t outer = (d->width - 3 + d->before[1] + stride) / stride;
    int64_t i = 0;

    y += row * d->out_width * pixel;
    while (i < d->out_width) {
        const stored *residual = by->residual ? by->residual + (row * d->out_width + i) * pixel : NULL;
        if (i >= inner && i + 4 <= outer && i + 4 <= d->out_width) {
            vec sum[4] = { by->shift, by->shift, by->shift, by->shift };
            four_pixels(d, x, w, top, i * stride - d->before[1], stride, pixel, sum);
            for (int j = 0; j < 4; j++)
                write_pixel(y + (i + j) * pixel, residual ? residual + j * pixel : NULL, sum[j], by);
            i += 4;
        } else {
            const vec sum = edge_pixel(d, x, w, top, i * stride - d->before[1], by->shift);
            write_pixel(y + i * pixel, residual, sum, by);
            i++;
        }
    }
}

static ESPL__APART void output_group(const depthwise *d, const stored *x, const float *w, stored *y, const finish *by)
{
    for (int64_t row = 0; row < d->out_height; row++) {
        if (d->pixel == LANES && d->stride == 1)
            output_row(d, x, w, y, row, 1, LANES, by);
        else if (d->pixel == LANES)
            output_row(d, x, w, y, row, 2, LANES, by);
        else if (d->stride == 1)
            output_row(d, x, w, y, row, 1, d->pixel, by);
        else
            output_row(d, x, w, y, row, 2, d->pixel, by);
    }
}

/* `packed`: nine vectors for each group of channels; in the forward role then the shift of each channel. */
static void convolve(const depthwise *d, const stored *x, const float *packed, stored *y, int samples, int activation,
                     const stored *residual)
{
    const float *shift = packed + 9 * d->channels;

    for (int n = 0; n < samples; n++)
        for (int64_t c = 0; c < d->channels; c += LANES) {
            const int64_t out = n * d->channels * d->out_height * d->out_width + c / LANES * d->out_group;
            const stored *in = x + n * d->channels * d->height * d->width + c / LANES * d->group;
            const finish by = { v_load(shift + c), residual ? residual + out : NULL, activation };
            output_group(d, in, packed + 9 * c, y + out, &by);
        }
}

/* ---- the gradient of the input at stride 2 ---- */

/* One row of dy and the row of the filter through which it reaches a row of dx. */
typedef struct source {
    const stored *line;
    const float *w; /* three vectors */
} source;

/* At most two rows of dy reach row `row` of dx: tap a from row (row + before - a) / 2. */
ESPL__INLINE int sources_of(const depthwise *d, const stored *dy, const float *w, int64_t row, source from[2])
{
    int count = 0;

    for (int64_t a = (row + d->before[0]) & 1; a < 3; a += 2) {
        const int64_t at = (row + d->before[0] - a) / 2;
        if (row + d->before[0] - a >= 0 && at < d->out_height)
            from[count++] = (source){ dy + at * d->out_width * d->pixel, w + 3 * a * LANES };
    }
    return count;
}

/* One column of dx, wherever it lies. */
ESPL__INLINE vec edge_column(const depthwise *d, const source *from, int count, int64_t column)
{
    vec sum = { 0 };

    for (int r = 0; r < count; r++)
        for (int64_t b = (column + d->before[1]) & 1; b < 3; b += 2) {
            const int64_t at = (column + d->before[1] - b) / 2;
            if (column + d->before[1] - b >= 0 && at < d->out_width)
                sum = v_fma(v_get(from[r].line + at * d->pixel), v_load(from[r].w + b * LANES), sum);
        }
    return sum;
}

/* Columns 2i - before and the next one, for pixels i from `first` on: the first of them is reached from i - 1
 * as well. `count` is a constant. */
ESPL__INLINE void two_columns(const source *from, const int count, int64_t first, int64_t end, int64_t before,
                              int64_t pixel, stored *dx)
{
    vec w[2][3], last[2];

    for (int r = 0; r < count; r++) {
        for (int b = 0; b < 3; b++)
            w[r][b] = v_load(from[r].w + b * LANES);
        last[r] = v_get(from[r].line + (first - 1) * pixel);
    }
    for (int64_t i = first; i < end; i++) {
        vec even = { 0 }, odd = { 0 };
        for (int r = 0; r < count; r++) {
            const vec here = v_get(from[r].line + i * pixel);
            even = v_fma(here, w[r][0], v_fma(last[r], w[r][2], even));
            odd = v_fma(here, w[r][1], odd);
            last[r] = here;
        }
        v_put(dx + (2 * i - before) * pixel, even);
        v_put(dx + (2 * i - before + 1) * pixel, odd);
    }
}

static void spread_row(const depthwise *d, const stored *dy, const float *w, stored *dx, int64_t row)
{
    /* pixels [first, end) of dy have both of their columns in dx, and one before them */
    const int64_t before = d->before[1], half = (before + 1) >> 1, last = (d->width + before) >> 1;
    const int64_t first = half < 1 ? 1 : half, end = last < d->out_width ? last : d->out_width;
    source from[2];
    const int count = sources_of(d, dy, w, row, from);
    int64_t c = 0;

    dx += row * d->width * d->pixel;
    for (; c < d->width && (first >= end || c < 2 * first - before); c++)
        v_put(dx + c * d->pixel, edge_column(d, from, count, c));
    if (first < end && count == 2)
        two_columns(from, 2, first, end, before, d->pixel, dx);
    else if (first < end && count == 1)
        two_columns(from, 1, first, end, before, d->pixel, dx);
    else if (first < end)
        two_columns(from, 0, first, end, before, d->pixel, dx);
    for (c = first < end ? 2 * end - before : c; c < d->width; c++)
        v_put(dx + c * d->pixel, edge_column(d, from, count, c));
}

static void spread(const depthwise *d, const stored *dy, const float *packed, stored *dx, int samples)
{
    for (int n = 0; n < samples; n++)
        for (int64_t c = 0; c < d->channels; c += LANES) {
            const stored *from = dy + n * d->channels * d->out_height * d->out_width + c / LANES * d->out_group;
            stored *to = dx + n * d->channels * d->height * d->width + c / LANES * d->group;
            for (int64_t row = 0; row < d->height; row++)
                spread_row(d, from, packed + 9 * c, to, row);
        }
}

/* ---- kernels ---- */

/* Taps of LANES channels, times what a batch norm folded in multiplies them by; backwards if `turn`. */
static void pack_taps(const espl__call *call, bool turn)
{
    const espl__conv2d *a = call->node->attributes;
    const int64_t channels = call->at->input[0].dim[0];
    float *const *p = call->parameters + (a->bias ? 2 : 1);
    float *packed = call->packed;

    for (int64_t c = 0; c < channels; c++) {
        const double scale = a->folded ? p[0][c] / sqrt(p[3][c] + a->epsilon) : 1;
        const double bias = a->bias ? call->parameters[1][c] : 0;
        for (int tap = 0; tap < 9; tap++)
            packed[c / LANES * 9 * LANES + tap * LANES + c % LANES] =
                (float)(call->parameters[0][c * 9 + (turn ? 8 - tap : tap)] * scale);
        packed[9 * channels + c] = turn ? 0 : (float)(a->folded ? (bias - p[2][c]) * scale + p[1][c] : bias);
    }
}

static void pack_forward(const espl__call *call)
{
    pack_taps(call, false);
}

static void forward(const espl__call *call)
{
    const espl__conv2d *a = call->node->attributes;
    const depthwise d = depthwise_of(call->at);

    convolve(&d, stored_in(call->inputs[0]), call->packed, stored_at(call->output), call->samples, a->activation,
             call->at->input_count > 1 ? stored_in(call->inputs[1]) : NULL);
}

static void pack_backward(const espl__call *call)
{
    const int64_t channels = call->at->input[0].dim[0];

    pack_taps(call, depthwise_of(call->at).stride == 1);
    memset((float *)call->packed + 9 * channels, 0, (size_t)channels * sizeof(float));
}

static void backward_inputs(const espl__call *call)
{
    const depthwise d = depthwise_of(call->at), back = turned(d);
    const stored *dy = stored_in(call->grad_output);
    stored *dx = stored_at(call->grad_inputs[0]);

    if (!dx)
        return;
    if (d.stride == 1)
        convolve(&back, dy, call->packed, dx, call->samples, ESPL__NO_ACTIVATION, NULL);
    else
        spread(&d, dy, call->packed, dx, call->samples);
}

static ESPL__APART bool is_depthwise(const espl__case *at)
{
    const int64_t channels = at->input[0].dim[0], block = at->output_block;
    const espl__window w = espl__conv2d_window(at->node->attributes, channels);
    bool same = at->output.rank == 3 && at->output.dim[0] == channels && w.groups == channels && channels % LANES == 0;

    for (int i = 0; i < 2; i++)
        same = same && w.kernel[i] == 3 && w.dilation[i] == 1 && w.stride[i] == w.stride[0];
    for (int i = 0; i < at->input_count; i++)
        same = same && at->input_block[i] == block;
    return same && (w.stride[0] == 1 || w.stride[0] == 2) && (block == LANES || block == channels);
}

static ESPL__APART bool suits_backward(const espl__case *at)
{
    const espl__conv2d *a = at->node->attributes;

    return is_depthwise(at) && at->input_count == 1 && a->activation == ESPL__NO_ACTIVATION && !a->folded;
}

static bool fits_forward(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && is_depthwise(at);
}

static bool fits_backward(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits_backward(at);
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    (void)ctx;
    *state = NULL;
    needs->packed = (size_t)(10 * at->input[0].dim[0]) * sizeof(float);
    return ESPL_OK;
}

const espl__kernel ESPL__KERNEL(depthwise_conv2d_forward) = {
    .name = ESPL__KERNEL_NAME("depthwise_conv2d_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "conv2d",
    .role = ESPL__FORWARD,
    .fits = fits_forward,
    .prepare = prepare,
    .pack = pack_forward,
    .run = forward,
};

const espl__kernel ESPL__KERNEL(depthwise_conv2d_backward_inputs) = {
    .name = ESPL__KERNEL_NAME("depthwise_conv2d_backward_inputs"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "conv2d",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits_backward,
    .prepare = prepare,
    .pack = pack_backward,
    .run = backward_inputs,
};
