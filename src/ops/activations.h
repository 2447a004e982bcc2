/* Attributes of the activations that have some, read by their kernels. */
#ifndef ESPL_ACTIVATIONS_H
#define ESPL_ACTIVATIONS_H

#include "graph/op.h"

typedef struct espl__leaky_relu {
    double slope; /* of the negative side */
} espl__leaky_relu;

typedef struct espl__elu {
    double alpha; /* the negative side tends to -alpha */
} espl__elu;

enum {
    ESPL__GELU_EXACT,
    ESPL__GELU_TANH,
};
typedef struct espl__gelu {
    int form;
} espl__gelu;

typedef struct espl__hard_sigmoid {
    double slope, offset; /* y = slope * x + offset, kept within 0..1 */
} espl__hard_sigmoid;

/* selu (Klambauer et al. 2017, arXiv:1706.02515, equation 2 and the text behind it) */
#define ESPL__SELU_ALPHA 1.6732632423543772848
#define ESPL__SELU_SCALE 1.0507009873554804934

#endif
