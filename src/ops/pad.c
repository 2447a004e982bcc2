/* pad: a constant put around the sample, along each dimension. The gradient is the inner part. */
#include "ops/box.h"
#include "ops/ops.h"

#include <float.h>

#define MOST ((int64_t)1 << 30)

static const espl_option attributes[] = {
    ESPL_COUNTS(espl__pad, before, "0", 0, 0x1p30,
                "how many values in front, in (channels, height, width)"),
    ESPL_COUNTS(espl__pad, after, "0", 0, 0x1p30, "how many values behind"),
    ESPL_REAL(espl__pad, value, "0", -FLT_MAX, FLT_MAX, "the constant"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__pad *a = call->attributes;
    espl__shape output = call->input[0];
    const unsigned counts = (2u << output.rank) - 1;
    espl_status s;

    if ((s = espl__op_check_counts(call, "before", &a->before, counts, 0, MOST)) ||
        (s = espl__op_check_counts(call, "after", &a->after, counts, 0, MOST)) ||
        (s = espl__op_check_real(call, "value", a->value, -FLT_MAX, FLT_MAX)))
        return s;
    for (int d = 0; d < output.rank; d++)
        output.dim[d] += (d < a->before.count ? a->before.item[d] : 0) +
                         (d < a->after.count ? a->after.item[d] : 0);
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_pad = {
    .name = "pad",
    .summary = "a constant put around each dimension",
    .size = sizeof(espl__pad),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
