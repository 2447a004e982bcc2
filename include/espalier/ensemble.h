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

#ifdef __cplusplus
}
#endif
#endif
