/* What became of a run, as a page for people. */
#ifndef ESPALIER_RUN_REPORT_H
#define ESPALIER_RUN_REPORT_H

#include <espalier/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_report_settings {
    const char *data; /* where the recipe's data lie now; NULL: where the recipe says */
    double seconds;   /* of timing each candidate; 0: 0.3 */
    bool bare;        /* leave out the comparison of nets, which needs the data and computes */
} espl_report_settings;

/* Writes one HTML file, which needs nothing else: the course of the training from the run's log, its recipe, and the
 * comparison of its nets (espl_compare_run). ESPL_BAD_FILE if the folder's log is none. */
ESPL_API espl_status espl_report_run(espl_context *context, const char *folder,
                                     const espl_report_settings *settings, const char *path);

#ifdef __cplusplus
}
#endif
#endif
