/* conv2d: the sums written out, over any layout.
 *     y[n][o][oy][ox] = sum over i, ky, kx of w[o][i][ky][kx] * x[n][g + i][iy][ix]
 *     iy = oy * stride + ky * dilation - pad, ix likewise; g: the first input channel of o's group
 */
#include "kernels/reference/reference.h"
#include "ops/conv2d.h"

#include <math.h>

typedef struct geometry {
    espl__window window;
    espl__layout x, y;
    int64_t inputs, outputs; /* channels of one group */
} geometry;

static geometry geometry_of(const espl__case *at)
{
    geometry g = { .x = espl__layout_of_input(at, 0), .y = espl__layout_of_output(at) };

    g.window = espl__conv2d_window(at->node->attributes, g.x.channels);
    g.inputs = g.x.channels / g.window.groups;
    g.outputs = g.y.channels / g.window.groups;
    return g;
}

/* Input row (or column) that tap k of output row o reads; -1 if it lies in the padding. */
static int64_t source(const geometry *g, int axis, int64_t o, int64_t k)
{
    const int64_t size = axis ? g->x.width : g->x.height;
    const int64_t i =
        o * g->window.stride[axis] + k * g->window.dilation[axis] - g->window.before[axis];

    return i >= 0 && i < size ? i : -1;
}

/* Output row (or column) that reads input row i with tap k; -1 if there is none. */
static int64_t target(const geometry *g, int axis, int64_t i, int64_t k)
{
    const int64_t size = axis ? g->y.width : g->y.height;
    const int64_t o = i + g->window.before[axis] - k * g->window.dilation[axis];

    return o >= 0 && o % g->window.stride[axis] == 0 && o / g->window.stride[axis] < size
               ? o / g->window.stride[axis]
               : -1;
}

/* w[o][i][ky][kx] */
static int64_t tap(const geometry *g, int64_t o, int64_t i, int64_t ky, int64_t kx)
{
    return ((o * g->inputs + i) * g->window.kernel[0] + ky) * g->window.kernel[1] + kx;
}

static double convolve(const geometry *g, const float *x, const float *w, int64_t n, int64_t o,
                       int64_t oy, int64_t ox)
{
    const int64_t first = o / g->outputs * g->inputs;
    double sum = 0;

    for (int64_t ky = 0; ky < g->window.kernel[0]; ky++)
        for (int64_t kx = 0; kx < g->window.kernel[1]; kx++) {
            const int64_t iy = source(g, 0, oy, ky), ix = source(g, 1, ox, kx);
            if (iy < 0 || ix < 0)
                continue;
            for (int64_t i = 0; i < g->inputs; i++)
                sum += (double)w[tap(g, o, i, ky, kx)] *
                       x[espl__at(&g->x, n, first + i, iy * g->x.width + ix)];
        }
    return sum;
}

/* What follows the sum: bias, the folded batch norm, the residual, the activation. */
static float finish(const espl__call *call, double sum, int64_t o, int64_t n, int64_t pixel)
{
    const espl__conv2d *a = call->node->attributes;
    float *const *parameter = call->parameters + 1;

    if (a->bias)
        sum += (*parameter++)[o];
    if (a->folded)
        sum = (sum - parameter[2][o]) * parameter[0][o] / sqrt(parameter[3][o] + a->epsilon) +
              parameter[1][o];
    if (call->at->input_count > 1) {
        const espl__layout residual = espl__layout_of_input(call->at, 1);
        sum += call->inputs[1][espl__at(&residual, n, o, pixel)];
    }
    return espl__activate(a->activation, (float)sum);
}

static void forward(const espl__call *call)
{
    const geometry g = geometry_of(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t o = 0; o < g.y.channels; o++)
            for (int64_t oy = 0; oy < g.y.height; oy++)
                for (int64_t ox = 0; ox < g.y.width; ox++) {
                    const int64_t pixel = oy * g.y.width + ox;
                    const double sum =
                        convolve(&g, call->inputs[0], call->parameters[0], n, o, oy, ox);
                    call->output[espl__at(&g.y, n, o, pixel)] = finish(call, sum, o, n, pixel);
                }
}

