/* group_norm: each sample brought to mean 0 and variance 1 over groups of channels (Wu and He 2018,
 * arXiv:1803.08494), then scaled and shifted by channel. One group has the statistics of layer
 * norm, as many groups as channels is instance norm (Ulyanov et al. 2016, arXiv:1607.08022). */
#include "ops/ops.h"
#include "ops/sample_norm.h"

#include <inttypes.h>

static const espl_option attributes[] = {
    ESPL_COUNT(espl__group_norm, groups, "32", 0, 1 << 24,
               "groups of channels; 0: one for each (instance norm)"),
    ESPL_REAL(espl__group_norm, epsilon, "1e-5", 1e-12, 1, "added to the variance"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__group_norm *a = call->attributes;
    const int64_t channels = espl__shape_channels(call->input[0]),
                  groups = a->groups ? a->groups : channels;
    espl_status s;

    if ((s = espl__op_check_count(call, "groups", a->groups, 0, 1 << 24)) ||
        (s = espl__op_check_real(call, "epsilon", a->epsilon, 1e-12, 1)))
        return s;
    if (channels % groups)
        return espl__fail(call->ctx, ESPL_BAD_OPTION,
                          "%" PRId64 " groups do not divide %" PRId64
                          " channels; the channels must be a multiple",
                          groups, channels);
    if (channels / groups * espl__shape_pixels(call->input[0]) < 2)
        return espl__fail(
            call->ctx, ESPL_BAD_SHAPE,
            "each group holds one value, but at least two are expected, or the output would be the "
            "shift alone; use fewer groups");
    espl__op_parameter(call, "scale", ESPL_NORM_SCALE, espl__shape_vector(channels),
                       ESPL__FILL_ONE);
    espl__op_parameter(call, "shift", ESPL_NORM_SHIFT, espl__shape_vector(channels),
                       ESPL__FILL_ZERO);
    return espl__op_finish(call, call->input[0], 0);
}

const espl__op espl__op_group_norm = {
    .name = "group_norm",
    .summary = "each sample normalized over groups of channels",
    .size = sizeof(espl__group_norm),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
