/* What nets answer on the same samples: kept as probabilities, so that they can be scored, compared and combined
 * without running the nets again. */
#ifndef ESPL_ANSWERS_H
#define ESPL_ANSWERS_H

#include "data/data.h"
#include "net/net.h"

typedef struct espl__answers {
    int64_t samples;
    int classes;
    float *probability; /* samples x classes */
    int32_t *label;
} espl__answers;

/* Runs the net over one part of the data. Fails if they do not fit. */
espl_status espl__answers_take(espl_net *net, espl_data *data, espl_part part, espl__answers *result);
/* The same before the softmax and its temperature: `probability` holds logits. */
espl_status espl__answers_take_logits(espl_net *net, espl_data *data, espl_part part, espl__answers *result);
void espl__answers_free(espl_context *ctx, espl__answers *answers);

/* How good a set of answers is. */
typedef struct espl__quality {
    int64_t right;            /* samples whose most probable class is the true one, the lower one of equals */
    double top1, nll;         /* share of those; mean of -log of the true class's probability */
    double calibration_error; /* see espl__answers_score */
} espl__quality;

/* The calibration error is the expected one of Guo et al. 2017 (arXiv:1706.04599, equation 3): samples in 15 bins by
 * the probability of their answer, and in each the distance between that and the share that is right, weighed by the
 * bin's samples. */
espl__quality espl__answers_score(const espl__answers *answers);
/* The class that is answered for sample n. */
int espl__answers_class(const espl__answers *answers, int64_t n);

/* Of two nets: the share of samples that they answer differently, and Pearson's correlation of all their
 * probabilities; 1 where one of them does not vary. */
double espl__answers_disagree(const espl__answers *a, const espl__answers *b);
double espl__answers_correlate(const espl__answers *a, const espl__answers *b);

/* Chooses members of an ensemble that answers with the mean of their probabilities, so that its nll becomes
 * least: beginning with the best one, the one with which it is least is added, and the best state counts (Caruana et
 * al. 2004, Ensemble selection from libraries of models). `again`: a member may be added again and again, and has a
 * larger share then. `weight` holds a share for each, 0 for those that were not chosen. */
espl_status espl__answers_choose(espl_context *ctx, const espl__answers *members, int count, bool again,
                                 double *weight);

#endif
