/* Attributes of the normalizations within one sample, layer_norm and group_norm, read by their
 * kernels. Parameters: scale, shift. */
#ifndef ESPL_SAMPLE_NORM_H
#define ESPL_SAMPLE_NORM_H

#include "graph/op.h"

enum {
    ESPL__OVER_SAMPLE,
    ESPL__OVER_CHANNELS,
};

typedef struct espl__layer_norm {
    double epsilon;
    int over; /* the whole sample, or the channels at each pixel */
} espl__layer_norm;

typedef struct espl__group_norm {
    double epsilon;
    int64_t groups; /* 0: as many as channels (instance norm) */
} espl__group_norm;

#endif
