/* Probabilities that mean what they say, and answers that are better not given. */
#ifndef ESPALIER_CALIBRATE_H
#define ESPALIER_CALIBRATE_H

#include <espalier/data.h>
#include <espalier/net.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_calibration {
    double temperature; /* by which logits are divided */
    double unknown;     /* an answer less probable than this is no answer; 0: all are */
    int64_t examples;
    double top1;
    double loss_before, loss;                           /* mean of -log of the true class's probability */
    double calibration_error_before, calibration_error; /* how far an answer's probability is from how often it is right */
    double refused_right, refused_wrong;                /* shares of the right and of the wrong answers that are refused */
} espl_calibration;

/* Finds the temperature at which the true classes of one part of the data get most probability (Guo et al. 2017,
 * arXiv:1706.04599, section 4.2), and the probability below which a share `false_refusals` of the right answers lie
 * (0: nothing is refused). The net keeps both, also in its file; predicting and scoring go by them, and no answer
 * becomes another. The data should be none that the net was trained on or is measured on. Training the net again
 * forgets them. ESPL_BAD_STATE if the data cannot tell a temperature: all answers right, or no better than guesses. */
ESPL_API espl_status espl_net_calibrate(espl_net *net, espl_data *data, espl_part part, double false_refusals,
                                        espl_calibration *result);

/* What the net keeps: 1 and 0 if it was never calibrated. */
ESPL_API double espl_net_temperature(const espl_net *net);
ESPL_API double espl_net_unknown(const espl_net *net);

#ifdef __cplusplus
}
#endif
#endif
