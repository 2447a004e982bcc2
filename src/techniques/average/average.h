/* What averages share: a tensor beside each parameter that is moved towards it inside the optimizer's pass, and
 * the net that these tensors make, scored whenever the run scores and saved at its end. Training goes on from
 * its own weights; the average is a copy that it never sees. */
#ifndef ESPL_AVERAGE_H
#define ESPL_AVERAGE_H

#include <espalier/technique.h>

/* The first member of every average's state. */
typedef struct espl__average {
    char name[32];
    int64_t count; /* weights averaged so far */
    double share;  /* of the newest weights in the average, in this step; 0: they do not enter */
} espl__average;

#define ESPL__AVERAGE_OPTIONS(holder, fallback)                                                                  \
    {                                                                                                            \
        "name", ESPL_OPTION_TEXT, offsetof(holder, average.name), sizeof(((holder *)0)->average.name), fallback, \
            0, 0, NULL, "its net is averages/<name>.safetensors, its figures <name>_loss and <name>_top1"        \
    }
#define ESPL__AVERAGE_KEPT                                       \
    {                                                            \
        "count", offsetof(espl__average, count), sizeof(int64_t) \
    }

/* RUN_BEGIN: refuses a name that is no plain word. */
espl_status espl__average_begin(void *self, espl_run *run);
/* after_update: moves the tensors by `share`. */
void espl__average_update(void *self, const espl_block *block);
/* EPOCH_END: scores if the run does, and saves with the last step. */
espl_status espl__average_end_epoch(void *self, espl_run *run);

/* Its figures in the log; none if the loss is no number. */
void espl__average_report(const espl__average *average, espl_run *run, double loss, double top1);

/* The shares that techniques take, as plain functions of how many weights there are, `n` from 1.
 *
 * Exponential, the sum of decay^(n-i) theta_i over the sum of decay^(n-i): the average from zero, corrected
 * for its beginning (divided by 1 - decay^n), as a share of its newest value. */
double espl__share_corrected(double decay, int64_t n);
/* 1 - min(decay, (1 + k) / (10 + k)) and 1 - min(decay, 1 - (1 + k)^(-2/3)), k = n - 1 counted from the first
 * value, which is taken whole. */
double espl__share_counted(double decay, int64_t n);
double espl__share_power(double decay, int64_t n);

#endif
