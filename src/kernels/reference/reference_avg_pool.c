/* avg_pool: the mean of each window. */
#include "kernels/reference/reference.h"
#include "ops/pool.h"

#include <string.h>

/* The part of a window along one axis that lies on the input, and how many places it counts. */
typedef struct span {
    int64_t begin, end, counted;
} span;

static span span_of(const espl__pool *a, const espl__window *w, int axis, int64_t o, int64_t size)
{
    const int64_t first = o * w->stride[axis] - w->before[axis], last = first + w->kernel[axis];
    const int64_t padded = size + w->after[axis];
    const span s = { .begin = first < 0 ? 0 : first, .end = last > size ? size : last };

    return (span){ s.begin, s.end,
                   a->count_padding ? (last > padded ? padded : last) - first : s.end - s.begin };
}

static void forward(const espl__call *call)
{
    const espl__pool *a = call->node->attributes;
    const espl__window w = espl__pool_window(a);
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t p = 0; p < y.pixels; p++) {
        const span v = span_of(a, &w, 0, p / y.width, x.height),
                   h = span_of(a, &w, 1, p % y.width, x.width);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t c = 0; c < y.channels; c++) {
                double sum = 0;
                for (int64_t iy = v.begin; iy < v.end; iy++)
                    for (int64_t ix = h.begin; ix < h.end; ix++)
                        sum += call->inputs[0][espl__at(&x, n, c, iy * x.width + ix)];
                call->output[espl__at(&y, n, c, p)] =
                    (float)(sum / (double)(v.counted * h.counted));
            }
    }
}

static void backward(const espl__call *call)
{
    const espl__pool *a = call->node->attributes;
    const espl__window w = espl__pool_window(a);
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    float *dx = call->grad_inputs[0];

    memset(dx, 0, (size_t)(call->samples * x.size) * sizeof(float));
    for (int64_t p = 0; p < y.pixels; p++) {
        const span v = span_of(a, &w, 0, p / y.width, x.height),
                   h = span_of(a, &w, 1, p % y.width, x.width);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t c = 0; c < y.channels; c++) {
                const float share =
                    call->grad_output[espl__at(&y, n, c, p)] / (float)(v.counted * h.counted);
                for (int64_t iy = v.begin; iy < v.end; iy++)
                    for (int64_t ix = h.begin; ix < h.end; ix++)
                        dx[espl__at(&x, n, c, iy * x.width + ix)] += share;
            }
    }
}

const espl__kernel espl__kernel_reference_avg_pool_forward = {
    .name = "reference_avg_pool_forward",
    .op = "avg_pool",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_avg_pool_backward = {
    .name = "reference_avg_pool_backward",
    .op = "avg_pool",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
