/* Attributes of combine, read by its kernels and written by who builds an ensemble. */
#ifndef ESPL_COMBINE_H
#define ESPL_COMBINE_H

#include "graph/op.h"

enum { ESPL__COMBINE_MEAN,
       ESPL__COMBINE_VOTE,
       ESPL__COMBINE_LOGITS };

typedef struct espl__combine {
    int by;             /* as above */
    espl_reals weights; /* of the members, adding up to 1; one value or none: all the same */
} espl__combine;

/* The share of member `m` of `members`. */
static inline double espl__combine_weight(const espl__combine *attributes, int m, int members)
{
    return attributes->weights.count > 1 ? attributes->weights.item[m] : 1.0 / members;
}

#endif
