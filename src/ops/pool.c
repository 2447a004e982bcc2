/* What max_pool and avg_pool share: the window and the shape rule. */
#include "ops/pool.h"

#include "ops/ops.h"

#include <inttypes.h>

espl__window espl__pool_window(const espl__pool *a)
{
    espl__window window = espl__window_of(&a->kernel, &a->stride, &a->pad, NULL);

    for (int axis = 0; axis < 2; axis++)
        if (a->stride.count == 0 || window.stride[axis] == 0)
            window.stride[axis] = window.kernel[axis];
    return window;
}

espl_status espl__pool_shape(espl__shape_call *call)
{
    const espl__pool *a = call->attributes;
    const espl_counts stride = { .count = 0 };
    const unsigned up_to_two = 1u << 0 | 1u << 1 | 1u << 2;
    int64_t size[2];
    espl_status s;

    if ((s = espl__op_needs_planes(call, 0)) ||
        (s = espl__op_check_window(call, &a->kernel, &stride, &a->pad, NULL)) ||
        (s = espl__op_check_counts(call, "stride", &a->stride, up_to_two, 0, 1 << 20)))
        return s;
    const espl__window w = espl__pool_window(a);
    if (w.kernel[0] * w.kernel[1] > UINT16_MAX)
        return espl__fail(call->ctx, ESPL_BAD_OPTION,
                          "kernel covers %" PRId64
                          " values, but at most %d are expected; a global pooling takes "
                          "whole planes",
                          w.kernel[0] * w.kernel[1], UINT16_MAX);
    for (int axis = 0; axis < 2; axis++)
        if (w.before[axis] >= w.kernel[axis] || w.after[axis] >= w.kernel[axis])
            return espl__fail(call->ctx, ESPL_BAD_OPTION,
                              "pad is %" PRId64 " and %" PRId64 " for a kernel of %" PRId64
                              ", but must be smaller than it, or a window would hold padding alone",
                              w.before[axis], w.after[axis], w.kernel[axis]);
    if ((s = espl__op_window_output(call, &w, a->ceil, size)))
        return s;
    return espl__op_finish(call, espl__shape_planes(call->input[0].dim[0], size[0], size[1]), 0);
}
