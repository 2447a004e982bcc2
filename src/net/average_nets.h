/* Averages of the weights of nets. That helps only where the nets lie close together: what a hidden unit does in one
 * net another unit may do in a net trained apart from it, and the mean of both does neither. */
#ifndef ESPL_AVERAGE_NETS_H
#define ESPL_AVERAGE_NETS_H

#include "net/net.h"

/* Are all layer by layer the same, whatever the layers are called? ESPL_BAD_SHAPE names where not. */
espl_status espl__nets_same_graph(espl_net *const *nets, int count);

/* Cosine between the weights of two nets of the same graph (kind weight, all as one vector): about 0 of nets trained
 * from different first weights, towards 1 of nets with a common start. */
double espl__nets_cosine(const espl_net *a, const espl_net *b);

/* A net of its own with the same graph, values, preparation and class names. */
espl_status espl__net_copy(const espl_net *net, espl_net **result);

/* Every value of `mean` becomes the mean of the nets', all of the same graph. Running statistics of batch norm
 * are averaged too, and are then those of no net: they must be estimated anew. */
void espl__nets_mean(espl_net *const *nets, int count, espl_net *mean);

#endif
