/* softmax_cross_entropy: -sum over k of t[k] * log softmax(z)[k], t the label as one-hot or a soft
 * target, smoothed if asked (Szegedy et al. 2016, arXiv:1512.00567). dz = softmax(z) * sum(t) - t.
 */
#include "ops/loss.h"
#include "ops/ops.h"

static const espl_option attributes[] = { ESPL_REAL(
                                              espl__cross_entropy, label_smoothing, "0", 0, 1,
                                              "share of the target spread evenly over all classes"),
                                          ESPL_OPTIONS_END };

static espl_status shape(espl__shape_call *call)
{
    const espl__cross_entropy *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_vector(call, 0)) ||
        (s = espl__op_check_real(call, "label-smoothing", a->label_smoothing, 0, 1)))
        return s;
    if (call->input[0].dim[0] < 2)
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "the input has one value, but at least two classes are expected; "
                          "binary_cross_entropy takes a single output");
    return espl__op_finish(call, espl__shape_vector(1), 0);
}

const espl__op espl__op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .summary = "cross entropy between targets and the softmax of the logits",
    .size = sizeof(espl__cross_entropy),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_LOSS,
    .shape = shape,
};
