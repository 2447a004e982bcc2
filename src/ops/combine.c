/* combine: the logits of several nets become those of their ensemble, so that a softmax behind it gives the
 * ensemble's probabilities. With p[m] = softmax(x[m]), shares w[m] that add up to 1, and M inputs:
 *   mean    y[k] = log(sum over m of w[m] p[m][k]) + logsumexp(x[0])
 *   vote    y[k] = log((M v[k] + mean p[k]) / (M + 1)), v[k] the share of those whose largest logit is k: the
 *           mean probability counts as one more voter, so it decides between equals and no class is impossible
 *   logits  y[k] = sum over m of w[m] x[m][k], the geometric mean of the probabilities
 * What is added in `mean` is the same for all classes: equal inputs come out as they are, to the bit. Votes have
 * no gradient, their tie-breaker has. */
#include "ops/combine.h"

#include "ops/ops.h"

#include <math.h>

static const espl_option attributes[] = {
    ESPL_CHOICE(espl__combine, by, "mean", "mean|vote|logits",
                "the mean of the probabilities, the majority, or the mean of the logits"),
    ESPL_REALS(espl__combine, weights, "1", 0, 1, "shares of the inputs, adding up to 1; one value: all the same"),
    ESPL_OPTIONS_END
};

static espl_status check_weights(const espl__shape_call *call, const espl_reals *weights)
{
    double sum = 0;

    if (weights->count < 2)
        return ESPL_OK;
    if (weights->count != call->input_count)
        return espl__fail(call->ctx, ESPL_BAD_OPTION, "weights has %d values, but %d are expected, one for each input",
                          weights->count, call->input_count);
    for (int m = 0; m < weights->count; m++) {
        const espl_status s = espl__op_check_real(call, "weights", weights->item[m], 0, 1);
        if (s)
            return s;
        sum += weights->item[m];
    }
    if (fabs(sum - 1) <= 1e-6)
        return ESPL_OK;
    return espl__fail(call->ctx, ESPL_BAD_OPTION, "weights add up to %g, but must to 1", sum);
}

static espl_status shape(espl__shape_call *call)
{
    const espl__combine *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_vector(call, 0)) || (s = espl__op_needs_equal(call)) ||
        (s = espl__op_check_count(call, "by", a->by, ESPL__COMBINE_MEAN, ESPL__COMBINE_LOGITS)) ||
        (s = check_weights(call, &a->weights)))
        return s;
    if (call->input[0].dim[0] < 2)
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "the inputs have one value, but logits of at least two classes are expected");
    return espl__op_same_shape(call);
}

const espl__op espl__op_combine = {
    .name = "combine",
    .summary = "the logits of several nets as those of their ensemble",
    .size = sizeof(espl__combine),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = ESPL_LIST_MAX,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
