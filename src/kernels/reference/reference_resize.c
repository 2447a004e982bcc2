/* resize: each output value is a mix of at most two by two input values, whose shares go back the
 * same way. */
#include "kernels/reference/reference.h"
#include "ops/arrange.h"

#include <string.h>

/* The four input pixels of output pixel `p` and their shares. */
typedef struct corners {
    int64_t pixel[4];
    double share[4];
} corners;

static corners corners_of(const espl__call *call, const espl__layout *x, const espl__layout *y,
                          int64_t p)
{
    const espl__resizing *a = call->node->attributes;
    const espl__resize_tap v = espl__resize_at(a, x->height, y->height, p / y->width);
    const espl__resize_tap h = espl__resize_at(a, x->width, y->width, p % y->width);

    return (corners){ { v.first * x->width + h.first, v.first * x->width + h.second,
                        v.second * x->width + h.first, v.second * x->width + h.second },
                      { (1 - v.share) * (1 - h.share), (1 - v.share) * h.share,
                        v.share * (1 - h.share), v.share * h.share } };
}

static void forward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);

    for (int64_t p = 0; p < y.pixels; p++) {
        const corners from = corners_of(call, &x, &y, p);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t c = 0; c < y.channels; c++) {
                double sum = 0;
                for (int i = 0; i < 4; i++)
                    if (from.share[i] > 0)
                        sum += from.share[i] * call->inputs[0][espl__at(&x, n, c, from.pixel[i])];
                call->output[espl__at(&y, n, c, p)] = (float)sum;
            }
    }
}

static void backward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    float *dx = call->grad_inputs[0];

    memset(dx, 0, (size_t)(call->samples * x.size) * sizeof(float));
    for (int64_t p = 0; p < y.pixels; p++) {
        const corners to = corners_of(call, &x, &y, p);
        for (int64_t n = 0; n < call->samples; n++)
            for (int64_t c = 0; c < y.channels; c++)
                for (int i = 0; i < 4; i++)
                    dx[espl__at(&x, n, c, to.pixel[i])] +=
                        (float)(to.share[i] * call->grad_output[espl__at(&y, n, c, p)]);
    }
}

const espl__kernel espl__kernel_reference_resize_forward = {
    .name = "reference_resize_forward",
    .op = "resize",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_resize_backward = {
    .name = "reference_resize_backward",
    .op = "resize",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
