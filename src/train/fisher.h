/* The diagonal of a net's Fisher information: how much its answers depend on each parameter. */
#ifndef ESPL_FISHER_H
#define ESPL_FISHER_H

#include "data/data.h"
#include "net/net.h"

/* Adds to diagonal[p] (NULL: of no interest) for each value of parameter p
 *
 *   F = 1/N sum_n E_y (d log p(y | x_n) / d theta)^2,   y as the net itself answers,
 *
 * over at most `samples` training samples, always the same ones, and the first `known` answers (0: all). The expectation
 * is exact for up to 16 answers and goes by one drawn answer for more. Normalizations go by their running statistics, dropout is off. The net is
 * afterwards what it was. */
espl_status espl__fisher(espl_net *net, espl_data *data, int known, int64_t samples, float *const *diagonal);

#endif
