/* slice, pad and concat of pictures: boxes of values copied from one place to another, forwards and back, as
 * long pieces as both layouts allow. */
#include "kernels/vector/vector.h"
#include "ops/box.h"

/* One side of a copy: a tensor, and where the box lies in it. */
typedef struct side {
    int64_t channels, height, width, block, size;
    int64_t origin[3], step[3];
} side;

/* A stride, if there is one, is a block that holds more channels than the tensor has. */
static side side_of(espl__shape shape, int64_t block, int64_t stride, const int64_t *origin, const int64_t *step)
{
    side s = { .channels = shape.dim[0],
               .height = shape.dim[1],
               .width = shape.dim[2],
               .block = stride                           ? stride
                        : espl__shape_pixels(shape) == 1 ? shape.dim[0]
                                                         : block,
               .size = stride ? espl__shape_pixels(shape) * stride : espl__shape_size(shape) };

    for (int i = 0; i < 3; i++) {
        s.origin[i] = origin[i];
        s.step[i] = step ? step[i] : 1;
    }
    return s;
}

/* Where value (c, 0, 0) of the box lies, and how far it is to the end of its block of channels. */
ESPL__INLINE int64_t place_of(const side *s, int64_t c)
{
    const int64_t channel = s->origin[0] + c;

    return ((channel / s->block * s->height + s->origin[1]) * s->width + s->origin[2]) * s->block + channel % s->block;
}

ESPL__INLINE int64_t left_of(const side *s, int64_t c)
{
    return s->block - (s->origin[0] + c) % s->block;
}

/* `count` pixels of some neighbouring channels. */
static void copy_pixels(const stored *from, int64_t from_step, stored *to, int64_t to_step, int64_t count, int64_t channels)
{
    if (from_step == channels && to_step == channels) {
        memcpy(to, from, (size_t)(count * channels) * sizeof *to);
    } else if (channels == LANES) {
        for (int64_t i = 0; i < count; i++)
            v_put(to + i * to_step, v_get(from + i * from_step));
    } else if (channels == 1) {
        for (int64_t i = 0; i < count; i++)
            to[i * to_step] = from[i * from_step];
    } else {
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, (size_t)channels * sizeof *to);
    }
}

static void copy_box(const int64_t *count, const side *from, const stored *source, const side *to, stored *target)
{
    for (int64_t c = 0, piece; c < count[0]; c += piece) {
        const stored *f = source + place_of(from, c);
        stored *t = target + place_of(to, c);
        piece = left_of(from, c) < left_of(to, c) ? left_of(from, c) : left_of(to, c);
        piece = piece < count[0] - c ? piece : count[0] - c;
        for (int64_t row = 0; row < count[1]; row++)
            copy_pixels(f + row * from->step[1] * from->width * from->block, from->step[2] * from->block,
                        t + row * to->step[1] * to->width * to->block, to->step[2] * to->block, count[2], piece);
    }
}

/* Every block of channels of a sample that the box does not cover whole gets `value`. */
static void fill_around(const int64_t *count, const side *to, stored *target, float value)
{
    const bool wide = count[1] == to->height && count[2] == to->width;
    const int64_t plane = to->height * to->width * to->block;
    stored rounded;

    put_one(&rounded, value);
    for (int64_t c = 0; c < to->channels; c += to->block, target += plane)
        if (!wide || c < to->origin[0] || c + to->block > to->origin[0] + count[0])
            for (int64_t i = 0; i < plane; i++)
                target[i] = rounded;
}

static espl__box box_of(const espl__case *at, int i)
{
    if (espl__text_equal(at->node->op->name, "slice"))
        return espl__slice_box(at->node->attributes, at->input[i]);
    if (espl__text_equal(at->node->op->name, "pad"))
        return espl__pad_box(at->node->attributes, at->input[i]);
    return espl__concat_box(at->input, i);
}

/* Input `i` to its place in the output. */
static void forward_one(const espl__call *call, int i, bool fill, float value)
{
    const espl__case *at = call->at;
    const espl__box box = box_of(at, i);
    const side in = side_of(at->input[i], at->input_block[i], 0, box.source, box.step);
    const side out = side_of(at->output, at->output_block, at->output_stride, box.target, NULL);

    for (int64_t n = 0; n < call->samples; n++) {
        stored *y = stored_at(call->output) + n * out.size;
        if (fill)
            fill_around(box.count, &out, y, value);
        copy_box(box.count, &in, stored_in(call->inputs[i]) + n * in.size, &out, y);
    }
}

static void forward(const espl__call *call)
{
    for (int i = call->at->input_stride ? 1 : 0; i < call->at->input_count; i++) /* the first may lie there already */
        forward_one(call, i, false, 0);
}

static void forward_pad(const espl__call *call)
{
    const espl__pad *a = call->node->attributes;

    forward_one(call, 0, true, (float)a->value);
}

static void backward(const espl__call *call)
{
    const espl__case *at = call->at;

    for (int i = 0; i < at->input_count; i++) {
        const espl__box box = box_of(at, i);
        const side in = side_of(at->input[i], at->input_block[i], 0, box.source, box.step);
        const side out = side_of(at->output, at->output_block, at->output_stride, box.target, NULL);
        stored *dx = stored_at(call->grad_inputs[i]);
        for (int64_t n = 0; dx && n < call->samples; n++, dx += in.size) {
            fill_around(box.count, &in, dx, 0);
            copy_box(box.count, &out, stored_in(call->grad_output) + n * out.size, &in, dx);
        }
    }
}

static ESPL__APART bool pictures(const espl__case *at)
{
    bool all = at->output.rank == 3;

    for (int i = 0; i < at->input_count; i++)
        all = all && at->input[i].rank == 3 && box_of(at, i).step[0] == 1;
    return all;
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && pictures(at);
}

/* One pair of kernels for each op. */
#define BOX(of, to_run, knows_strides)                          \
    const espl__kernel ESPL__KERNEL(vector_##of##_forward) = {  \
        .name = ESPL__KERNEL_NAME("vector_" #of "_forward"),    \
        .bf16 = ESPL__VARIANT_BF16,                             \
        .strided = knows_strides,                               \
        .op = #of,                                              \
        .role = ESPL__FORWARD,                                  \
        .fits = fits,                                           \
        .run = to_run,                                          \
    };                                                          \
    const espl__kernel ESPL__KERNEL(vector_##of##_backward) = { \
        .name = ESPL__KERNEL_NAME("vector_" #of "_backward"),   \
        .bf16 = ESPL__VARIANT_BF16,                             \
        .strided = knows_strides,                               \
        .op = #of,                                              \
        .role = ESPL__BACKWARD,                                 \
        .fits = fits,                                           \
        .run = backward,                                        \
    };
BOX(slice, forward, false)
BOX(pad, forward_pad, false)
BOX(concat, forward, true)
