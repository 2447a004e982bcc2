/* Attributes of batch norm, read by its kernels.
 *
 * Parameters: scale, shift, mean, variance (the last two are running statistics). Inputs: x, and a
 * residual if there is a second one:
 *     y = activation((x - mean) / sqrt(variance + epsilon) * scale + shift + residual)
 * In training mean and (biased) variance are those of the batch, and
 *     running = (1 - momentum) * running + momentum * batch, with the unbiased variance.
 * Activation and residual are set by fusing.
 *
 * In training the backward kernel reads what the forward kernel left in `shared`, in a form of
 * their own: kernels that belong together must fit the same cases. */
#ifndef ESPL_BATCH_NORM_H
#define ESPL_BATCH_NORM_H

#include "graph/op.h"

typedef struct espl__batch_norm {
    double epsilon, momentum;
    int activation; /* as in conv2d.h */
} espl__batch_norm;

#endif
