/* dropout: kept values times 1 / (1 - q), the others zero; outside of training the identity.
 * Forward and backward make the same draw, so nothing is stored. */
#include "kernels/reference/reference.h"
#include "ops/dropout.h"

/* What value (n, c, p) is multiplied by. */
static float factor(const espl__call *call, int64_t n, int64_t c, int64_t p, int64_t pixels)
{
    const espl__dropout *a = call->node->attributes;

    if (!call->at->training || n >= call->valid || a->rate == 0)
        return 1;
    const int64_t element = a->whole_channels ? c : c * pixels + p;
    const bool kept = espl__dropout_keeps(call->stream, espl__dropout_bound(a),
                                          call->targets->epoch, call->targets->index[n], element);
    return kept ? (float)(1 / (1 - a->rate)) : 0;
}

static void apply(const espl__call *call, const float *from, const espl__layout *f, float *to,
                  const espl__layout *t)
{
    for (int64_t n = 0; n < call->samples; n++)
        for (int64_t c = 0; c < f->channels; c++)
            for (int64_t p = 0; p < f->pixels; p++)
                to[espl__at(t, n, c, p)] =
                    factor(call, n, c, p, f->pixels) * from[espl__at(f, n, c, p)];
}

static void forward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    apply(call, call->inputs[0], &in, call->output, &out);
}

static void backward(const espl__call *call)
{
    const espl__layout in = espl__layout_of_input(call->at, 0),
                       out = espl__layout_of_output(call->at);

    apply(call, call->grad_output, &out, call->grad_inputs[0], &in);
}

const espl__kernel espl__kernel_reference_dropout_forward = {
    .name = "reference_dropout_forward",
    .op = "dropout",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_dropout_backward = {
    .name = "reference_dropout_backward",
    .op = "dropout",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
