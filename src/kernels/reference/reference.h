/* What reference kernels share. They read like the formula, in plain C, for any layout. */
#ifndef ESPL_REFERENCE_H
#define ESPL_REFERENCE_H

#include "kernels/kernel.h"

/* For `fits`: always. */
bool espl__fits_always(const espl__case *at);

/* Adds to a gradient of a parameter, or begins it: grad[i] = (add ? grad[i] : 0) + value. */
static inline void espl__gather(float *gradient, bool add, float value)
{
    *gradient = add ? *gradient + value : value;
}

#endif
