/* The nets of a run's folder and what is made of them, each with its answers on the held-out data. */
#ifndef ESPL_CANDIDATES_H
#define ESPL_CANDIDATES_H

#include "train/answers.h"
#include <espalier/compare.h>
#include <espalier/run.h>

#define ESPL__CANDIDATES_MAX 64

typedef struct espl__entry {
    espl_candidate about; /* without time; name, path and figures */
    espl_net *net;
    espl__answers answers;
    int snapshot; /* its place among them, from 1; 0: it is none */
} espl__entry;

typedef struct espl__candidates {
    espl_context *ctx;
    const char *folder; /* that is looked at */
    const char *prefix; /* of names: "plants/" where there are several folders, else "" */
    espl_data *data;
    int count;
    espl__entry entry[ESPL__CANDIDATES_MAX];
} espl__candidates;

/* Loads and scores the nets in the folder. Two that compute the same are one candidate, also of two folders. */
espl_status espl__candidates_load(espl__candidates *candidates);
/* Adds what can be made of them: average and ensembles, where there are two snapshots at least. */
espl_status espl__candidates_combine(espl__candidates *candidates);
void espl__candidates_free(espl__candidates *candidates);

/* Takes the net over, also after a failure; `path` may be "". The entry (NULL: not wanted) is an earlier one if that
 * computes the same. */
espl_status espl__candidates_add(espl__candidates *candidates, espl_net *net, const char *name, const char *path,
                                 espl__entry **entry);

/* The one to ship; see espl_compare_run. Fills best, recommended and reason. */
void espl__recommend(const espl__candidates *candidates, espl_compared *result);

#endif
