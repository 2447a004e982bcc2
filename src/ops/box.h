/* Attributes of slice and pad, read by their kernels. Lists follow the sample's dimensions
 * (channels, height, width), or the only one of a vector; what a list leaves out has its default.
 */
#ifndef ESPL_BOX_H
#define ESPL_BOX_H

#include "graph/op.h"

typedef struct espl__slice {
    espl_counts begin; /* first index taken; default 0, negative: from the end */
    espl_counts end;   /* first index not taken; default and 0: all, negative: from the end */
    espl_counts step;  /* default 1 */
} espl__slice;

typedef struct espl__pad {
    espl_counts before, after; /* how many values to put in front and behind; default 0 */
    double value;
} espl__pad;

/* A box of values that is copied: along each dimension value i comes from source + i * step of the
 * input and goes to target + i of the output. Dimensions that a shape does not have count 1. */
typedef struct espl__box {
    int64_t count[ESPL__RANK_MAX], source[ESPL__RANK_MAX], step[ESPL__RANK_MAX],
        target[ESPL__RANK_MAX];
} espl__box;
espl__box espl__slice_box(const espl__slice *attributes, espl__shape input);
espl__box espl__pad_box(const espl__pad *attributes, espl__shape input);
/* The box of input `i` of a concatenation along the channels. */
espl__box espl__concat_box(const espl__shape *inputs, int i);

#endif
