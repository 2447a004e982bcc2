/* dense by oneDNN's matrix product: Y = X W^T + b, dX = dY W, dW = dY^T X. Row-major throughout, so
 * nothing is ever packed or reordered. Inside a parallel region the product is single-threaded. */
#include "kernels/onednn/onednn.h"

#include "ops/conv2d.h"
#include "ops/dense.h"

static bool fits(const espl__case *at)
{
    const espl__dense *a = at->node->attributes;

    return at->input[0].rank == 1 &&
           (at->role == ESPL__FORWARD || a->activation == ESPL__NO_ACTIVATION);
}

static float activated(float value, int activation)
{
    if (activation == ESPL__NO_ACTIVATION)
        return value;
    const float positive = value > 0 ? value : 0;
    return activation == ESPL__RELU6 && positive > 6 ? 6 : positive;
}

static void forward(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t rows = call->samples, features = call->at->input[0].dim[0], units = a->units;

    const int before = onednn_threads(call->at->threads);
    dnnl_sgemm('N', 'T', rows, units, features, 1.0f, call->inputs[0], features, call->parameters[0],
               features, 0.0f, call->output, units);
    onednn_threads(before);
    for (int64_t n = 0; n < rows; n++) {
        float *y = call->output + n * units;
        for (int64_t u = 0; u < units; u++)
            y[u] = activated(a->bias ? y[u] + call->parameters[1][u] : y[u], a->activation);
    }
}

static void backward_inputs(const espl__call *call)
{
    const int64_t features = call->at->input[0].dim[0], units = call->at->output.dim[0];

    dnnl_sgemm('N', 'N', call->samples, features, units, 1.0f, call->grad_output, units,
               call->parameters[0], features, 0.0f, call->grad_inputs[0], features);
}

static void backward_parameters(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t features = call->at->input[0].dim[0], units = a->units;
    float *bias = a->bias ? call->grad_parameters[1] : NULL;

    if (call->grad_parameters[0])
        dnnl_sgemm('T', 'N', units, features, call->valid, 1.0f, call->grad_output, units, call->inputs[0],
                   features, call->add ? 1.0f : 0.0f, call->grad_parameters[0], features);
    for (int64_t u = 0; bias && u < units; u++) {
        float sum = call->add ? bias[u] : 0.0f;
        for (int64_t n = 0; n < call->valid; n++)
            sum += call->grad_output[n * units + u];
        bias[u] = sum;
    }
}

const espl__kernel espl__kernel_onednn_dense_forward = {
    .name = "onednn_dense_forward",
    .op = "dense",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel espl__kernel_onednn_dense_backward_inputs = {
    .name = "onednn_dense_backward_inputs",
    .op = "dense",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits,
    .run = backward_inputs,
};

const espl__kernel espl__kernel_onednn_dense_backward_parameters = {
    .name = "onednn_dense_backward_parameters",
    .op = "dense",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits,
    .run = backward_parameters,
};

/* ---- large weights: each part makes the gradient of some units from the whole batch ---- */

#define SPLIT_BYTES ((int64_t)2 << 20) /* weights from this size on */
#define PART_BYTES ((int64_t)1 << 20)

static int64_t units_of_part(const espl__case *at)
{
    const int64_t units = PART_BYTES / (at->input[0].dim[0] * (int64_t)sizeof(float));

    return units < 16 ? 16 : units;
}

static bool fits_split(const espl__case *at)
{
    return fits(at) && at->shards > 1 &&
           at->input[0].dim[0] * at->output.dim[0] * (int64_t)sizeof(float) >= SPLIT_BYTES;
}

static espl_status prepare_split(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const int64_t each = units_of_part(at);

    (void)ctx;
    *state = NULL;
    needs->parts = (int)((at->output.dim[0] + each - 1) / each);
    return ESPL_OK;
}

static void split_bias(const espl__merge_call *call, int64_t first, int64_t end)
{
    const int64_t units = call->at->output.dim[0];
    float *bias = call->grad_parameters[1];

    for (int64_t u = first; u < end; u++) {
        double sum = 0;
        for (int s = 0; s < call->shards; s++)
            for (int64_t n = 0; n < call->valid[s]; n++)
                sum += (double)call->grad_outputs[s][n * units + u];
        bias[u] = (float)sum;
    }
}

static void merge_split(const espl__merge_call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t features = call->at->input[0].dim[0], units = a->units, each = units_of_part(call->at);
    const int64_t first = call->part * each, end = first + each < units ? first + each : units;

    for (int s = 0; call->grad_parameters[0] && s < call->shards; s++)
        dnnl_sgemm('T', 'N', end - first, features, call->valid[s], 1.0f, call->grad_outputs[s] + first,
                   units, call->inputs[s], features, s ? 1.0f : 0.0f,
                   call->grad_parameters[0] + first * features, features);
    if (a->bias && call->grad_parameters[1])
        split_bias(call, first, end);
}

const espl__kernel espl__kernel_onednn_dense_backward_parameters_split = {
    .name = "onednn_dense_backward_parameters_split",
    .op = "dense",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits_split,
    .prepare = prepare_split,
    .merge = merge_split,
};
