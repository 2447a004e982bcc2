/* conv2d by tiles (winograd.h): the output from the input, and the gradient of the input from that of the
 * output, which is the same computation with the filter turned around and both sides exchanged. */
#include "kernels/vector/winograd.h"
#include "kernels/vector/winograd_transforms.h"

#include <math.h>

/* Pixels of a run of tiles, where they cannot go straight to the picture. */
#define STRIP_WIDTH (TILE * RUN_TILES)

/* `packed`: U as [frequency][panel][channel in][columns], then a shift for every channel out. */
static int64_t filters_size(const winograd *w)
{
    return FREQUENCIES * w->filter_plane;
}

/* First column of a panel, in vectors, and how many it has. */
ESPL__INLINE int64_t panel_vectors(int64_t channels, int64_t first)
{
    const int64_t left = channels / LANES - first;

    return left < PANEL ? left : PANEL;
}

/* What the batch norm folded in multiplies each channel out by. */
static double folded_scale(const espl__call *call, int64_t channel)
{
    const espl__conv2d *a = call->node->attributes;
    float *const *p = call->parameters + (a->bias ? 2 : 1);

    return a->folded ? p[0][channel] / sqrt(p[3][channel] + a->epsilon) : 1;
}

static float folded_shift(const espl__call *call, int64_t channel)
{
    const espl__conv2d *a = call->node->attributes;
    const double bias = a->bias ? call->parameters[1][channel] : 0;
    float *const *p = call->parameters + (a->bias ? 2 : 1);

    return (float)(a->folded ? (bias - p[2][channel]) * folded_scale(call, channel) + p[1][channel] : bias);
}

/* U of one channel read and `some` channels written. `far` and `near` are the distances between channels
 * written and taps in the canonical weights: both may run backwards. */
ESPL__INLINE void pack_filter(const float *weight, int64_t far, int64_t near, int64_t some, vec scale, float *u,
                              int64_t plane)
{
    vec taps[TAPS * TAPS], all[FREQUENCIES];

    for (int i = 0; i < TAPS * TAPS; i++) {
        float lanes[LANES] = { 0 };
        for (int l = 0; l < some; l++)
            lanes[l] = weight[l * far + i * near];
        taps[i] = v_load(lanes) * scale;
    }
    transform_filter(taps, all);
    for (int f = 0; f < FREQUENCIES; f++)
        v_store(u + f * plane, all[f]);
}

static void pack(const espl__call *call)
{
    const winograd w = winograd_of(call->at);
    const bool back = call->at->role == ESPL__BACKWARD_INPUTS;
    const int64_t from = w.from.channels, to = w.to.channels;
    float *u = call->packed, *shift = u + filters_size(&w);

    memset(u, 0, (size_t)(filters_size(&w) + w.to.padded) * sizeof(float));
    for (int64_t k = 0; k < to; k += LANES) {
        const int64_t panel = k / LANES / PANEL * PANEL, vectors = panel_vectors(w.to.padded, panel);
        const int64_t some = to - k < LANES ? to - k : LANES;
        float scale[LANES] = { 0 };
        for (int l = 0; l < some; l++) {
            scale[l] = back ? 1 : (float)folded_scale(call, k + l);
            shift[k + l] = back ? 0 : folded_shift(call, k + l);
        }
        for (int64_t c = 0; c < from; c++) {
            const float *weight = call->parameters[0] + (back ? (c * to + k + 1) * TAPS * TAPS - 1 : (k * from + c) * TAPS * TAPS);
            float *at = u + panel * LANES * w.from.padded + c * vectors * LANES + k % (PANEL * LANES);
            if (back) /* weight (c, k, taps backwards) */
                pack_filter(weight, TAPS * TAPS, -1, some, v_load(scale), at, w.filter_plane);
            else
                pack_filter(weight, from * TAPS * TAPS, 1, some, v_load(scale), at, w.filter_plane);
        }
    }
}

/* M of `count` tiles. */
static void multiply(const winograd *w, const float *u, const float *v, int64_t count, float *m)
{
    for (int f = 0; f < FREQUENCIES; f++) {
        for (int64_t first = 0; first < w->to.padded / LANES; first += PANEL) {
            const product p = { .a = v + f * w->from_plane,
                                .b = u + f * w->filter_plane + first * LANES * w->from.padded,
                                .c = m + f * w->to_plane + first * w->batch * LANES,
                                .rows = count,
                                .steps = w->from.channels,
                                .vectors = panel_vectors(w->to.padded, first),
                                .a_group = w->batch * LANES,
                                .c_vector = w->batch * LANES };
            product_rows(&p);
        }
    }
}

