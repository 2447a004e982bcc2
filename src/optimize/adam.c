/* Adam (Kingma and Ba 2014): every weight steps by the mean of its gradient over the root of its mean
 * square, both corrected for having begun at zero.
 *
 *   m = b1 m + (1-b1) g         v = b2 v + (1-b2) g^2
 *   w = w - rate (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)       t = 1, 2, ...
 *
 * t counts the updates of each parameter by itself, so that a layer unfrozen late is corrected like
 * one that began late. Decay, if any, is added to the gradient; for decay apart from it see adamw.c. */
#include "optimize/adam.h"

#include "kernels/wide.h"

#include <math.h>

static const espl_option options[] = {
    ESPL__ADAM_OPTIONS("0", "weight decay, added to the gradient of weights as decay * weight"),
    ESPL_OPTIONS_END
};

static ESPL__WIDE_BODY void update_body(const void *self, const espl__update *block)
{
    const espl__adam *s = self;
    float *restrict w = block->value, *restrict m = block->state[0], *restrict v = block->state[1];
    const float *restrict g = block->gradient;
    const double t = (double)block->times;
    const float b1 = (float)s->beta1, b2 = (float)s->beta2;
    /* 1 - beta is taken in double: 1 - 0.999f would be off in the fourth digit */
    const float c1 = (float)(1 - s->beta1), c2 = (float)(1 - s->beta2);
    const float step = (float)(block->rate / (1 - pow(s->beta1, t)));
    const float correction = (float)(1 / (1 - pow(s->beta2, t)));
    const float epsilon = (float)s->epsilon;

    for (int64_t i = 0; i < block->count; i++) {
        m[i] = b1 * m[i] + c1 * g[i];
        v[i] = b2 * v[i] + c2 * (g[i] * g[i]);
        w[i] -= step * m[i] / (sqrtf(v[i] * correction) + epsilon);
    }
}
ESPL__WIDE(update, update_body, (const void *self, const espl__update *block), (self, block))

void espl__adam_update(const void *self, const espl__update *block)
{
    update(self, block);
}

const espl__optimizer espl__optimizer_adam = {
    .name = "adam",
    .summary = "steps scaled by the gradient's mean and mean square, decay in the gradient",
    .paper = "Kingma and Ba, Adam: a method for stochastic optimization, arXiv:1412.6980",
    .size = sizeof(espl__adam),
    .options = options,
    .states = { "mean", "square" },
    .momentum = offsetof(espl__adam, beta1),
    .update = update,
};
