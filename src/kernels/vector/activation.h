/* Activations that other kernels fuse, chosen by a constant so that the inner loop has no branch. */
#ifndef ESPL_VECTOR_ACTIVATION_H
#define ESPL_VECTOR_ACTIVATION_H

#include "kernels/vector/vector.h"
#include "ops/conv2d.h"

ESPL__INLINE vec v_activate(int activation, vec x)
{
    return activation == ESPL__RELU ? v_relu(x) : activation == ESPL__RELU6 ? v_relu6(x)
                                                                            : x;
}

/* The gradient in front of the activation, from the one behind it and the activation's value y. */
ESPL__INLINE vec v_activate_backward(int activation, vec gradient, vec y)
{
    return activation == ESPL__RELU ? v_where_positive(gradient, y) : activation == ESPL__RELU6 ? v_where_within_6(gradient, y)
                                                                                                : gradient;
}

#endif