/* dx[n][c][iy][ix] = sum over the outputs of c's group and the taps of w * dy */
static double gather_input(const geometry *g, const float *dy, const float *w, int64_t n, int64_t c,
                           int64_t iy, int64_t ix)
{
    const int64_t first = c / g->inputs * g->outputs;
    double sum = 0;

    for (int64_t ky = 0; ky < g->window.kernel[0]; ky++)
        for (int64_t kx = 0; kx < g->window.kernel[1]; kx++) {
            const int64_t oy = target(g, 0, iy, ky), ox = target(g, 1, ix, kx);
            if (oy < 0 || ox < 0)
                continue;
            for (int64_t o = first; o < first + g->outputs; o++)
                sum += (double)w[tap(g, o, c % g->inputs, ky, kx)] *
                       dy[espl__at(&g->y, n, o, oy * g->y.width + ox)];
        }
    return sum;
}

static void backward_inputs(const espl__call *call)
{
    const geometry g = geometry_of(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < g.x.channels; c++)
            for (int64_t iy = 0; iy < g.x.height; iy++)
                for (int64_t ix = 0; ix < g.x.width; ix++)
                    call->grad_inputs[0][espl__at(&g.x, n, c, iy * g.x.width + ix)] =
                        (float)gather_input(&g, call->grad_output, call->parameters[0], n, c, iy,
                                            ix);
}

/* dw[o][i][ky][kx] = sum over the samples that count and the positions of x * dy */
static double gather_weight(const espl__call *call, const geometry *g, int64_t o, int64_t i,
                            int64_t ky, int64_t kx)
{
    const int64_t c = o / g->outputs * g->inputs + i;
    double sum = 0;

    for (int64_t n = 0; n < call->valid; n++)
        for (int64_t oy = 0; oy < g->y.height; oy++)
            for (int64_t ox = 0; ox < g->y.width; ox++) {
                const int64_t iy = source(g, 0, oy, ky), ix = source(g, 1, ox, kx);
                if (iy >= 0 && ix >= 0)
                    sum += (double)call->inputs[0][espl__at(&g->x, n, c, iy * g->x.width + ix)] *
                           call->grad_output[espl__at(&g->y, n, o, oy * g->y.width + ox)];
            }
    return sum;
}

static void backward_bias(const espl__call *call, const espl__layout *y)
{
    for (int64_t o = 0; o < y->channels; o++) {
        double sum = 0;
        for (int64_t n = 0; n < call->valid; n++)
            for (int64_t p = 0; p < y->pixels; p++)
                sum += call->grad_output[espl__at(y, n, o, p)];
        espl__gather(&call->grad_parameters[1][o], call->add, sum);
    }
}

static void backward_parameters(const espl__call *call)
{
    const espl__conv2d *a = call->node->attributes;
    const geometry g = geometry_of(call->at);

    if (call->grad_parameters[0])
        for (int64_t o = 0; o < g.y.channels; o++)
            for (int64_t i = 0; i < g.inputs; i++)
                for (int64_t ky = 0; ky < g.window.kernel[0]; ky++)
                    for (int64_t kx = 0; kx < g.window.kernel[1]; kx++)
                        espl__gather(&call->grad_parameters[0][tap(&g, o, i, ky, kx)], call->add,
                                     gather_weight(call, &g, o, i, ky, kx));
    if (a->bias && call->grad_parameters[1])
        backward_bias(call, &g.y);
}

static bool fits_backward(const espl__case *at)
{
    return espl__conv2d_has_gradient(at->node->attributes, at->input_count);
}

const espl__kernel espl__kernel_reference_conv2d_forward = {
    .name = "reference_conv2d_forward",
    .op = "conv2d",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_conv2d_backward_inputs = {
    .name = "reference_conv2d_backward_inputs",
    .op = "conv2d",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits_backward,
    .run = backward_inputs,
};

const espl__kernel espl__kernel_reference_conv2d_backward_parameters = {
    .name = "reference_conv2d_backward_parameters",
    .op = "conv2d",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits_backward,
    .run = backward_parameters,
};
