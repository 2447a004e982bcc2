/* Attributes of max_pool and avg_pool, read by their kernels. */
#ifndef ESPL_POOL_H
#define ESPL_POOL_H

#include "graph/op.h"
#include "ops/window.h"

/* What max_pool saves from forward to backward: for each output value, in the output's own layout,
 * the place of the (first) maximum within the window, ky * kernel width + kx. */
typedef uint16_t espl__pool_tap;

typedef struct espl__pool {
    espl_counts kernel; /* one value or (height, width) */
    espl_counts stride; /* the same; 0 or empty: as the kernel */
    espl_counts pad;    /* one value, (vertical, horizontal) or (top, left, bottom, right) */
    bool ceil;          /* a last window that is only partly filled counts too */
    bool count_padding; /* avg_pool: padding enters the mean as zeros (what lies past it never does)
                         */
} espl__pool;

espl__window espl__pool_window(const espl__pool *attributes);
espl_status espl__pool_shape(espl__shape_call *call);

#endif
