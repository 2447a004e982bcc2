/* slice, pad and concat: boxes of values copied from one place to another, forwards and back. */
#include "kernels/reference/reference.h"
#include "ops/box.h"

#include <string.h>

/* Where index (d0, d1, d2, d3) of a shape lies. */
typedef struct side {
    espl__layout layout;
    int64_t dim[ESPL__RANK_MAX];
} side;

static side side_of(espl__shape shape, int64_t block)
{
    side s = { .layout = espl__layout_of(shape, block) };

    for (int d = 0; d < ESPL__RANK_MAX; d++)
        s.dim[d] = d < shape.rank ? shape.dim[d] : 1;
    return s;
}

/* `back` false: output = input within the box; true: input = output. */
static void copy(const espl__box *box, const side *in, const side *out, int64_t n, float *input,
                 float *output, bool back)
{
    for (int64_t a = 0; a < box->count[0]; a++)
        for (int64_t b = 0; b < box->count[1]; b++)
            for (int64_t c = 0; c < box->count[2]; c++)
                for (int64_t d = 0; d < box->count[3]; d++) {
                    const int64_t pixel_in = ((box->source[1] + b * box->step[1]) * in->dim[2] +
                                              box->source[2] + c * box->step[2]) *
                                                 in->dim[3] +
                                             box->source[3] + d * box->step[3];
                    const int64_t pixel_out =
                        ((box->target[1] + b) * out->dim[2] + box->target[2] + c) * out->dim[3] +
                        box->target[3] + d;
                    float *x = &input[espl__at(&in->layout, n, box->source[0] + a * box->step[0],
                                               pixel_in)];
                    float *y = &output[espl__at(&out->layout, n, box->target[0] + a, pixel_out)];
                    *(back ? x : y) = *(back ? y : x);
                }
}

static espl__box box_of(const espl__case *at, int i)
{
    if (espl__text_equal(at->node->op->name, "slice"))
        return espl__slice_box(at->node->attributes, at->input[i]);
    if (espl__text_equal(at->node->op->name, "pad"))
        return espl__pad_box(at->node->attributes, at->input[i]);
    return espl__concat_box(at->input, i);
}

static void forward(const espl__call *call)
{
    const side out = side_of(call->at->output, call->at->output_block);

    for (int i = 0; i < call->at->input_count; i++) {
        const side in = side_of(call->at->input[i], call->at->input_block[i]);
        const espl__box box = box_of(call->at, i);
        for (int64_t n = 0; n < call->samples; n++)
            copy(&box, &in, &out, n, (float *)call->inputs[i], call->output, false);
    }
}

static void forward_pad(const espl__call *call)
{
    const espl__pad *a = call->node->attributes;

    for (int64_t o = 0; o < call->samples * espl__shape_size(call->at->output); o++)
        call->output[o] = (float)a->value;
    forward(call);
}

static void backward(const espl__call *call)
{
    const side out = side_of(call->at->output, call->at->output_block);

    for (int i = 0; i < call->at->input_count; i++) {
        const side in = side_of(call->at->input[i], call->at->input_block[i]);
        const espl__box box = box_of(call->at, i);
        if (!call->grad_inputs[i])
            continue;
        memset(call->grad_inputs[i], 0, (size_t)(call->samples * in.layout.size) * sizeof(float));
        for (int64_t n = 0; n < call->samples; n++)
            copy(&box, &in, &out, n, call->grad_inputs[i], call->grad_output, true);
    }
}

/* One pair of kernels for each op. */
#define BOX(of, to_run)                                           \
    const espl__kernel espl__kernel_reference_##of##_forward = {  \
        .name = "reference_" #of "_forward",                      \
        .op = #of,                                                \
        .role = ESPL__FORWARD,                                    \
        .fits = espl__fits_always,                                \
        .run = to_run,                                            \
    };                                                            \
    const espl__kernel espl__kernel_reference_##of##_backward = { \
        .name = "reference_" #of "_backward",                     \
        .op = #of,                                                \
        .role = ESPL__BACKWARD,                                   \
        .fits = espl__fits_always,                                \
        .run = backward,                                          \
    };
BOX(slice, forward)
BOX(pad, forward_pad)
BOX(concat, forward)
