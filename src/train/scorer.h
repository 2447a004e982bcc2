/* Scoring: a net as it predicts, with a loss behind it, run over one part of some data. */
#ifndef ESPL_SCORER_H
#define ESPL_SCORER_H

#include "data/data.h"
#include "execute/plan.h"
#include "train/tally.h"

/* What is counted class by class; each array has one place for each class. */
typedef struct espl__class_sums {
    int64_t *count, *right, *answered;
} espl__class_sums;

typedef struct espl__scorer espl__scorer;

/* `loss` with its default attributes; the net is borrowed. `cut`: the node of its graph up to which values will be
 * ready (espl__scorer_serve); 0: it is given samples. */
espl_status espl__scorer_open(espl_net *net, const espl__op *loss, int64_t batch, bool direct, int cut,
                              espl__scorer **result);
void espl__scorer_free(espl__scorer *scorer);
/* The whole graph as it predicts, of which the scorer computes what follows the cut. */
const espl__graph *espl__scorer_whole(const espl__scorer *scorer);
/* Values at the cut for the samples of the part to score, `size` for each; borrowed. */
void espl__scorer_serve(espl__scorer *scorer, const float *ready, int64_t size);
/* From now on it does not stop in the middle when it is asked to. */
void espl__scorer_finishes(espl__scorer *scorer, bool finishes);
/* From now on it also writes what the net answers, as many values a sample as it has classes, and the samples' labels, in the
 * order of the part. */
void espl__scorer_keep(espl__scorer *scorer, float *answers, int32_t *labels);
/* From now on only the classes of which this part of the data has samples can be answered; losses are the cross entropy
 * among them. */
espl_status espl__scorer_within(espl__scorer *scorer, const espl_data *data, espl_part part);
/* What its loader will hold while it scores samples of `size` values. */
size_t espl__scorer_loader_bytes(const espl__scorer *scorer, size_t size);

/* Scores with the net's values of now. `classes` may be NULL. ESPL_INTERRUPTED if it was asked to
 * stop. */
espl_status espl__scorer_run(espl__scorer *scorer, espl_data *data, espl_part part, espl__sums *sums,
                             const espl__class_sums *classes);

/* A copy of the graph that ends in a loss (attributes NULL: its defaults). A softmax at the end of the
 * graph is left out, since losses take logits. */
espl_status espl__loss_graph(const espl__graph *graph, const espl__op *loss, const void *attributes,
                             espl__graph **result);

/* `count` samples, raw or already prepared, planes in order; `logits` holds count x classes. */
espl_status espl__predict_logits(espl_net *net, const float *samples, int64_t count, bool prepared, float *logits);

/* How samples of the net's preparation are made by the loader. */
void espl__loader_prepare(const espl_net *net, espl__loader_settings *settings);

#endif
