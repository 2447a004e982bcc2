/* dense: y[n][u] = sum over f of w[u][f] * x[n][f] + b[u], and its gradients. A vector lies the
 * same in every layout. */
#include "kernels/reference/reference.h"
#include "ops/conv2d.h"
#include "ops/dense.h"

static void forward(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t features = call->at->input[0].dim[0], units = call->at->output.dim[0];
    const float *w = call->parameters[0];

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t u = 0; u < units; u++) {
            double sum = a->bias ? call->parameters[1][u] : 0;
            for (int64_t f = 0; f < features; f++)
                sum += (double)w[u * features + f] * call->inputs[0][n * features + f];
            call->output[n * units + u] = espl__activate(a->activation, (float)sum);
        }
}

static void backward_inputs(const espl__call *call)
{
    const int64_t features = call->at->input[0].dim[0], units = call->at->output.dim[0];
    const float *w = call->parameters[0];

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t f = 0; f < features; f++) {
            double sum = 0;
            for (int64_t u = 0; u < units; u++)
                sum += (double)w[u * features + f] * call->grad_output[n * units + u];
            call->grad_inputs[0][n * features + f] = (float)sum;
        }
}

static void backward_weight(const espl__call *call, int64_t units, int64_t features)
{
    for (int64_t u = 0; u < units; u++)
        for (int64_t f = 0; f < features; f++) {
            double sum = 0;
            for (int64_t n = 0; n < call->valid; n++)
                sum += (double)call->grad_output[n * units + u] * call->inputs[0][n * features + f];
            espl__gather(&call->grad_parameters[0][u * features + f], call->add, sum);
        }
}

static void backward_parameters(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t features = call->at->input[0].dim[0], units = call->at->output.dim[0];

    if (call->grad_parameters[0])
        backward_weight(call, units, features);
    if (!a->bias || !call->grad_parameters[1])
        return;
    for (int64_t u = 0; u < units; u++) {
        double sum = 0;
        for (int64_t n = 0; n < call->valid; n++)
            sum += call->grad_output[n * units + u];
        espl__gather(&call->grad_parameters[1][u], call->add, sum);
    }
}

static bool fits_backward(const espl__case *at)
{
    const espl__dense *a = at->node->attributes;

    return a->activation == ESPL__NO_ACTIVATION; /* fused for inference alone */
}

const espl__kernel espl__kernel_reference_dense_forward = {
    .name = "reference_dense_forward",
    .op = "dense",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_dense_backward_inputs = {
    .name = "reference_dense_backward_inputs",
    .op = "dense",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits_backward,
    .run = backward_inputs,
};

const espl__kernel espl__kernel_reference_dense_backward_parameters = {
    .name = "reference_dense_backward_parameters",
    .op = "dense",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits_backward,
    .run = backward_parameters,
};
