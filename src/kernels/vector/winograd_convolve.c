/* conv2d by tiles (winograd.h): the output from the input, and the gradient of the input from that of the
 * output, which is the same computation with the filter turned around and both sides exchanged. */
#include "kernels/vector/winograd.h"
#include "kernels/vector/winograd_transforms.h"

#include <math.h>

/* `packed`: U as [frequency][panel][channel in][columns], then a shift for every channel out. */
static int64_t filters_size(const winograd *w)
{
    return FREQUENCIES * w->from.channels * w->to.channels;
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

/* U of one channel read and LANES channels written. `far` and `near` are the distances between channels
 * written and taps in the canonical weights: both may run backwards. */
ESPL__INLINE void pack_filter(const float *weight, int64_t far, int64_t near, vec scale, float *u, int64_t plane)
{
    vec taps[9], all[FREQUENCIES];

    for (int i = 0; i < 9; i++) {
        float lanes[LANES];
        for (int l = 0; l < LANES; l++)
            lanes[l] = weight[l * far + i * near];
        taps[i] = v_load(lanes) * scale;
    }
    transform_filter(taps, all);
    for (int f = 0; f < FREQUENCIES; f++)
        v_store(u + f * plane, all[f]);
}

static void pack(const espl__call *call)
{
    const winograd w = ESPL__VECTOR(winograd_of)(call->at);
    const bool back = call->at->role == ESPL__BACKWARD_INPUTS;
    const int64_t from = w.from.channels, to = w.to.channels;
    float *u = call->packed, *shift = u + filters_size(&w);

    for (int64_t k = 0; k < to; k += LANES) {
        const int64_t panel = k / LANES / PANEL * PANEL, vectors = panel_vectors(to, panel);
        float scale[LANES];
        for (int l = 0; l < LANES; l++) {
            scale[l] = back ? 1 : (float)folded_scale(call, k + l);
            shift[k + l] = back ? 0 : folded_shift(call, k + l);
        }
        for (int64_t c = 0; c < from; c++) {
            float *at = u + panel * LANES * from + c * vectors * LANES + k % (PANEL * LANES);
            if (back) /* weight (c, k, taps backwards) */
                pack_filter(call->parameters[0] + (c * to + k) * 9 + 8, 9, -1, v_load(scale), at, from * to);
            else
                pack_filter(call->parameters[0] + (k * from + c) * 9, from * 9, 1, v_load(scale), at, from * to);
        }
    }
}

/* V of `count` tiles from tile `first` on. */
static void transform_inputs(const winograd *w, const float *x, int64_t first, int64_t count, float *v)
{
    const picture *p = &w->from;
    float copy[FREQUENCIES * LANES];

    for (int64_t group = 0; group < p->channels / LANES; group++) {
        float *to = v + group * w->batch * LANES;
        for (int64_t i = 0; i < count; i++, to += LANES) {
            const tile t = tile_at(w, first + i);
            const int64_t row = t.row - w->before[0], column = t.column - w->before[1];
            const float *from = x + group_place(p, t.sample, group);
            if (tile_inside(p, row, column, 6)) {
                from += (row * p->width + column) * p->block;
                transform_input(from, p->width * p->block, p->block, to, w->from_plane);
            } else {
                copy_tile(from, p, row, column, 6, copy);
                transform_input(copy, 6 * LANES, LANES, to, w->from_plane);
            }
        }
    }
}

/* M of `count` tiles. */
static void multiply(const winograd *w, const float *u, const float *v, int64_t count, float *m)
{
    for (int f = 0; f < FREQUENCIES; f++) {
        for (int64_t first = 0; first < w->to.channels / LANES; first += PANEL) {
            const product p = { .a = v + f * w->from_plane,
                                .b = u + (f * w->to.channels + first * LANES) * w->from.channels,
                                .c = m + f * w->to_plane + first * w->batch * LANES,
                                .rows = count,
                                .steps = w->from.channels,
                                .vectors = panel_vectors(w->to.channels, first),
                                .a_group = w->batch * LANES,
                                .c_vector = w->batch * LANES };
            ESPL__VECTOR(product_forward)
            (&p);
        }
    }
}

/* What is done to a value before it is written. */
typedef struct finish {
    const float *shift;    /* of each channel, or NULL: nothing is to be done */
    const float *residual; /* laid out as the output, or NULL */
    int activation;
} finish;

ESPL__INLINE vec finished(const finish *by, vec y, vec shift, int64_t place)
{
    y += shift;
    if (by->residual)
        y += v_load(by->residual + place);
    return v_activate(by->activation, y);
}

/* Rows `row` and `row` + 2 of a tile, cut at the edges of the picture. */
ESPL__INLINE void write_rows(const winograd *w, const finish *by, bool plain, vec rows[2][4], int64_t place,
                             const tile *t, int half, vec shift, float *y)
{
    const picture *p = &w->to;
    const bool whole = tile_inside(p, t->row, t->column, 4);

    for (int i = 0; i < 2; i++) {
        const int64_t row = t->row + half + 2 * i;
        for (int j = 0; j < 4; j++) {
            const int64_t at = place + (row * p->width + t->column + j) * p->block;
            if (whole || (row < p->height && t->column + j < p->width))
                v_store(y + at, plain ? rows[i][j] : finished(by, rows[i][j], shift, at));
        }
    }
}

ESPL__INLINE void transform_outputs(const winograd *w, const finish *by, bool plain, const float *m, int64_t first,
                                    int64_t count, float *y)
{
    for (int64_t group = 0; group < w->to.channels / LANES; group++) {
        const float *from = m + group * w->batch * LANES;
        const vec shift = plain ? (vec){ 0 } : v_load(by->shift + group * LANES);
        for (int64_t i = 0; i < count; i++, from += LANES) {
            const tile t = tile_at(w, first + i);
            const int64_t place = group_place(&w->to, t.sample, group);
            vec rows[2][4];
            transform_output(from, w->to_plane, 0, rows[0], rows[1]);
            write_rows(w, by, plain, rows, place, &t, 0, shift, y);
            transform_output(from, w->to_plane, 1, rows[0], rows[1]);
            write_rows(w, by, plain, rows, place, &t, 1, shift, y);
        }
    }
}

static void convolve(const espl__call *call, const float *x, float *y, int samples, const finish *by)
{
    const winograd w = ESPL__VECTOR(winograd_of)(call->at);
    float *v = call->workspace, *m = v + FREQUENCIES * w.from_plane;
    const int64_t tiles = samples * w.in_sample;

    for (int64_t first = 0; first < tiles; first += w.batch) {
        const int64_t count = tiles - first < w.batch ? tiles - first : w.batch;
        transform_inputs(&w, x, first, count, v);
        multiply(&w, call->packed, v, count, m);
        if (by->shift)
            transform_outputs(&w, by, false, m, first, count, y);
        else
            transform_outputs(&w, by, true, m, first, count, y);
    }
}

static void forward(const espl__call *call)
{
    const winograd w = ESPL__VECTOR(winograd_of)(call->at);
    const espl__conv2d *a = call->node->attributes;
    const float *residual = call->at->input_count > 1 ? call->inputs[1] : NULL;
    const bool plain = !a->bias && !a->folded && !residual && a->activation == ESPL__NO_ACTIVATION;
    const finish by = { plain ? NULL : (float *)call->packed + filters_size(&w), residual, a->activation };

    convolve(call, call->inputs[0], call->output, call->samples, &by);
}

static void backward_inputs(const espl__call *call)
{
    const finish nothing = { 0 };
    const int64_t size = espl__shape_size(call->at->input[0]);

    if (!call->grad_inputs[0])
        return;
    convolve(call, call->grad_output, call->grad_inputs[0], call->valid, &nothing);
    memset(call->grad_inputs[0] + call->valid * size, 0, (size_t)((call->samples - call->valid) * size) * sizeof(float));
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const winograd w = ESPL__VECTOR(winograd_of)(at);

    (void)ctx;
    *state = NULL;
    needs->packed = (size_t)(filters_size(&w) + w.to.channels) * sizeof(float);
    needs->workspace = (size_t)(FREQUENCIES * (w.from_plane + w.to_plane)) * sizeof(float);
    return ESPL_OK;
}

static ESPL__APART bool suits_forward(const espl__case *at)
{
    return ESPL__VECTOR(winograd_suits)(at) && (at->input_count < 2 || at->input_block[1] == at->output_block);
}

/* A fused activation would have to be undone first. */
static ESPL__APART bool suits_backward(const espl__case *at)
{
    const espl__conv2d *a = at->node->attributes;

    return ESPL__VECTOR(winograd_suits)(at) && at->input_count == 1 && a->activation == ESPL__NO_ACTIVATION &&
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

const espl__kernel ESPL__KERNEL(winograd_conv2d_forward) = {
    .name = ESPL__KERNEL_NAME("winograd_conv2d_forward"),
    .op = "conv2d",
    .role = ESPL__FORWARD,
    .fits = fits_forward,
    .prepare = prepare,
    .pack = pack,
    .run = forward,
};

const espl__kernel ESPL__KERNEL(winograd_conv2d_backward_inputs) = {
    .name = ESPL__KERNEL_NAME("winograd_conv2d_backward_inputs"),
    .op = "conv2d",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits_backward,
    .prepare = prepare,
    .pack = pack,
    .run = backward_inputs,
};
