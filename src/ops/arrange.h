/* Attributes of reshape, transpose and resize, read by their kernels. */
#ifndef ESPL_ARRANGE_H
#define ESPL_ARRANGE_H

#include "graph/op.h"

typedef struct espl__reshape {
    espl_counts shape; /* of the sample; -1 once: whatever is left */
} espl__reshape;

typedef struct espl__transpose {
    espl_counts
        order; /* dimension d of the output is dimension order[d] of the input, counted from 0 */
} espl__transpose;

enum {
    ESPL__NEAREST,
    ESPL__BILINEAR,
};
enum {
    ESPL__HALF_PIXEL,
    ESPL__ALIGN_CORNERS,
    ESPL__ASYMMETRIC,
};

typedef struct espl__resizing {
    espl_counts size; /* one value or (height, width); 0 or empty: by scale */
    espl_reals scale; /* one value or (vertical, horizontal) */
    int mode;
    int place; /* how output places map to input places */
} espl__resizing;

/* The two input rows (or columns) that output `o` of `outputs` reads, and the share of the second.
 */
typedef struct espl__resize_tap {
    int64_t first, second;
    double share;
} espl__resize_tap;
espl__resize_tap espl__resize_at(const espl__resizing *attributes, int64_t inputs, int64_t outputs,
                                 int64_t o);

#endif