/* What is done to a value before it is written. */
typedef struct finish {
    const float *shift;     /* of each channel, or NULL: nothing is to be done */
    const stored *residual; /* laid out as the output, or NULL */
    int activation;
} finish;

/* Y = A' M A: TILE x TILE pixels at y, `pixel` numbers apart, `row` numbers from row to row; or `in_strip`, to be finished
 * before they are rounded. */
ESPL__INLINE void output_tile(const float *m, int64_t plane, bool in_strip, stored *y, float *strip, int64_t row,
                              int64_t pixel)
{
    vec columns[POINTS][TILE];

    for (int j = 0; j < POINTS; j++, m = v_anchor_const(m + plane)) {
        vec line[POINTS];
        for (int i = 0; i < POINTS; i++)
            line[i] = v_load(m + POINTS * i * plane);
        output_line(line, columns[j]);
    }
    for (int i = 0; i < TILE; i++) {
        vec line[POINTS], pixels[TILE];
        for (int j = 0; j < POINTS; j++)
            line[j] = columns[j][i];
        output_line(line, pixels);
        for (int j = 0; j < TILE; j++)
            if (in_strip)
                v_store(strip + i * row + j * pixel, pixels[j]);
            else
                v_put(y + i * row + j * pixel, pixels[j]);
    }
}

static ESPL__APART void output_run(const float *m, int64_t plane, stored *y, int64_t row, int64_t tiles)
{
    for (int64_t i = 0; i < tiles; i++)
        output_tile(m + i * LANES, plane, false, y + i * TILE * LANES, NULL, row, LANES);
}

static ESPL__APART void output_strip(const float *m, int64_t plane, float *strip, int64_t tiles)
{
    for (int64_t i = 0; i < tiles; i++)
        output_tile(m + i * LANES, plane, true, NULL, strip + i * TILE * LANES, STRIP_WIDTH * LANES, LANES);
}

static ESPL__APART void output_run_apart(const float *m, int64_t plane, stored *y, int64_t row, int64_t pixel,
                                         int64_t tiles)
{
    for (int64_t i = 0; i < tiles; i++)
        output_tile(m + i * LANES, plane, false, y + i * TILE * pixel, NULL, row, pixel);
}

/* What of the strip lies in the picture goes there, finished. `place` is where the run begins in y. */
static void copy_back(const picture *p, const finish *by, const float *strip, const run *r, int64_t channel,
                      int64_t place, stored *y)
{
    const int64_t rows = p->height - r->row < TILE ? p->height - r->row : TILE;
    const int64_t right = p->width - r->column, columns = right < TILE * r->tiles ? right : TILE * r->tiles;
    const int64_t some = p->channels - channel;
    const vec shift = by->shift ? v_load(by->shift + channel) : (vec){ 0 };

    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t at = place + (i * p->width + j) * p->block;
            vec value = v_load(strip + (i * STRIP_WIDTH + j) * LANES);
            if (by->shift)
                value += shift;
            if (by->residual)
                value += some < LANES ? v_get_some(by->residual + at, some) : v_get(by->residual + at);
            value = v_activate(by->activation, value);
            if (some < LANES)
                v_put_some(y + at, value, some);
            else
                v_put(y + at, value);
        }
}

ESPL__INLINE int64_t place_of(const picture *p, const run *r)
{
    return r->sample * p->size + (r->row * p->width + r->column) * p->block;
}

/* Asks for the lines that a run will write: memory takes its time to hand over lines for writing. */
ESPL__INLINE void ask_ahead(const picture *p, int64_t tiles, const stored *y)
{
    for (int row = 0; row < TILE; row++, y += p->width * p->block)
        for (int64_t i = 0; i < TILE * tiles * p->block; i += 64 / (int64_t)sizeof *y)
            __builtin_prefetch(y + i, 1);
}

