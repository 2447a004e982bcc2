/* Dense layers whose weights stay in the second cache, for the samples of a shard: Y = X W^T + b,
 * dX = dY W, dW = dY^T X. X and Y lie (samples x features), W (units x features), so that nothing is packed.
 * Every element is one chain of sums in the order of what is summed, whatever block it falls into. */
#ifndef ESPL_VECTOR_DENSE_H
#define ESPL_VECTOR_DENSE_H

#include "kernels/vector/activation.h"
#include "ops/dense.h"

/* Larger weights are read again for every shard, and a library's blocking pays. */
#define DENSE_BYTES_MAX ((int64_t)2 << 20)
/* From this size on lanes would cost more memory traffic than the product itself: gradients are summed over
 * the whole batch instead, so many units a part. */
#define DENSE_BYTES_SPLIT ((int64_t)256 << 10)
#define DENSE_PART_BYTES ((int64_t)128 << 10)

ESPL__INLINE int64_t dense_bytes(const espl__case *at)
{
    return at->input[0].dim[0] * at->output.dim[0] * (int64_t)sizeof(float);
}

ESPL__INLINE bool dense_suits(const espl__case *at)
{
    return at->input[0].rank == 1 && at->samples > 1 && dense_bytes(at) < DENSE_BYTES_MAX;
}

#endif
