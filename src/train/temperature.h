/* Temperature scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2), as plain arithmetic on logits. */
#ifndef ESPL_TEMPERATURE_H
#define ESPL_TEMPERATURE_H

#include <stdbool.h>
#include <stdint.h>

#define ESPL__TEMPERATURE_MAX 100.0 /* and its reciprocal the least */

/* The probabilities of one sample, softmax(logits / temperature), in place. */
void espl__temper(float *logits, int classes, double temperature);
/* -log of the probability of class `label`. */
double espl__tempered_loss(const float *logits, int classes, int label, double temperature);
/* The temperature at which the mean of these losses over samples x classes logits is least. False if that is at none
 * within the limits. Labels below 0 do not count. */
bool espl__find_temperature(const float *logits, const int32_t *label, int64_t samples, int classes, double *result);

#endif
