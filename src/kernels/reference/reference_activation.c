/* Activations, element by element: value f(x) and derivative f'(x), given x and y = f(x). A
 * derivative may use only what its op `reads`. */
#include "kernels/reference/reference.h"

typedef struct activation {
    const char *op;
    double (*value)(double x, const void *attributes);
    double (*slope)(double x, double y, const void *attributes);
} activation;

static double relu(double x, const void *attributes)
{
    (void)attributes;
    return x <= 0 ? 0 : x; /* what is not a number stays so */
}

static double relu_slope(double x, double y, const void *attributes)
{
    (void)x, (void)attributes;
    return y > 0;
}

static const activation all[] = {
    { "relu", relu, relu_slope },
};

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    (void)needs;
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (espl__text_equal(all[i].op, at->node->op->name)) {
            *state = (void *)&all[i];
            return ESPL_OK;
        }
    return espl__fail(ctx, ESPL_UNSUPPORTED, "%s is not an activation this kernel knows", at->node->op->name);
}

static void forward(const espl__call *call)
{
    const activation *f = call->state;
    const espl__layout in = espl__layout_of_input(call->at, 0), out = espl__layout_of_output(call->at);

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < out.channels; c++)
            for (int64_t p = 0; p < out.pixels; p++)
                call->output[espl__at(&out, n, c, p)] =
                    (float)f->value(call->inputs[0][espl__at(&in, n, c, p)], call->node->attributes);
}

static void backward(const espl__call *call)
{
    const activation *f = call->state;
    const int reads = call->node->op->reads;
    const espl__layout in = espl__layout_of_input(call->at, 0), out = espl__layout_of_output(call->at);

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
