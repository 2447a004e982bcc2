/* The list of optimizers. */
#include "optimize/optimizer.h"

#define ESPL_OPTIMIZER(symbol) extern const espl__optimizer espl__optimizer_##symbol;
#include "optimize/optimizers.def"
#undef ESPL_OPTIMIZER

static const espl__optimizer *const all[] = {
#define ESPL_OPTIMIZER(symbol) &espl__optimizer_##symbol,
#include "optimize/optimizers.def"
#undef ESPL_OPTIMIZER
};

const espl__optimizer *espl__optimizer_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}

const espl__optimizer *espl__optimizer_find(const char *name)
{
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (espl__text_equal(all[i]->name, name))
            return all[i];
    return NULL;
}

int espl__optimizer_states(const espl__optimizer *optimizer, const void *self)
{
    int count = 0;

    if (optimizer->state_count)
        return optimizer->state_count(self);
    while (optimizer->states[count])
        count++;
    return count;
}
