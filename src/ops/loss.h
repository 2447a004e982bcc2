/* Attributes of the losses, read by their kernels.
 *
 * A loss gives one number a sample, already times the sample's weight but not divided by the
 * batch's total; its gradient is divided by targets->total_weight. A sample whose label is none of
 * the classes and that has no soft target adds nothing. Filler samples get zero, in value and
 * gradient. */
#ifndef ESPL_LOSS_H
#define ESPL_LOSS_H

#include "graph/op.h"

typedef struct espl__cross_entropy {
    double label_smoothing; /* s: targets become (1 - s) * target + s / classes */
} espl__cross_entropy;

typedef struct espl__distillation {
    double temperature, share; /* T, and a: of the soft targets in the loss */
    int64_t known;             /* the teacher knows so many of the first classes; 0: all */
    bool apart;                /* labels are told from each other alone where the teacher does not know them */
} espl__distillation;

#endif
