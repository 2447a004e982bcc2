/* Attribute lists of windows spelled out, and the size of what a window gives. */
#include "ops/window.h"

#include "ops/ops.h"

#include <inttypes.h>

static int64_t of_pair(const espl_counts *list, int axis, int64_t fallback)
{
    if (!list || list->count < 1)
        return fallback;
    return list->item[list->count > 1 ? axis : 0];
}

espl__window espl__window_of(const espl_counts *kernel, const espl_counts *stride,
                             const espl_counts *pad, const espl_counts *dilation)
{
    espl__window window = { .groups = 1 };

    for (int axis = 0; axis < 2; axis++) {
        window.kernel[axis] = of_pair(kernel, axis, 1);
        window.stride[axis] = of_pair(stride, axis, 1);
        window.dilation[axis] = of_pair(dilation, axis, 1);
        window.before[axis] = of_pair(pad, axis, 0);
        window.after[axis] = pad && pad->count == 4 ? pad->item[2 + axis] : window.before[axis];
    }
    return window;
}

espl_status espl__op_check_window(const espl__shape_call *call, const espl_counts *kernel,
                                  const espl_counts *stride, const espl_counts *pad,
                                  const espl_counts *dilation)
{
    const unsigned none = 1u << 0, one_or_two = 1u << 1 | 1u << 2, four = 1u << 4;
    const int64_t most = 1 << 20; /* products of three such numbers cannot overflow */
    espl_status s;

    if ((s = espl__op_check_counts(call, "kernel", kernel, one_or_two, 1, most)) ||
        (s = espl__op_check_counts(call, "stride", stride, none | one_or_two, 1, most)) ||
        (s = espl__op_check_counts(call, "pad", pad, none | one_or_two | four, 0, most)))
        return s;
    return dilation ? espl__op_check_counts(call, "dilation", dilation, none | one_or_two, 1, most)
                    : ESPL_OK;
}

espl_status espl__op_window_output(const espl__shape_call *call, const espl__window *window,
                                   bool ceil, int64_t size[2])
{
    static const char *const names[] = { "high", "wide" };

    for (int axis = 0; axis < 2; axis++) {
        const int64_t input = call->input[0].dim[1 + axis], stride = window->stride[axis];
        const int64_t padded = input + window->before[axis] + window->after[axis];
        const int64_t reach = (window->kernel[axis] - 1) * window->dilation[axis] + 1;
        if (reach > padded)
            return espl__fail(
                call->ctx, ESPL_BAD_SHAPE,
                "the window is %" PRId64 " %s but the input with its padding only %" PRId64
                " (%" PRId64 " + %" PRId64 " + %" PRId64 "); use a smaller kernel, more padding "
                "or a larger input",
                reach, names[axis], padded, input, window->before[axis], window->after[axis]);
        size[axis] = (padded - reach) / stride + 1;
        if (ceil && (padded - reach) % stride && size[axis] * stride < input + window->before[axis])
            size[axis]++;
    }
    return ESPL_OK;
}
