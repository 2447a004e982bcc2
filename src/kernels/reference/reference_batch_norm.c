/* batch_norm with the batch's own statistics: every shard gives count, mean and sum of squared
 * deviations (M2) of each channel, which are merged pairwise in a fixed tree (Chan, Golub and
 * LeVeque 1979) in double. The gradient needs two more sums over the batch, merged in the same
 * tree. */
#include "kernels/reference/reference.h"
#include "ops/batch_norm.h"

#include <math.h>

/* What a shard hands to the merge: for each channel two numbers, forward mean and M2, backward the
 * sums of dy and of dy * xh. */
typedef struct pair {
    double a, b;
} pair;

static bool fits(const espl__case *at)
{
    return at->training;
}

static espl_status prepare(espl_context *ctx, const espl__case *at, espl__needs *needs,
                           void **state)
{
    const size_t channels = (size_t)espl__shape_channels(at->output);

    (void)ctx, (void)state;
    needs->sums = channels * sizeof(pair);
    needs->shared = 2 * channels * sizeof(float);
    return ESPL_OK;
}

/* ---- forward ---- */

static void forward_sums(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0);
    const double count = (double)(call->valid * x.pixels);
    pair *sums = call->sums;

    for (int64_t c = 0; c < x.channels; c++) {
        double mean = 0, m2 = 0;
        for (int64_t n = 0; n < call->valid; n++)
            for (int64_t p = 0; p < x.pixels; p++)
                mean += call->inputs[0][espl__at(&x, n, c, p)];
        mean = count > 0 ? mean / count : 0;
        for (int64_t n = 0; n < call->valid; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const double deviation = call->inputs[0][espl__at(&x, n, c, p)] - mean;
                m2 += deviation * deviation;
            }
        sums[c] = (pair){ mean, m2 };
    }
}

/* (count, mean, M2) of two parts become those of both. */
static pair merge_moments(double count_1, pair one, double count_2, pair two)
{
    const double count = count_1 + count_2, delta = two.a - one.a;

    if (count == 0)
        return one;
    return (pair){ one.a + delta * count_2 / count,
                   one.b + two.b + delta * delta * count_1 * count_2 / count };
}

/* Merges shards [first, end) of one channel: the left half of the tree, then the right one. The
 * left half has the largest power of two that is smaller than the number of shards. */
static pair merge_tree(const espl__merge_call *call, int64_t channel, int first, int end,
                       double *count)
{
    int half = 1;

    if (end - first == 1) {
        *count = (double)(call->valid[first] * espl__shape_pixels(call->at->output));
        return ((const pair *)call->sums[first])[channel];
    }
    while (half * 2 < end - first)
        half *= 2;
    double left_count, right_count;
    const pair left = merge_tree(call, channel, first, first + half, &left_count);
    const pair right = merge_tree(call, channel, first + half, end, &right_count);
    *count = left_count + right_count;
    return merge_moments(left_count, left, right_count, right);
}

static void forward_merge(const espl__merge_call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const int64_t channels = espl__shape_channels(call->at->output);
    const double m = a->momentum;
    float *mean = call->shared, *inverse = mean + channels;

    for (int64_t c = 0; c < channels; c++) {
        double count;
        const pair moments = merge_tree(call, c, 0, call->shards, &count);
        const double variance = moments.b / count;
        const double unbiased = count > 1 ? moments.b / (count - 1) : variance;
        mean[c] = (float)moments.a;
        inverse[c] = (float)(1 / sqrt(variance + a->epsilon));
        call->parameters[2][c] = (float)((1 - m) * call->parameters[2][c] + m * moments.a);
        call->parameters[3][c] = (float)((1 - m) * call->parameters[3][c] + m * unbiased);
    }
}

