/* AdamW (Loshchilov and Hutter 2017): Adam whose decay shrinks the weights by itself instead of going
 * through the gradient, where the division by its mean square would undo it.
 *
 *   w = w - rate decay w, then Adam's step */
#include "optimize/adam.h"

static const espl_option options[] = {
    ESPL__ADAM_OPTIONS("0.01", "weight decay: each step takes rate * decay of a weight away"),
    ESPL_OPTIONS_END
};

static void update(const void *self, const espl__update *block)
{
    if (block->decay > 0) {
        const float kept = (float)(1 - block->rate * block->decay);
        for (int64_t i = 0; i < block->count; i++)
            block->value[i] *= kept;
    }
    espl__adam_update(self, block);
}

const espl__optimizer espl__optimizer_adamw = {
    .name = "adamw",
    .summary = "Adam with weight decay apart from the gradient",
    .paper = "Loshchilov and Hutter, Decoupled weight decay regularization, arXiv:1711.05101",
    .size = sizeof(espl__adam),
    .options = options,
    .states = { "mean", "square" },
    .momentum = offsetof(espl__adam, beta1),
    .decoupled = true,
    .update = update,
};
