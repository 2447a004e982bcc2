/* Batch-norm statistics estimated anew, for a net whose weights became others at once: an average of nets,
 * a pruned one. Mixing the old statistics is no answer: the mean of two nets is neither of them. */
#ifndef ESPL_STATISTICS_H
#define ESPL_STATISTICS_H

#include "data/data.h"
#include "net/net.h"

typedef struct espl__statistics espl__statistics;

/* Made ready for batches of at most `batch` samples; the net is borrowed. NULL in `*result` if the net has no
 * batch norm that is trained: there is nothing to do then. */
espl_status espl__statistics_open(espl_net *net, int64_t batch, bool direct, espl__statistics **result);
void espl__statistics_free(espl__statistics *statistics); /* takes NULL */

/* The net's statistics become those of `batches` batches of training samples, always the same ones: mean and
 * unbiased variance over all their values. Dropout and the given augmentations act as in training; nothing
 * else of the net changes. */
espl_status espl__statistics_run(espl__statistics *statistics, espl_data *data,
                                 const espl__augmentation *augmentations, int augmentation_count,
                                 int64_t batches);

/* How many batches suffice: a tenth of an epoch, which costs a thirtieth of training it, but at least four. */
int64_t espl__statistics_batches(int64_t per_epoch);

/* Moments of `count` values of one channel, and those of both sets (Chan, Golub, LeVeque 1979). `squares` is
 * the sum of squared deviations from the mean. */
typedef struct espl__moments {
    double count, mean, squares;
} espl__moments;
espl__moments espl__moments_join(espl__moments a, espl__moments b);

#endif
