/* Losses that are the mean of one term for each output: binary_cross_entropy and
 * mean_squared_error. */
#include "kernels/reference/reference_loss.h"

#include <math.h>

/* Loss and derivative by z of one output with target t. */
typedef struct term {
    double (*loss)(double z, double t);
    double (*slope)(double z, double t);
} term;

/* -t log p - (1 - t) log(1 - p), p = sigmoid(z), without overflow for any z. */
static double binary_loss(double z, double t)
{
    return fmax(z, 0) - z * t + log1p(exp(-fabs(z)));
}

static double binary_slope(double z, double t)
{
    return 1 / (1 + exp(-z)) - t;
}

static double squared_loss(double z, double t)
{
    return (z - t) * (z - t);
}

static double squared_slope(double z, double t)
{
    return 2 * (z - t);
}

static const term binary = { binary_loss, binary_slope }, squared = { squared_loss, squared_slope };

static const term *term_of(const espl__call *call)
{
    return espl__text_equal(call->node->op->name, "binary_cross_entropy") ? &binary : &squared;
}

/* How many labels there are: of a single output, 0 and 1 in a yes-or-no loss and any number else.
 */
static int64_t labels_of(const espl__call *call, int64_t outputs)
{
    if (outputs > 1)
        return outputs;
    return term_of(call) == &binary ? 2 : INT32_MAX;
}

static void forward(const espl__call *call)
{
    const int64_t outputs = call->at->input[0].dim[0];
    const term *of = term_of(call);

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, labels_of(call, outputs));
        double sum = 0;
        for (int64_t k = 0; weight != 0 && k < outputs; k++)
            sum +=
                of->loss(call->inputs[0][n * outputs + k], espl__loss_target(call, n, k, outputs));
        call->output[n] = (float)(weight * sum / (double)outputs);
    }
}

static void backward(const espl__call *call)
{
    const int64_t outputs = call->at->input[0].dim[0];
    const term *of = term_of(call);

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, labels_of(call, outputs));
        for (int64_t k = 0; k < outputs; k++) {
            const int64_t i = n * outputs + k;
            double slope = 0;
            if (weight != 0)
                slope = of->slope(call->inputs[0][i], espl__loss_target(call, n, k, outputs)) *
                        weight / call->targets->total_weight;
            call->grad_inputs[0][i] = (float)(slope / (double)outputs);
        }
    }
}

/* One pair of kernels for each loss. */
#define OUTPUT_LOSS(of)                                           \
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
        .run = backward,                                          \
    };
OUTPUT_LOSS(binary_cross_entropy)
OUTPUT_LOSS(mean_squared_error)
