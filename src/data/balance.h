/* Balanced sampling: an epoch in which every class comes as often as any other. */
#ifndef ESPL_BALANCE_H
#define ESPL_BALANCE_H

#include "data/data.h"

typedef struct espl__balance espl__balance;

espl_status espl__balance_open(espl_data *data, espl_part part, uint64_t seed, espl__balance **result);
void espl__balance_free(espl_context *ctx, espl__balance *balance);

/* `order` holds each of 0..count-1 once, count being the size of the part; each becomes a draw of this epoch:
 * index + count * how often the sample has come before. A function of (seed, epoch, order). */
void espl__balance_map(espl__balance *balance, int64_t epoch, int64_t *order);

#endif
