/* Activations, element by element: value f(x) and derivative f'(x), given x and y = f(x). A
 * derivative may use only what its op `reads`. Comparisons are written so that what is not a number
 * stays so. */
#include "kernels/reference/reference.h"
#include "ops/activations.h"

#include <math.h>

typedef struct activation {
    const char *op;
    double (*value)(double x, const void *attributes);
    double (*slope)(double x, double y, const void *attributes);
} activation;

static double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high
                                    : x;
}

static double relu(double x, const void *attributes)
{
    (void)attributes;
    return x < 0 ? 0 : x;
}

static double relu_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return y > 0;
}

static double relu6(double x, const void *attributes)
{
    (void)attributes;
    return within(x, 0, 6);
}

static double relu6_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return y > 0 && y < 6;
}

static double leaky_relu(double x, const void *attributes)
{
    const espl__leaky_relu *a = attributes;

    return x < 0 ? a->slope * x : x;
}

static double leaky_relu_slope(double x, double y, const void *attributes)
{
    const espl__leaky_relu *a = attributes;

    (void)x;
    return y > 0 ? 1 : a->slope;
}

static double elu(double x, const void *attributes)
{
    const espl__elu *a = attributes;

    return x < 0 ? a->alpha * expm1(x) : x;
}

static double elu_slope(double x, double y, const void *attributes)
{
    const espl__elu *a = attributes;

    (void)x;
    return y > 0 ? 1 : y + a->alpha;
}

static double selu(double x, const void *attributes)
{
    (void)attributes;
    return ESPL__SELU_SCALE * (x < 0 ? ESPL__SELU_ALPHA * expm1(x) : x);
}

static double selu_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return y > 0 ? ESPL__SELU_SCALE : y + ESPL__SELU_SCALE * ESPL__SELU_ALPHA;
}

static const double sqrt_2_over_pi = 0.79788456080286535588, sqrt_half = 0.70710678118654752440;

/* tanh form: u(x) = sqrt(2 / pi) * (x + c * x^3) */
static const double gelu_c = 0.044715;

static double gelu(double x, const void *attributes)
{
    const espl__gelu *a = attributes;

    if (a->form == ESPL__GELU_TANH)
        return 0.5 * x * (1 + tanh(sqrt_2_over_pi * (x + gelu_c * x * x * x)));
    return 0.5 * x * erfc(-x * sqrt_half);
}

static double gelu_slope(double x, double y, const void *attributes)
{
    const espl__gelu *a = attributes;

    (void)y;
    if (a->form == ESPL__GELU_TANH) {
        const double t = tanh(sqrt_2_over_pi * (x + gelu_c * x * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt_2_over_pi * (1 + 3 * gelu_c * x * x);
    }
    return 0.5 * erfc(-x * sqrt_half) + x * exp(-0.5 * x * x) * 0.5 * sqrt_2_over_pi;
}

static double sigmoid(double x, const void *attributes)
{
    (void)attributes;
    return 1 / (1 + exp(-x));
}

static double sigmoid_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return y * (1 - y);
}

static double hard_sigmoid(double x, const void *attributes)
{
    const espl__hard_sigmoid *a = attributes;

    return within(a->slope * x + a->offset, 0, 1);
}

static double hard_sigmoid_slope(double x, double y, const void *attributes)
{
    const espl__hard_sigmoid *a = attributes;

    (void)x;
    return y > 0 && y < 1 ? a->slope : 0;
}

static double tanh_of(double x, const void *attributes)
{
    (void)attributes;
    return tanh(x);
}

static double tanh_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return 1 - y * y;
}

static double silu(double x, const void *attributes)
{
    return x * sigmoid(x, attributes);
}

static double silu_slope(double x, double y, const void *attributes)
{
    const double s = sigmoid(x, attributes);

    (void)y;
    return s + x * s * (1 - s);
}

static double hard_swish(double x, const void *attributes)
{
    (void)attributes;
    return x * within(x + 3, 0, 6) / 6;
}

static double hard_swish_slope(double x, double y, const void *attributes)
{
    (void)y, (void)attributes;
    return x <= -3 ? 0 : x >= 3 ? 1
                                : (2 * x + 3) / 6;
}

static const activation all[] = {
    { "relu", relu, relu_slope },
    { "relu6", relu6, relu6_slope },
    { "leaky_relu", leaky_relu, leaky_relu_slope },
    { "elu", elu, elu_slope },
    { "selu", selu, selu_slope },
    { "gelu", gelu, gelu_slope },
    { "sigmoid", sigmoid, sigmoid_slope },
    { "hard_sigmoid", hard_sigmoid, hard_sigmoid_slope },
    { "tanh", tanh_of, tanh_slope },
    { "silu", silu, silu_slope },
    { "hard_swish", hard_swish, hard_swish_slope },
};

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs,
                           void **state)
{
    (void)needs;
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (espl__text_equal(all[i].op, at->node->op->name)) {
            *state = (void *)&all[i];
            return ESPL_OK;
        }
    return espl__fail(ctx, ESPL_UNSUPPORTED, "%s is not an activation this kernel knows",
                      at->node->op->name);
}

static void forward(const espl__call *call)
{
    const activation *f = call->state;
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < out.channels; c++)
            for (int64_t p = 0; p < out.pixels; p++)
                call->output[espl__at(&out, n, c, p)] = (float)f->value(
                    call->inputs[0][espl__at(&in, n, c, p)], call->node->attributes);
}

static void backward(const espl__call *call)
{
    const activation *f = call->state;
    const int reads = call->node->op->reads;
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < out.channels; c++)
            for (int64_t p = 0; p < out.pixels; p++) {
                const int64_t i = espl__at(&in, n, c, p), o = espl__at(&out, n, c, p);
                const double x = reads & ESPL__READS_INPUTS ? call->inputs[0][i] : 0;
                const double y = reads & ESPL__READS_OUTPUT ? call->output[o] : 0;
                call->grad_inputs[0][i] =
                    (float)(call->grad_output[o] * f->slope(x, y, call->node->attributes));
            }
}

/* One pair of kernels for each activation. */
#define ACTIVATION(of)                                            \
    const espl__kernel espl__kernel_reference_##of##_forward = {  \
        .name = "reference_" #of "_forward",                      \
        .op = #of,                                                \
        .role = ESPL__FORWARD,                                    \
        .fits = espl__fits_always,                                \
        .prepare = prepare,                                       \
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
ACTIVATION(relu)
ACTIVATION(relu6)
ACTIVATION(leaky_relu)
ACTIVATION(elu)
ACTIVATION(selu)
ACTIVATION(gelu)
ACTIVATION(sigmoid)
ACTIVATION(hard_sigmoid)
ACTIVATION(tanh)
ACTIVATION(silu)
ACTIVATION(hard_swish)
