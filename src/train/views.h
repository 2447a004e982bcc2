/* Test-time augmentation: a net is asked about several views of a sample - as it is, mirrored, moved a
 * little - and answers with the mean of its probabilities. */
#ifndef ESPL_VIEWS_H
#define ESPL_VIEWS_H

#include "execute/plan.h"

typedef struct espl__views espl__views;

/* For batches of at most `batch` samples; `*result` is NULL if the net is asked for one view only. Fails for a net
 * that takes no pictures. */
espl_status espl__views_open(const espl_net *net, int64_t batch, espl__views **result);
void espl__views_free(espl__views *views);

/* Runs the plan, which ends in logits or in a loss, once for each view of the feed's samples. */
void espl__views_run(espl__views *views, espl__plan *plan, const espl__feed *feed);
/* After that: the logarithms of a sample's mean probabilities, of a net with one answer their difference; and the
 * cross-entropy of the label by them, 0 if there is none. */
const float *espl__views_answer(const espl__views *views, int64_t sample);
double espl__views_loss(const espl__views *views, int64_t sample, int label);

/* View `view` of planes of height x width, 0 being the sample itself: odd ones are mirrored, from the third on
 * each pair is moved by an eighth of the side, left, right, up and down, the edge repeated. */
void espl__view_make(const float *sample, int64_t channels, int64_t height, int64_t width, int view, float *result);

#endif
