/* max_pool and avg_pool where channels lie together (blocked or channels last): a window slides over
 * pixels, and at each of them a vector of channels is looked at. */
#include "kernels/vector/vector.h"
#include "ops/pool.h"

/* Both tensors as groups of `block` channels; `some` < LANES are left over at the end of each group. */
typedef struct pooling {
    espl__window window;
    int64_t groups, block, whole, some; /* groups: of all samples of the shard */
    int64_t height, width, out_height, out_width;
} pooling;

static __attribute__((noinline)) bool lies_together(const espl__case *at)
{
    const int64_t block = at->input_block[0];

    return block >= 4 && (block == at->output_block || espl__shape_pixels(at->output) == 1);
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && lies_together(at);
}

static espl_status prepare_max(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    (void)ctx, (void)state;
    needs->saved = (size_t)(at->samples * espl__shape_size(at->output)) * sizeof(espl__pool_tap);
    return ESPL_OK;
}

static pooling describe(const espl__call *call)
{
    const espl__case *at = call->at;
    const int64_t block = at->input_block[0];

    return (pooling){ .window = espl__pool_window(call->node->attributes),
                      .groups = call->samples * at->input[0].dim[0] / block,
                      .block = block,
                      .whole = block / LANES * LANES,
                      .some = block % LANES,
                      .height = at->input[0].dim[1],
                      .width = at->input[0].dim[2],
                      .out_height = at->output.dim[1],
                      .out_width = at->output.dim[2] };
}

/* The part of a window along one axis that lies on the input: taps [begin, end). */
typedef struct span {
    int64_t first, begin, end;
} span;

ESPL__INLINE span span_of(const pooling *p, int axis, int64_t o)
{
    const int64_t size = axis ? p->width : p->height;
    const int64_t first = o * p->window.stride[axis] - p->window.before[axis];
    const int64_t past = size - first;

    return (span){ first, first < 0 ? -first : 0, past < p->window.kernel[axis] ? past : p->window.kernel[axis] };
}

ESPL__INLINE vec load_lanes(const stored *from, int64_t count)
{
    return count == LANES ? v_get(from) : v_get_some(from, count);
}

ESPL__INLINE void store_lanes(stored *to, vec value, int64_t count)
{
    if (count == LANES)
        v_put(to, value);
    else
        v_put_some(to, value, count);
}

/* ---- max ---- */

/* The first largest value of the window, lane by lane, and its tap. */
ESPL__INLINE void max_of_window(const pooling *p, const stored *x, span v, span h, stored *y,
                                espl__pool_tap *saved, int64_t lanes)
{
    vec largest = { 0 };
    vec_mask taps = { 0 };
    bool begun = false;

    for (int64_t ky = v.begin; ky < v.end; ky++)
        for (int64_t kx = h.begin; kx < h.end; kx++) {
            const vec value = load_lanes(x + ((v.first + ky) * p->width + h.first + kx) * p->block, lanes);
            const int32_t tap = (int32_t)(ky * p->window.kernel[1] + kx);
            const vec_mask all = (vec_mask){ 0 } + tap;
            const vec_mask more = begun ? value > largest : (vec_mask){ 0 } - 1;
            largest = (vec)(((vec_mask)value & more) | ((vec_mask)largest & ~more));
            taps = (all & more) | (taps & ~more);
            begun = true;
        }
    store_lanes(y, largest, lanes);
    for (int64_t l = 0; saved && l < lanes; l++)
        saved[l] = (espl__pool_tap)taps[l];
}

static void max_forward(const espl__call *call)
{
    const pooling p = describe(call);
    stored *y = stored_at(call->output);
    espl__pool_tap *saved = call->saved;

    for (int64_t g = 0; g < p.groups; g++) {
        const stored *x = stored_in(call->inputs[0]) + g * p.height * p.width * p.block;
        for (int64_t oy = 0; oy < p.out_height; oy++)
            for (int64_t ox = 0; ox < p.out_width; ox++) {
                const span v = span_of(&p, 0, oy), h = span_of(&p, 1, ox);
                for (int64_t l = 0; l < p.whole; l += LANES)
                    max_of_window(&p, x + l, v, h, y + l, saved ? saved + l : NULL, LANES);
                if (p.some)
                    max_of_window(&p, x + p.whole, v, h, y + p.whole, saved ? saved + p.whole : NULL, p.some);
                y += p.block;
                saved = saved ? saved + p.block : NULL;
            }
    }
}

