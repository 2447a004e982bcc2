/* The course of a run, as its log tells it. */
#ifndef ESPL_RUN_HISTORY_H
#define ESPL_RUN_HISTORY_H

#include "base/base.h"
#include <espalier/find_rate.h>

typedef enum espl__history_column {
    ESPL__HISTORY_EPOCH,
    ESPL__HISTORY_LOSS,
    ESPL__HISTORY_TOP1,
    ESPL__HISTORY_HELD_OUT_LOSS,
    ESPL__HISTORY_HELD_OUT_TOP1,
    ESPL__HISTORY_RATE,
    ESPL__HISTORY_COLUMNS
} espl__history_column;

typedef struct espl__run_history {
    espl_context *ctx;
    char net[64];
    int64_t parameters, samples, held_out, epochs, batch, seed; /* epochs: of the whole run */
    espl_rates rates;                                           /* the range test; no points: there was none */
    int count;                                                  /* epochs done */
    double *column[ESPL__HISTORY_COLUMNS];                      /* a value for each; NAN where the log has none */
} espl__run_history;

/* Reads the log of the run in that folder. Ended by espl__history_free, also after a failure. */
espl_status espl__history_read(espl_context *ctx, const char *folder, espl__run_history *result);
void espl__history_free(espl__run_history *history);

#endif