static void forward(const espl__call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const bool residual = call->at->input_count > 1;
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const espl__layout r = espl__layout_of_input(call->at, residual);
    const float *scale = call->parameters[0], *shift = call->parameters[1];
    const float *mean = call->shared, *inverse = mean + x.channels;

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const double xh =
                    ((double)call->inputs[0][espl__at(&x, n, c, p)] - mean[c]) * inverse[c];
                const double added = residual ? call->inputs[1][espl__at(&r, n, c, p)] : 0;
                call->output[espl__at(&y, n, c, p)] =
                    espl__activate(a->activation, (float)(xh * scale[c] + shift[c] + added));
            }
}

/* ---- backward ---- */

/* Also moves the gradient behind the activation, in place: it is the residual's, and `run` goes on
 * from there. */
static void backward_sums(const espl__call *call)
{
    const espl__batch_norm *a = call->node->attributes;
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const float *mean = call->forward_shared, *inverse = mean + x.channels;
    pair *sums = call->sums;

    for (int64_t c = 0; c < x.channels; c++) {
        pair sum = { 0, 0 };
        for (int64_t n = 0; n < call->valid; n++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const int64_t o = espl__at(&y, n, c, p);
                const float dy =
                    espl__activate_back(a->activation, call->output[o], call->grad_output[o]);
                const double xh =
                    ((double)call->inputs[0][espl__at(&x, n, c, p)] - mean[c]) * inverse[c];
                call->grad_output[o] = dy;
                sum.a += dy;
                sum.b += dy * xh;
            }
        sums[c] = sum;
    }
}

static pair add_tree(const espl__merge_call *call, int64_t channel, int first, int end)
{
    int half = 1;

    if (end - first == 1)
        return ((const pair *)call->sums[first])[channel];
    while (half * 2 < end - first)
        half *= 2;
    const pair left = add_tree(call, channel, first, first + half);
    const pair right = add_tree(call, channel, first + half, end);
    return (pair){ left.a + right.a, left.b + right.b };
}

static void backward_merge(const espl__merge_call *call)
{
    const int64_t channels = espl__shape_channels(call->at->output);
    float *mean_dy = call->shared, *mean_dy_xh = mean_dy + channels;
    double count = 0;

    for (int i = 0; i < call->shards; i++)
        count += (double)(call->valid[i] * espl__shape_pixels(call->at->output));
    for (int64_t c = 0; c < channels; c++) {
        const pair sum = add_tree(call, c, 0, call->shards);
        mean_dy[c] = (float)(sum.a / count);
        mean_dy_xh[c] = (float)(sum.b / count);
        if (call->grad_parameters[0])
            call->grad_parameters[0][c] = (float)sum.b;
        if (call->grad_parameters[1])
            call->grad_parameters[1][c] = (float)sum.a;
    }
}

static void backward(const espl__call *call)
{
    const espl__layout x = espl__layout_of_input(call->at, 0), y = espl__layout_of_output(call->at);
    const float *mean = call->forward_shared, *inverse = mean + x.channels,
                *scale = call->parameters[0];
    const float *mean_dy = call->shared, *mean_dy_xh = mean_dy + x.channels;

    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < x.channels; c++)
            for (int64_t p = 0; p < x.pixels; p++) {
                const int64_t i = espl__at(&x, n, c, p), o = espl__at(&y, n, c, p);
                const double dy = call->grad_output[o];
                const double xh = ((double)call->inputs[0][i] - mean[c]) * inverse[c];
                if (call->grad_inputs[0])
                    call->grad_inputs[0][i] = (float)((double)scale[c] * inverse[c] *
                                                      (dy - mean_dy[c] - xh * mean_dy_xh[c]));
            }
}

const espl__kernel espl__kernel_reference_batch_norm_forward = {
    .name = "reference_batch_norm_forward",
    .op = "batch_norm",
    .role = ESPL__FORWARD,
    .fits = fits,
    .prepare = prepare,
    .sums = forward_sums,
    .merge = forward_merge,
    .run = forward,
};

const espl__kernel espl__kernel_reference_batch_norm_backward = {
    .name = "reference_batch_norm_backward",
    .op = "batch_norm",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .prepare = prepare,
    .sums = backward_sums,
    .merge = backward_merge,
    .run = backward,
};
