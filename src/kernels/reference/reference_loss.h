/* Targets as the losses see them. */
#ifndef ESPL_REFERENCE_LOSS_H
#define ESPL_REFERENCE_LOSS_H

#include "kernels/reference/reference.h"

/* Weight of sample n in the loss; 0 for filler and where there is no target. A label may be 0 ..
 * labels - 1. */
static inline double espl__loss_weight(const espl__call *call, int64_t n, int64_t labels)
{
    const espl__targets *t = call->targets;

    if (n >= call->valid)
        return 0;
    if (!t->soft && (!t->labels || t->labels[n] < 0 || t->labels[n] >= labels))
        return 0;
    return t->weight ? t->weight[n] : 1;
}

/* Target of output k out of `outputs`, of a sample that has one. */
static inline double espl__loss_target(const espl__call *call, int64_t n, int64_t k,
                                       int64_t outputs)
{
    const espl__targets *t = call->targets;

    if (t->soft)
        return t->soft[n * outputs + k];
    return outputs == 1 ? t->labels[n] : t->labels[n] == k;
}

#endif
