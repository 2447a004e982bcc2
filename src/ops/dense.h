/* Attributes of dense, read by its kernels. Parameters: weight (units, features), bias if `bias`.
 */
#ifndef ESPL_DENSE_H
#define ESPL_DENSE_H

#include "graph/op.h"

typedef struct espl__dense {
    int64_t units;
    bool bias;
    int activation; /* as in conv2d.h; set by fusing */
} espl__dense;

#endif
