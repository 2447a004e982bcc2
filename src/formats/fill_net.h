/* Filling a net's parameters with tensors that go by other names and may lie in another order. */
#ifndef ESPL_FILL_NET_H
#define ESPL_FILL_NET_H

#include "formats/tensors.h"
#include "net/foreign.h"
#include "net/net.h"

/* The layer of each tensor ("conv1" of "module.conv1.weight"), without what wraps all of them, and its
 * own name in it ("weight"); both NULL for counters that belong to no layer. */
typedef struct espl__layer_list {
    int count;
    char **layer, **own;
} espl__layer_list;

espl_status espl__layer_list_make(const espl__tensors *tensors, espl__layer_list *list);
void espl__layer_list_free(espl_context *ctx, espl__layer_list *list);

/* Fails with ESPL_BAD_FILE naming the first tensor that is missing, superfluous or of another shape; the
 * parameters may then be a mixture. */
espl_status espl__fill_net(espl_net *net, espl__tensors *tensors, const espl__foreign *names);

#endif
