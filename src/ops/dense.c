/* dense: y = W x + b. dx = W^T dy, dW = sum over samples of dy x^T, db = sum of dy. */
#include "ops/dense.h"

#include "ops/conv2d.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_COUNT(espl__dense, units, NULL, 1, 1 << 24, "outputs"),
    ESPL_FLAG(espl__dense, bias, "yes", "add a number to each output"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__dense *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_vector(call, 0)) ||
        (s = espl__op_check_count(call, "units", a->units, 1, 1 << 24)) ||
        (s = espl__op_check_count(call, "activation", a->activation, ESPL__NO_ACTIVATION,
                                  ESPL__RELU6)))
        return s;
    const int64_t features = call->input[0].dim[0];
    const espl__shape weight = { .rank = 2, .dim = { a->units, features } };
    espl__parameter_spec *spec =
        espl__op_parameter(call, "weight", ESPL_WEIGHT, weight, ESPL__FILL_HE);
    spec->fan_in = features;
    spec->fan_out = a->units;
    if (a->bias)
        espl__op_parameter(call, "bias", ESPL_BIAS, espl__shape_vector(a->units), ESPL__FILL_ZERO);
    return espl__op_finish(call, espl__shape_vector(a->units), (double)a->units * (double)features);
}

const espl__op espl__op_dense = {
    .name = "dense",
    .summary = "fully connected: W x + b",
    .size = sizeof(espl__dense),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
