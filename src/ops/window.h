/* A window that slides over planes (convolution, pooling), with every pair spelled out. Index 0 is
 * vertical, 1 is horizontal. */
#ifndef ESPL_WINDOW_H
#define ESPL_WINDOW_H

#include "base/base.h"
#include <espalier/technique.h>

typedef struct espl__window {
    int64_t kernel[2], stride[2], dilation[2];
    int64_t before[2], after[2]; /* padding */
    int64_t groups;
} espl__window;

/* From attribute lists: one value or a pair; padding may also be (top, left, bottom, right). An
 * empty list, or NULL for `dilation`, stands for no stride, no padding, no dilation. */
espl__window espl__window_of(const espl_counts *kernel, const espl_counts *stride,
                             const espl_counts *pad, const espl_counts *dilation);

#endif
