/* What Adam and AdamW share: they differ only in where decay enters. */
#ifndef ESPL_ADAM_H
#define ESPL_ADAM_H

#include "optimize/optimizer.h"

typedef struct espl__adam {
    espl__optimizer_common common;
    double beta1, beta2, epsilon;
} espl__adam;

#define ESPL__ADAM_OPTIONS(decay_default, decay_help)                                                      \
    { "rate", ESPL_OPTION_REAL, offsetof(espl__adam, common.rate), sizeof(double), "0.001", 1e-12, 1e6,    \
      "find", "learning rate; find: by a range test at the beginning" },                                   \
        { "decay", ESPL_OPTION_REAL, offsetof(espl__adam, common.decay), sizeof(double), decay_default, 0, \
          1e3, NULL, decay_help },                                                                         \
        ESPL_REAL(espl__adam, beta1, "0.9", 0, 1 - 1e-9, "memory of the mean of the gradient"),            \
        ESPL_REAL(espl__adam, beta2, "0.999", 0, 1 - 1e-9, "memory of the mean of its square"),            \
        ESPL_REAL(espl__adam, epsilon, "1e-8", 1e-30, 1, "added to the root of the mean square")

/* One update without decay. */
void espl__adam_update(const void *self, const espl__update *block);

#endif
