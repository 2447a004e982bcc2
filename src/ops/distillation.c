/* distillation: cross entropy with the label, and with what a teacher answers (Hinton, Vinyals and Dean 2015,
 * arXiv:1503.02531, section 2). With soft targets q = softmax(teacher's logits / T) and the teacher's share a:
 *   (1 - a) H(label, softmax(z)) + a T^2 H(q, softmax(z / T))
 * dz = (1 - a) (softmax(z) - label) + a T (softmax(z / T) sum(q) - q). The factor T^2 keeps the teacher's part of
 * the gradient as large as it is at T = 1. Without soft targets the label counts alone and whole.
 * Of a teacher that knows only the first classes, q and softmax(z / T) are among those (Li and Hoiem 2016,
 * arXiv:1606.09282, equation 3); with `apart`, the label's cross entropy of a class that it does not know is among the
 * classes that it does not know, so that learning them does not push down the others. */
#include "ops/loss.h"
#include "ops/ops.h"

static const espl_option attributes[] = {
    ESPL_REAL(espl__distillation, temperature, "1", 0.01, 1000, "logits are divided by it before the softmax"),
    ESPL_REAL(espl__distillation, share, "0.5", 0, 1, "of the teacher in the loss"),
    ESPL_COUNT(espl__distillation, known, "0", 0, 1 << 24, "the teacher knows so many of the first classes, and softmax(z / T) is taken among those; 0: all"),
    ESPL_FLAG(espl__distillation, apart, "no", "the label's softmax, where the teacher does not know the label, is among the classes that it does not know"),
    ESPL_OPTIONS_END
};

static espl_status shape(espl__shape_call *call)
{
    const espl__distillation *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_vector(call, 0)) ||
        (s = espl__op_check_real(call, "temperature", a->temperature, 0.01, 1000)) ||
        (s = espl__op_check_real(call, "share", a->share, 0, 1)))
        return s;
    if (call->input[0].dim[0] < 2)
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "the input has one value, but logits of at least two classes are expected");
    if (a->known < 0 || a->known > call->input[0].dim[0])
        return espl__fail(call->ctx, ESPL_BAD_OPTION, "known is %lld, but of %lld classes 0..%lld can be known",
                          (long long)a->known, (long long)call->input[0].dim[0], (long long)call->input[0].dim[0]);
    return espl__op_finish(call, espl__shape_vector(1), 0);
}

const espl__op espl__op_distillation = {
    .name = "distillation",
    .summary = "cross entropy with the label and with a teacher's softened answer",
    .size = sizeof(espl__distillation),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_LOSS,
    .shape = shape,
};
