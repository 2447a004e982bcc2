/* flatten, reshape and transpose: every output value is one input value, found by its logical
 * place. */
#include "kernels/reference/reference.h"
#include "ops/arrange.h"

/* Input value, in logical order, that output value `o` is. */
static int64_t source(const espl__case *at, int64_t o)
{
    int64_t place[ESPL__RANK_MAX] = { 0 }, i = 0;

    if (!espl__text_equal(at->node->op->name, "transpose"))
        return o;
    const espl__transpose *a = at->node->attributes;
    for (int d = at->output.rank - 1; d >= 0; d--) {
        place[a->order.item[d]] = o % at->output.dim[d];
        o /= at->output.dim[d];
    }
    for (int d = 0; d < at->output.rank; d++)
        i = i * at->input[0].dim[d] + place[d];
    return i;
}

static void forward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    for (int64_t o = 0; o < out.size; o++) {
        const int64_t i = source(call->at, o);
        for (int64_t n = 0; n < call->samples; n++)
            call->output[espl__at_flat(&out, n, o)] = call->inputs[0][espl__at_flat(&in, n, i)];
    }
}

static void backward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    for (int64_t o = 0; o < out.size; o++) {
        const int64_t i = source(call->at, o);
        for (int64_t n = 0; n < call->samples; n++)
            call->grad_inputs[0][espl__at_flat(&in, n, i)] =
                call->grad_output[espl__at_flat(&out, n, o)];
    }
}

/* One pair of kernels for each op. */
#define ARRANGE(of)                                               \
    const espl__kernel espl__kernel_reference_##of##_forward = {  \
        .name = "reference_" #of "_forward",                      \
        .op = #of,                                                \
        .role = ESPL__FORWARD,                                    \
        .fits = espl__fits_always,                                \
        .run = forward,                                           \
    };                                                            \
    const espl__kernel espl__kernel_reference_##of##_backward = { \
        .name = "reference_" #of "_backward",                     \
        .op = #of,                                                \
        .role = ESPL__BACKWARD,                                   \
        .fits = espl__fits_always,                                \
        .run = backward,                                          \
    };
ARRANGE(flatten)
ARRANGE(reshape)
ARRANGE(transpose)