/* All channels of a run of tiles; `next` is where the run behind it begins in y. */
static void output_channels(const winograd *w, const finish *by, const float *m, const run *r, int64_t next, stored *y)
{
    const picture *p = &w->to;
    const bool straight = !by->shift && r->row + TILE <= p->height && r->column + TILE * r->tiles <= p->width;
    float strip[TILE * STRIP_WIDTH * LANES];
    int64_t place = place_of(p, r);

    for (int64_t channel = 0; channel < p->channels; channel += LANES, m += w->batch * LANES) {
        const bool last = channel + LANES == p->channels;
        if (p->block == LANES)
            ask_ahead(p, r->tiles, y + (last ? next : place + p->group_step));
        if (straight && p->block == LANES) {
            output_run(m, w->to_plane, y + place, p->width * LANES, r->tiles);
        } else if (straight && channel + LANES <= p->channels) {
            output_run_apart(m, w->to_plane, y + place, p->width * p->block, p->block, r->tiles);
        } else {
            output_strip(m, w->to_plane, strip, r->tiles);
            copy_back(p, by, strip, r, channel, place, y);
        }
        place += p->group_step;
    }
}

static void transform_outputs(const winograd *w, const finish *by, const float *m, int64_t first, int64_t count,
                              stored *y)
{
    run r = run_at(w, first, count);

    for (int64_t done = 0; done < count;) {
        const run next = run_at(w, first + done + r.tiles, count - done - r.tiles);
        output_channels(w, by, m + done * LANES, &r, place_of(&w->to, &next), y);
        done += r.tiles;
        r = next;
    }
}

static void convolve(const espl__call *call, const stored *x, stored *y, int samples, const finish *by)
{
    const winograd w = winograd_of(call->at);
    float *v = call->workspace, *m = v + FREQUENCIES * w.from_plane;
    const int64_t all = samples * w.in_sample;

    for (int64_t first = 0; first < all; first += w.batch) {
        const int64_t count = all - first < w.batch ? all - first : w.batch;
        winograd_inputs(&w, x, first, count, v);
        multiply(&w, call->packed, v, count, m);
        transform_outputs(&w, by, m, first, count, y);
    }
}

static void forward(const espl__call *call)
{
    const winograd w = winograd_of(call->at);
    const espl__conv2d *a = call->node->attributes;
    const stored *residual = call->at->input_count > 1 ? stored_in(call->inputs[1]) : NULL;
    const bool plain = !a->bias && !a->folded && !residual && a->activation == ESPL__NO_ACTIVATION;
    const finish by = { plain ? NULL : (float *)call->packed + filters_size(&w), residual, a->activation };

    convolve(call, stored_in(call->inputs[0]), stored_at(call->output), call->samples, &by);
}

static void backward_inputs(const espl__call *call)
{
    const finish nothing = { 0 };
    const int64_t size = espl__shape_size(call->at->input[0]);

    stored *dx = stored_at(call->grad_inputs[0]);

    if (!dx)
        return;
    convolve(call, stored_in(call->grad_output), dx, call->valid, &nothing);
    memset(dx + call->valid * size, 0, (size_t)((call->samples - call->valid) * size) * sizeof *dx);
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const winograd w = winograd_of(at);

    (void)ctx;
    *state = NULL;
    needs->packed = (size_t)(filters_size(&w) + w.to.padded) * sizeof(float);
    needs->workspace = (size_t)(FREQUENCIES * (w.from_plane + w.to_plane)) * sizeof(float);
    return ESPL_OK;
}

static ESPL__APART bool suits_forward(const espl__case *at)
{
    return winograd_suits(at) && (at->input_count < 2 || at->input_block[1] == at->output_block);
}

/* A fused activation would have to be undone first. */
static ESPL__APART bool suits_backward(const espl__case *at)
{
    const espl__conv2d *a = at->node->attributes;

    return winograd_suits(at) && at->input_count == 1 && a->activation == ESPL__NO_ACTIVATION &&
           !a->folded;
}

static bool fits_forward(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits_forward(at);
}

static bool fits_backward(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits_backward(at);
}

const espl__kernel WINOGRAD_KERNEL(conv2d_forward) = {
    .name = ESPL__KERNEL_NAME(WINOGRAD "_conv2d_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "conv2d",
    .role = ESPL__FORWARD,
    .fits = fits_forward,
    .pays = winograd_pays,
    .prepare = prepare,
    .pack = pack,
    .run = forward,
};

const espl__kernel WINOGRAD_KERNEL(conv2d_backward_inputs) = {
    .name = ESPL__KERNEL_NAME(WINOGRAD "_conv2d_backward_inputs"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "conv2d",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits_backward,
    .pays = winograd_pays,
    .prepare = prepare,
    .pack = pack,
    .run = backward_inputs,
};
