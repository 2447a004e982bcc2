/* RMSprop (Tieleman and Hinton 2012): the gradient over the root of its mean square, with momentum if
 * it is wanted.
 *
 *   v = a v + (1-a) g^2;   u = mu u + g / (sqrt(v) + eps);   w = w - rate u */
#include "optimize/optimizer.h"

#include "kernels/wide.h"

#include <math.h>

typedef struct rmsprop {
    espl__optimizer_common common;
    double memory, epsilon, momentum;
} rmsprop;

static const espl_option options[] = {
    { "rate", ESPL_OPTION_REAL, offsetof(rmsprop, common.rate), sizeof(double), "0.001", 1e-12, 1e6, "find",
      "learning rate; find: by a range test at the beginning" },
    { "decay", ESPL_OPTION_REAL, offsetof(rmsprop, common.decay), sizeof(double), "0", 0, 1e3, NULL,
      "weight decay, added to the gradient of weights as decay * weight" },
    ESPL_REAL(rmsprop, memory, "0.9", 0, 1 - 1e-9, "memory of the mean square of the gradient"),
    ESPL_REAL(rmsprop, epsilon, "1e-8", 1e-30, 1, "added to the root of the mean square"),
    ESPL_REAL(rmsprop, momentum, "0", 0, 1 - 1e-9, "share of the last step that is kept"),
    ESPL_OPTIONS_END
};

static int state_count(const void *self)
{
    return ((const rmsprop *)self)->momentum > 0 ? 2 : 1;
}

static ESPL__WIDE_BODY void update_body(const void *self, const espl__update *block)
{
    const rmsprop *s = self;
    float *restrict w = block->value, *restrict v = block->state[0];
    const float *restrict g = block->gradient;
    const float a = (float)s->memory, c = (float)(1 - s->memory), epsilon = (float)s->epsilon;
    const float rate = (float)block->rate, mu = (float)s->momentum;

    if (s->momentum > 0) {
        float *restrict u = block->state[1];
        for (int64_t i = 0; i < block->count; i++) {
            v[i] = a * v[i] + c * (g[i] * g[i]);
            u[i] = mu * u[i] + g[i] / (sqrtf(v[i]) + epsilon);
            w[i] -= rate * u[i];
        }
    } else {
        for (int64_t i = 0; i < block->count; i++) {
            v[i] = a * v[i] + c * (g[i] * g[i]);
            w[i] -= rate * (g[i] / (sqrtf(v[i]) + epsilon));
        }
    }
}
ESPL__WIDE(update, update_body, (const void *self, const espl__update *block), (self, block))

const espl__optimizer espl__optimizer_rmsprop = {
    .name = "rmsprop",
    .summary = "the gradient over the root of its mean square",
    .paper = "Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, 2012",
    .size = sizeof(rmsprop),
    .options = options,
    .states = { "square", "velocity" },
    .momentum = offsetof(rmsprop, momentum),
    .state_count = state_count,
    .update = update,
};
