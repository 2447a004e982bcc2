/* Old and new classes whose outputs learned apart from each other, brought on one scale. */
#ifndef ESPL_ALIGN_NEW_H
#define ESPL_ALIGN_NEW_H

#include "train/train.h"

/* What is to be added to the outputs of new classes, so that old samples are taken for new ones as often, by the net's own
 * probabilities, as new ones for old. For each sample the logarithm of the sum of exp of its new outputs, less that of its old
 * ones; `old_count` and `new_count` are 1 at least. Wu et al. 2019, arXiv:1905.13260, with a shift alone. */
double espl__balance(const double *old_samples, int64_t old_count, const double *new_samples, int64_t new_count);

/* Multiplies the rows `known`.. of `rows` x `inputs` weights so that their mean norm is that of the rows before; returns
 * the factor. Zhao et al. 2020, arXiv:1911.07053. */
double espl__align_rows(float *weights, int64_t rows, int64_t inputs, int64_t known);

/* In the head of the net that a run kept, where it learned new classes apart: the new outputs are shifted by old samples,
 * if there are any, and else their weights are scaled. Written to the net's file. */
espl_status espl__align_new(espl_run *run);

#endif
