/* Attributes of conv2d, read by its kernels. */
#ifndef ESPL_CONV2D_H
#define ESPL_CONV2D_H

#include "graph/op.h"
#include "ops/window.h"

enum {
    ESPL__NO_ACTIVATION,
    ESPL__RELU,
    ESPL__RELU6,
};

/* Parameters in order: weight (out, in/groups, kh, kw), bias if `bias`, and if `folded` the scale,
 * shift, mean and variance of the batch norm that followed:
 *     y = activation((conv(x) + bias - mean) * scale / sqrt(variance + epsilon) + shift + residual)
 * The residual is the second input, if there is one. The last three attributes are set by fusing
 * for inference alone, never by a user. */
typedef struct espl__conv2d {
    int64_t channels;
    espl_counts kernel;   /* one value or (height, width) */
    espl_counts stride;   /* one value or (vertical, horizontal) */
    espl_counts pad;      /* one value, (vertical, horizontal) or (top, left, bottom, right) */
    espl_counts dilation; /* one value or (vertical, horizontal) */
    int64_t groups;       /* 0: as many as input channels (depthwise) */
    bool bias;
    int activation;
    bool folded;
    double epsilon;
} espl__conv2d;

/* What is fused into a convolution is fused for inference: only one without has gradients. */
static inline bool espl__conv2d_has_gradient(const espl__conv2d *attributes, int input_count)
{
    return !attributes->folded && attributes->activation == ESPL__NO_ACTIVATION && input_count == 1;
}

/* The same with every pair and the groups spelled out. */
espl__window espl__conv2d_window(const espl__conv2d *attributes, int64_t input_channels);

#endif
