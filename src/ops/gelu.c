/* gelu: y = x * Phi(x), Phi the normal distribution (Hendrycks and Gimpel 2016, arXiv:1606.08415);
 * the tanh form is 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))). */
#include "ops/activations.h"
#include "ops/ops.h"

static const espl_option attributes[] = { ESPL_CHOICE(
                                              espl__gelu, form, "exact", "exact|tanh",
                                              "by the error function, or approximated by tanh"),
                                          ESPL_OPTIONS_END };

static espl_status shape(espl__shape_call *call)
{
    const espl__gelu *a = call->attributes;
    const espl_status s =
        espl__op_check_count(call, "form", a->form, ESPL__GELU_EXACT, ESPL__GELU_TANH);

    return s ? s : espl__op_same_shape(call);
}

const espl__op espl__op_gelu = {
    .name = "gelu",
    .summary = "x times the normal distribution at x",
    .size = sizeof(espl__gelu),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_INPUTS,
    .flags = ESPL__IS_ACTIVATION,
    .shape = shape,
};
