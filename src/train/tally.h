/* Counting hits and adding losses over samples, in their order. */
#ifndef ESPL_TALLY_H
#define ESPL_TALLY_H

#include "base/base.h"

/* Sums over samples. */
typedef struct espl__sums {
    int64_t samples, top1, top5;
    double loss, weight; /* weighted sum of losses, and of the weights */
} espl__sums;

/* How many classes come before `label`: larger values, or equal ones of smaller index. `count` if a
 * value is no number. */
int espl__rank(const float *values, int count, int label);

/* The class that an answer means: the largest of several logits, or for a single one whether it is
 * above zero. -1 if it is no number. */
int espl__answer(const float *values, int count);

/* Adds one sample; `loss` is already multiplied with its weight. */
void espl__sums_add(espl__sums *sums, const float *values, int count, int label, double loss,
                    double weight);

/* Means; 0 if nothing was counted. */
double espl__sums_loss(const espl__sums *sums);
double espl__sums_top1(const espl__sums *sums);
double espl__sums_top5(const espl__sums *sums);

#endif
