/* Whether nets can be put together, and what is in the way if not. */
#ifndef ESPL_ALIKE_H
#define ESPL_ALIKE_H

#include "net/net.h"

/* Do all take the same samples, prepared in the same way, and tell the same classes apart? Fails with ESPL_BAD_SHAPE
 * naming the first net that differs from the first, by its number from 1. */
espl_status espl__nets_answer_alike(espl_net *const *nets, int count);

#endif
