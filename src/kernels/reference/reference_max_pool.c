/* max_pool: the first largest value of each window, and where it was. */
#include "kernels/reference/reference.h"
#include "ops/pool.h"

#include <string.h>

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs,
                           void **state)
{
    (void)ctx, (void)state;
    needs->saved = (size_t)(at->samples * espl__shape_size(at->output)) * sizeof(espl__pool_tap);
    return ESPL_OK;
}

/* Input pixel under tap `tap` of the window at (oy, ox), -1 in the padding. */
static int64_t pixel_of(const espl__window *w, const espl__layout *x, int64_t oy, int64_t ox,
                        int64_t tap)
{
    const int64_t iy = oy * w->stride[0] - w->before[0] + tap / w->kernel[1];
    const int64_t ix = ox * w->stride[1] - w->before[1] + tap % w->kernel[1];

    return iy >= 0 && iy < x->height && ix >= 0 && ix < x->width ? iy * x->width + ix : -1;
}

static void forward(const espl__call *call)
{
    const espl__window w = espl__pool_window(call->node->attributes);
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    espl__pool_tap *saved = call->saved;

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < y.channels; c++)
            for (int64_t p = 0; p < y.pixels; p++) {
                int64_t best = -1;
                float largest = 0;
                for (int64_t tap = 0; tap < w.kernel[0] * w.kernel[1]; tap++) {
                    const int64_t pixel = pixel_of(&w, &x, p / y.width, p % y.width, tap);
                    const float value = pixel < 0 ? 0 : call->inputs[0][espl__at(&x, n, c, pixel)];
                    if (pixel >= 0 && (best < 0 || value > largest)) {
                        best = tap;
                        largest = value;
                    }
                }
                call->output[espl__at(&y, n, c, p)] = largest;
                if (saved)
                    saved[espl__at(&y, n, c, p)] = (espl__pool_tap)best;
            }
}

static void backward(const espl__call *call)
{
    const espl__window w = espl__pool_window(call->node->attributes);
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const espl__pool_tap *saved = call->saved;
    float *dx = call->grad_inputs[0];

    memset(dx, 0, (size_t)(call->samples * x.size) * sizeof(float));
    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < y.channels; c++)
            for (int64_t p = 0; p < y.pixels; p++) {
                const int64_t o = espl__at(&y, n, c, p);
                const int64_t pixel = pixel_of(&w, &x, p / y.width, p % y.width, saved[o]);
                dx[espl__at(&x, n, c, pixel)] += call->grad_output[o];
            }
}

const espl__kernel espl__kernel_reference_max_pool_forward = {
    .name = "reference_max_pool_forward",
    .op = "max_pool",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .prepare = prepare,
    .run = forward,
};

const espl__kernel espl__kernel_reference_max_pool_backward = {
    .name = "reference_max_pool_backward",
    .op = "max_pool",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .prepare = prepare,
    .run = backward,
};
