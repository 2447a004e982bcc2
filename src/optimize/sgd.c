/* Stochastic gradient descent with momentum, plain (heavy ball) or Nesterov's (Qian 1999; Nesterov 1983).
 *
 *   v = mu v + g;   w = w - rate v            heavy ball
 *                   w = w - rate (g + mu v)   Nesterov
 *
 * The rate stands outside of v, so that a change of the rate acts at once on the whole step. */
#include "optimize/optimizer.h"

#include "kernels/wide.h"

typedef struct sgd {
    espl__optimizer_common common;
    double momentum;
    bool nesterov;
} sgd;

static const espl_option options[] = {
    { "rate", ESPL_OPTION_REAL, offsetof(sgd, common.rate), sizeof(double), "0.1", 1e-12, 1e6, "find",
      "learning rate; find: by a range test at the beginning" },
    { "decay", ESPL_OPTION_REAL, offsetof(sgd, common.decay), sizeof(double), "0", 0, 1e3, NULL,
      "weight decay, added to the gradient of weights as decay * weight" },
    ESPL_REAL(sgd, momentum, "0.9", 0, 1 - 1e-9, "share of the last step that is kept"),
    ESPL_FLAG(sgd, nesterov, "no", "look ahead along the momentum (Nesterov)"),
    ESPL_OPTIONS_END
};

/* Without momentum nothing needs to be kept. */
static int state_count(const void *self)
{
    return ((const sgd *)self)->momentum > 0;
}

static ESPL__WIDE_BODY void update_plainly(const espl__update *block)
{
    float *restrict w = block->value;
    const float *restrict g = block->gradient;
    const float rate = (float)block->rate;

    for (int64_t i = 0; i < block->count; i++)
        w[i] -= rate * g[i];
}

static ESPL__WIDE_BODY void update_body(const void *self, const espl__update *block)
{
    const sgd *s = self;

    if (!(s->momentum > 0)) {
        update_plainly(block);
        return;
    }
    float *restrict w = block->value, *restrict v = block->state[0];
    const float *restrict g = block->gradient;
    const float rate = (float)block->rate, mu = (float)s->momentum;
    if (s->nesterov) {
        for (int64_t i = 0; i < block->count; i++) {
            v[i] = mu * v[i] + g[i];
            w[i] -= rate * (g[i] + mu * v[i]);
        }
    } else {
        for (int64_t i = 0; i < block->count; i++) {
            v[i] = mu * v[i] + g[i];
            w[i] -= rate * v[i];
        }
    }
}
ESPL__WIDE(update, update_body, (const void *self, const espl__update *block), (self, block))

const espl__optimizer espl__optimizer_sgd = {
    .name = "sgd",
    .summary = "gradient descent with momentum, plain or Nesterov's",
    .paper = "Qian, On the momentum term in gradient descent learning algorithms, 1999",
    .size = sizeof(sgd),
    .options = options,
    .states = { "velocity" },
    .momentum = offsetof(sgd, momentum),
    .state_count = state_count,
    .update = update,
};
