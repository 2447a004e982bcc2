/* Which of the nets of a run to ship. */
#ifndef ESPALIER_COMPARE_H
#define ESPALIER_COMPARE_H

#include <espalier/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One net that a run has brought: as it kept it, an average, a snapshot, or made of several. */
typedef struct espl_candidate {
    char name[96];            /* "best", "last", "ema", "snapshot 2", "mean of 5"; of several runs "plants/ema" */
    char path[1024];          /* "" of what is made of several and in no file */
    double top1, low, high;   /* accuracy on the held-out data and its 95 % interval (Wilson 1927) */
    double nll;               /* mean of -log of the probability of the true class */
    double calibration_error; /* how far probabilities are from how often they are right, on average */
    int64_t macs;             /* multiply-accumulates of a prediction */
    size_t bytes;             /* of parameters and statistics */
    double ms;                /* of a prediction of one sample */
} espl_candidate;

typedef struct espl_compare_settings {
    const char *data;         /* where the recipe's data lie now; NULL: where the recipe says */
    const char *out;          /* the recommended net is written there; NULL: it is not */
    const char *const *also;  /* folders of other runs whose nets are candidates too, ended by NULL; NULL: none */
    double seconds;           /* of timing each candidate; 0: 0.3 */
} espl_compare_settings;

typedef struct espl_compared {
    int64_t samples; /* held out */
    int count;
    espl_candidate *candidate;
    int best, recommended; /* the largest accuracy; what to ship */
    char reason[640];
    espl_context *context;
} espl_compared;

/* Scores and times all nets in a run's folder, and what can be made of them: an average of weights, and the
 * snapshots together by mean, by vote, and by a choice of members. Nets of other runs are scored on the data of the
 * first one. Of those that the samples cannot tell from the most
 * accurate one (one-sided McNemar test, 5 %), the one that costs least is recommended. The figures of what is chosen
 * on the held-out data itself are a little too good. Ended by espl_compared_free. */
ESPL_API espl_status espl_compare_run(espl_context *context, const char *folder, const espl_compare_settings *settings,
                                      espl_compared *result);
ESPL_API void espl_compared_free(espl_compared *compared);

#ifdef __cplusplus
}
#endif
#endif
