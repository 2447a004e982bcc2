/* What reference kernels share. They read like the formula, in plain C, for any layout; sums are
 * taken in double and rounded once, so that they can be the truth for faster kernels. */
#ifndef ESPL_REFERENCE_H
#define ESPL_REFERENCE_H

#include "kernels/kernel.h"

/* For `fits`: always. */
bool espl__fits_always(const espl__case *at);

/* Where the values of a tensor of samples lie. A vector is planes of one pixel. */
typedef struct espl__layout {
    int64_t size, channels, pixels, height, width, block;
} espl__layout;
espl__layout espl__layout_of(espl__shape shape, int64_t block);
espl__layout espl__layout_of_input(const espl__case *at, int i);
espl__layout espl__layout_of_output(const espl__case *at);

static inline int64_t espl__at(const espl__layout *layout, int64_t sample, int64_t channel,
                               int64_t pixel)
{
    return sample * layout->size + espl__place(channel, pixel, layout->pixels, layout->block);
}

/* The same for value `i` of a sample in logical order. */
static inline int64_t espl__at_flat(const espl__layout *layout, int64_t sample, int64_t i)
{
    return espl__at(layout, sample, i / layout->pixels, i % layout->pixels);
}

/* Adds to a gradient of a parameter, or begins it: grad[i] = (add ? grad[i] : 0) + value. */
static inline void espl__gather(float *gradient, bool add, double value)
{
    *gradient = (float)(add ? *gradient + value : value);
}

/* The activations that can be fused behind another op (ops/conv2d.h), and the gradient in front of
 * one given its value y and the gradient behind it. */
float espl__activate(int activation, float x);
float espl__activate_back(int activation, float y, float grad);

#endif
