/* The arithmetic of elastic weight consolidation. */
#ifndef ESPL_KEEP_OLD_H
#define ESPL_KEEP_OLD_H

#include <stdint.h>

/* gradient += strength F (value - old) for each of `count` values: the gradient of the penalty
 * strength / 2 F (value - old)^2. Where strength F is above 1 / rate, it counts as that, since a step would
 * otherwise go past the old value. */
void espl__keep_old_gradient(float *gradient, const float *value, const float *old, const float *fisher,
                             int64_t count, double strength, double rate);

#endif
