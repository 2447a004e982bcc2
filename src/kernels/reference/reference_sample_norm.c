/* layer_norm and group_norm: a sample falls into sets of values - all of them, the channels at one
 * pixel, or the pixels of a group of channels - and each set is brought to mean 0 and variance 1.
 * Every set is some neighbouring channels at some neighbouring pixels. */
#include "kernels/reference/reference.h"
#include "ops/sample_norm.h"

#include <math.h>
#include <string.h>

/* How the sets lie: `sets` of them, each of so many channels and pixels. */
typedef struct partition {
    int64_t sets, channels, pixels;
    bool each_value; /* a parameter for every value, not for every channel */
    double epsilon;
} partition;

typedef struct set {
    int64_t channel, pixel; /* the first ones */
    double mean, inverse;
} set;

static partition partition_of(const espl__case *at)
{
    const espl__layout x = espl__layout_of_input(at, 0);

    if (espl__text_equal(at->node->op->name, "group_norm")) {
        const espl__group_norm *a = at->node->attributes;
        const int64_t groups = a->groups ? a->groups : x.channels;
        return (partition){ groups, x.channels / groups, x.pixels, false, a->epsilon };
    }
    const espl__layer_norm *a = at->node->attributes;
    if (a->over == ESPL__OVER_CHANNELS)
        return (partition){ x.pixels, x.channels, 1, false, a->epsilon };
    return (partition){ 1, x.channels, x.pixels, true, a->epsilon };
}

/* Parameter of value (channel, pixel). */
static int64_t parameter_of(const partition *by, const espl__layout *x, int64_t channel,
                            int64_t pixel)
{
    return by->each_value ? channel * x->pixels + pixel : channel;
}

static set set_at(const partition *by, const espl__layout *x, const float *values, int64_t n,
                  int64_t index)
{
    const double count = (double)(by->channels * by->pixels);
    double sum = 0, squares = 0;
    set s = { .channel = by->channels < x->channels ? index * by->channels : 0,
              .pixel = by->pixels < x->pixels ? index * by->pixels : 0 };

    for (int64_t c = s.channel; c < s.channel + by->channels; c++)
        for (int64_t p = s.pixel; p < s.pixel + by->pixels; p++)
            sum += values[espl__at(x, n, c, p)];
    s.mean = sum / count;
    for (int64_t c = s.channel; c < s.channel + by->channels; c++)
        for (int64_t p = s.pixel; p < s.pixel + by->pixels; p++) {
            const double deviation = values[espl__at(x, n, c, p)] - s.mean;
            squares += deviation * deviation;
        }
    s.inverse = 1 / sqrt(squares / count + by->epsilon);
    return s;
}

static void forward_set(const espl__call *call, const partition *by, const espl__layout *x,
                        const espl__layout *y, int64_t n, int64_t index)
{
    const set s = set_at(by, x, call->inputs[0], n, index);

    for (int64_t c = s.channel; c < s.channel + by->channels; c++)
        for (int64_t p = s.pixel; p < s.pixel + by->pixels; p++) {
            const int64_t k = parameter_of(by, x, c, p);
            const double xh = (call->inputs[0][espl__at(x, n, c, p)] - s.mean) * s.inverse;
            call->output[espl__at(y, n, c, p)] =
                (float)(xh * call->parameters[0][k] + call->parameters[1][k]);
        }
}

static void forward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const partition by = partition_of(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t i = 0; i < by.sets; i++)
            forward_set(call, &by, &x, &y, n, i);
}

/* Sums of dy * xh and dy for each parameter, over the samples that count. */
static void sum_set(const espl__call *call, const partition *by, const espl__layout *x,
                    const espl__layout *y, int64_t n, const set *s, double *dscale, double *dshift)
{
    for (int64_t c = s->channel; c < s->channel + by->channels; c++)
        for (int64_t p = s->pixel; p < s->pixel + by->pixels; p++) {
            const int64_t k = parameter_of(by, x, c, p);
            const double dy = call->grad_output[espl__at(y, n, c, p)];
            dscale[k] += dy * (call->inputs[0][espl__at(x, n, c, p)] - s->mean) * s->inverse;
            dshift[k] += dy;
        }
}

/* dx = (g - mean(g) - xh * mean(g * xh)) * inverse, g = dy * scale */
static void backward_set(const espl__call *call, const partition *by, const espl__layout *x,
                         const espl__layout *y, int64_t n, const set *s)
{
    const double count = (double)(by->channels * by->pixels);
    double mean_g = 0, mean_g_xh = 0;

    for (int pass = 0; pass < 2; pass++)
        for (int64_t c = s->channel; c < s->channel + by->channels; c++)
            for (int64_t p = s->pixel; p < s->pixel + by->pixels; p++) {
                const int64_t i = espl__at(x, n, c, p);
                const double g = (double)call->grad_output[espl__at(y, n, c, p)] *
                                 call->parameters[0][parameter_of(by, x, c, p)];
                const double xh = (call->inputs[0][i] - s->mean) * s->inverse;
                if (pass == 0) {
                    mean_g += g / count;
                    mean_g_xh += g * xh / count;
                } else
                    call->grad_inputs[0][i] = (float)((g - mean_g - xh * mean_g_xh) * s->inverse);
            }
}

static void backward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const partition by = partition_of(call->at);
    const int64_t count = espl__shape_size(call->at->parameter[0]->shape);
    double *dscale = call->workspace, *dshift = dscale + count;

    memset(dscale, 0, 2 * (size_t)count * sizeof(double));
    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t i = 0; i < by.sets; i++) {
            const set s = set_at(&by, &x, call->inputs[0], n, i);
            if (n < call->valid)
                sum_set(call, &by, &x, &y, n, &s, dscale, dshift);
            if (call->grad_inputs[0])
                backward_set(call, &by, &x, &y, n, &s);
        }
    for (int64_t k = 0; k < count; k++) {
        if (call->grad_parameters[0])
            espl__gather(&call->grad_parameters[0][k], call->add, dscale[k]);
        if (call->grad_parameters[1])
            espl__gather(&call->grad_parameters[1][k], call->add, dshift[k]);
    }
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs,
                           void **state)
{
    (void)ctx, (void)state;
    needs->workspace = 2 * (size_t)espl__shape_size(at->parameter[0]->shape) * sizeof(double);
    return ESPL_OK;
}

/* One pair of kernels for each op. */
#define SAMPLE_NORM(of)                                           \
    const espl__kernel espl__kernel_reference_##of##_forward = {  \
        .name = "reference_" #of "_forward",                      \
        .op = #of,                                                \
        .role = ESPL__FORWARD,                                    \
        .fits = espl__fits_always,                                \
        .run = forward,                                           \
    };                                                            \
    const espl__kernel espl__kernel_reference_##of##_backward = { \
        .name = "reference_" #of "_backward",                     \
        .op = #of,                                                \
        .role = ESPL__BACKWARD,                                   \
        .fits = espl__fits_always,                                \
        .prepare = prepare,                                       \
        .run = backward,                                          \
    };
SAMPLE_NORM(layer_norm)
SAMPLE_NORM(group_norm)
