/* Several nets as one. */
#ifndef ESPALIER_ENSEMBLE_H
#define ESPALIER_ENSEMBLE_H

#include <espalier/data.h>
#include <espalier/net.h>

#ifdef __cplusplus
extern "C" {
#endif

/* At most so many nets make one ensemble. */
#define ESPL_MEMBERS_MAX 32

/* How the answers of the members become one. */
typedef enum espl_combine {
    ESPL_COMBINE_MEAN, /* the mean of their probabilities */
    ESPL_COMBINE_VOTE, /* the class that most of them answer; their mean probability decides between equals */
    ESPL_COMBINE_LOGITS /* the mean of their logits, the geometric mean of the probabilities */
} espl_combine;

/* Makes one net of several: each a branch, what is equal in several of them (layer, inputs and values) there
 * once and computed once, and the answers combined at the end. The result is a net like any other: saved as one
 * file, scored, timed, trained. `weights`: the members' shares, adding up to 1; NULL: all the same. The members are
 * borrowed for the call, must be of one context, take the same samples, prepared in the same way, and tell the same
 * classes apart: ESPL_BAD_SHAPE names what differs. Ended by espl_net_free. */
ESPL_API espl_status espl_ensemble_build(espl_net *const *members, int count, espl_combine by, const double *weights,
                                         espl_net **result);

/* Which members an ensemble takes, and with which shares. */
typedef enum espl_choose {
    ESPL_CHOOSE_ALL,     /* all of them, each the same */
    ESPL_CHOOSE_MEMBERS, /* the ones that together give the true classes most probability, each the same */
    ESPL_CHOOSE_WEIGHTS  /* the same, but one may count more than another */
} espl_choose;

typedef struct espl_member {
    double top1, loss;
    double calibration_error; /* how far, on average, the probability of an answer is from how often it is right */
    double weight;            /* 0: not chosen */
} espl_member;

/* How nets do on the same samples. */
typedef struct espl_members {
    int count;
    espl_member member[ESPL_MEMBERS_MAX];
    /* of two: the share of samples that they answer differently, the correlation of their probabilities */
    double disagreement[ESPL_MEMBERS_MAX][ESPL_MEMBERS_MAX], correlation[ESPL_MEMBERS_MAX][ESPL_MEMBERS_MAX];
    double mean_disagreement, mean_correlation; /* over all pairs; 0 of one net */
} espl_members;

/* Runs every net over one part of the data and chooses among them. Choose on data that nothing is measured on
 * afterwards. The weights are what espl_ensemble_build takes; nets of weight 0 can be left out. */
ESPL_API espl_status espl_ensemble_measure(espl_net *const *nets, int count, espl_data *data, espl_part part,
                                           espl_choose how, espl_members *result);

/* ---- one net with the mean of the weights of several ---- */

typedef struct espl_average_settings {
    espl_data *data; /* for batch-norm statistics and the greedy choice; may be NULL where neither is needed */
    bool greedy;     /* only nets with which the average does not get worse on the held-out data */
    bool far;        /* also of nets that lie far apart */
} espl_average_settings;

typedef struct espl_average {
    int count; /* nets in the average */
    bool taken[ESPL_MEMBERS_MAX];
    double cosine; /* the least between the weights of two of the nets */
    double member_top1[ESPL_MEMBERS_MAX], top1; /* of a greedy choice: of each net and of the average */
} espl_average;

/* Averages the weights of nets that are layer by layer the same (ESPL_BAD_SHAPE names where not) and lie close
 * together, such as snapshots of one run or fine-tunings of one net; ESPL_BAD_STATE if they do not: the mean of nets
 * trained from different first weights is no good net. Batch-norm statistics are estimated on training data. The
 * nets are borrowed for the call. The average is ended by espl_net_free. */
ESPL_API espl_status espl_net_average(espl_net *const *nets, int count, const espl_average_settings *settings,
                                      espl_average *result, espl_net **average);

#ifdef __cplusplus
}
#endif
#endif
