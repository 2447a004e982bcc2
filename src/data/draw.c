/* Random draws of one augmentation for one sample in one epoch. */
#include "data/data.h"

float espl_draw_uniform(espl_draw *draw)
{
    return espl__random_uniform(&draw->random);
}

float espl_draw_between(espl_draw *draw, float low, float high)
{
    return low + (high - low) * espl__random_uniform(&draw->random);
}

int64_t espl_draw_below(espl_draw *draw, int64_t bound)
{
    return bound < 2 ? 0 : (int64_t)espl__random_below(&draw->random, (uint64_t)bound);
}

float espl_draw_normal(espl_draw *draw)
{
    return espl__random_normal(&draw->random);
}