static void max_backward(const espl__call *call)
{
    const pooling p = describe(call);
    const stored *dy = stored_in(call->grad_output);
    const espl__pool_tap *saved = call->saved;
    stored *dx = stored_at(call->grad_inputs[0]);
    const int64_t plane = p.height * p.width * p.block;

    memset(dx, 0, (size_t)(p.groups * plane) * sizeof *dx);
    for (int64_t g = 0; g < p.groups; g++, dx += plane)
        for (int64_t oy = 0; oy < p.out_height; oy++)
            for (int64_t ox = 0; ox < p.out_width; ox++, dy += p.block, saved += p.block) {
                const int64_t y0 = span_of(&p, 0, oy).first, x0 = span_of(&p, 1, ox).first;
                for (int64_t l = 0; l < p.block; l++) {
                    const int64_t iy = y0 + saved[l] / p.window.kernel[1];
                    const int64_t ix = x0 + saved[l] % p.window.kernel[1];
                    stored *to = dx + (iy * p.width + ix) * p.block + l;
                    put_one(to, get_one(to) + get_one(dy + l));
                }
            }
}

/* ---- mean ---- */

/* How many values the mean of a window divides by along one axis. */
static int64_t counted(const pooling *p, const espl__pool *a, int axis, span s)
{
    const int64_t padded = (axis ? p->width : p->height) + p->window.after[axis] - s.first;

    if (!a->count_padding)
        return s.end - s.begin;
    return padded < p->window.kernel[axis] ? padded : p->window.kernel[axis];
}

static void mean_forward(const espl__call *call)
{
    const pooling p = describe(call);
    const espl__pool *a = call->node->attributes;
    stored *y = stored_at(call->output);

    for (int64_t g = 0; g < p.groups; g++) {
        const stored *x = stored_in(call->inputs[0]) + g * p.height * p.width * p.block;
        for (int64_t oy = 0; oy < p.out_height; oy++)
            for (int64_t ox = 0; ox < p.out_width; ox++, y += p.block) {
                const span v = span_of(&p, 0, oy), h = span_of(&p, 1, ox);
                const vec share = v_all(1.0f / (float)(counted(&p, a, 0, v) * counted(&p, a, 1, h)));
                for (int64_t l = 0; l < p.block; l += LANES) {
                    const int64_t lanes = l < p.whole ? LANES : p.some;
                    vec sum = { 0 };
                    for (int64_t ky = v.begin; ky < v.end; ky++)
                        for (int64_t kx = h.begin; kx < h.end; kx++)
                            sum += load_lanes(x + ((v.first + ky) * p.width + h.first + kx) * p.block + l, lanes);
                    store_lanes(y + l, sum * share, lanes);
                }
            }
    }
}

ESPL__INLINE void spread(const pooling *p, const stored *dy, stored *dx, span v, span h, float share)
{
    for (int64_t ky = v.begin; ky < v.end; ky++)
        for (int64_t kx = h.begin; kx < h.end; kx++) {
            stored *to = dx + ((v.first + ky) * p->width + h.first + kx) * p->block;
            for (int64_t l = 0; l < p->block; l += LANES) {
                const int64_t lanes = l < p->whole ? LANES : p->some;
                store_lanes(to + l, load_lanes(to + l, lanes) + load_lanes(dy + l, lanes) * share, lanes);
            }
        }
}

static void mean_backward(const espl__call *call)
{
    const pooling p = describe(call);
    const espl__pool *a = call->node->attributes;
    const stored *dy = stored_in(call->grad_output);
    stored *dx = stored_at(call->grad_inputs[0]);
    const int64_t plane = p.height * p.width * p.block;

    memset(dx, 0, (size_t)(p.groups * plane) * sizeof *dx);
    for (int64_t g = 0; g < p.groups; g++, dx += plane)
        for (int64_t oy = 0; oy < p.out_height; oy++)
            for (int64_t ox = 0; ox < p.out_width; ox++, dy += p.block) {
                const span v = span_of(&p, 0, oy), h = span_of(&p, 1, ox);
                spread(&p, dy, dx, v, h, 1.0f / (float)(counted(&p, a, 0, v) * counted(&p, a, 1, h)));
            }
}

const espl__kernel ESPL__KERNEL(vector_max_pool_forward) = {
    .name = ESPL__KERNEL_NAME("vector_max_pool_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "max_pool",
    .role = ESPL__FORWARD,
    .fits = fits,
    .prepare = prepare_max,
    .run = max_forward,
};

const espl__kernel ESPL__KERNEL(vector_max_pool_backward) = {
    .name = ESPL__KERNEL_NAME("vector_max_pool_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "max_pool",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = max_backward,
};

const espl__kernel ESPL__KERNEL(vector_avg_pool_forward) = {
    .name = ESPL__KERNEL_NAME("vector_avg_pool_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "avg_pool",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = mean_forward,
};

const espl__kernel ESPL__KERNEL(vector_avg_pool_backward) = {
    .name = ESPL__KERNEL_NAME("vector_avg_pool_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "avg_pool",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = mean_backward,
};
