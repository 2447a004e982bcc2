/* softmax_cross_entropy: the softmax never appears on its own; log-sum-exp is taken around the
 * largest logit, so that no logit is too large. */
#include "kernels/reference/reference_loss.h"
#include "ops/loss.h"

#include <math.h>

/* Smoothed target of class k. */
static double target_of(const espl__call *call, int64_t n, int64_t k, int64_t classes)
{
    const espl__cross_entropy *a = call->node->attributes;

    return (1 - a->label_smoothing) * espl__loss_target(call, n, k, classes) +
           a->label_smoothing / (double)classes;
}

static double log_sum_exp(const float *z, int64_t classes)
{
    float largest = z[0];
    double sum = 0;

    for (int64_t k = 1; k < classes; k++)
        largest = z[k] > largest ? z[k] : largest;
    for (int64_t k = 0; k < classes; k++)
        sum += exp((double)z[k] - largest);
    return largest + log(sum);
}

static void forward(const espl__call *call)
{
    const int64_t classes = call->at->input[0].dim[0];

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, classes);
        const float *z = call->inputs[0] + n * classes;
        double loss = 0;
        if (weight != 0) {
            const double log_sum = log_sum_exp(z, classes);
            for (int64_t k = 0; k < classes; k++)
                loss += target_of(call, n, k, classes) * (log_sum - z[k]);
        }
        call->output[n] = (float)(weight * loss);
    }
}

static void backward_sample(const espl__call *call, int64_t n, int64_t classes, double factor)
{
    const float *z = call->inputs[0] + n * classes;
    float *dz = call->grad_inputs[0] + n * classes;
    const double log_sum = log_sum_exp(z, classes);
    double total = 0;

    for (int64_t k = 0; k < classes; k++)
        total += target_of(call, n, k, classes);
    for (int64_t k = 0; k < classes; k++)
        dz[k] = (float)(factor * (total * exp(z[k] - log_sum) - target_of(call, n, k, classes)));
}

static void backward(const espl__call *call)
{
    const int64_t classes = call->at->input[0].dim[0];

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, classes);
        if (weight != 0)
            backward_sample(call, n, classes, weight / call->targets->total_weight);
        else
            for (int64_t k = 0; k < classes; k++)
                call->grad_inputs[0][n * classes + k] = 0;
    }
}

const espl__kernel espl__kernel_reference_softmax_cross_entropy_forward = {
    .name = "reference_softmax_cross_entropy_forward",
    .op = "softmax_cross_entropy",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_softmax_cross_entropy_backward = {
    .name = "reference_softmax_cross_entropy_backward",
    .op = "softmax_cross_entropy",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
