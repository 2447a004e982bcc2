/* A net with a plan and random inputs, ready to be timed again and again. */
#ifndef ESPL_BENCH_RIG_H
#define ESPL_BENCH_RIG_H

#include "execute/plan.h"
#include "train/updater.h"
#include <espalier/report.h>

#define BENCH_RUNS_MAX 20000

/* A run in which another program took a processor away tells nothing about the net. */
typedef struct bench_run {
    double seconds;
    bool disturbed;
} bench_run;

typedef struct bench_rig {
    espl_net *net;
    espl_context *ctx;
    bool train, direct, changed;
    int64_t batch;
    espl__graph *fused;
    espl__plan *plan;
    espl__updater *updater;
    void *options; /* of the optimizer */
    float **gradients;
    float **saved; /* the net's values, to be put back */
    float *values;
    int32_t *labels;
    int count; /* of runs kept */
    bench_run *runs;
    double processor_seconds; /* of the runs kept, all threads */
} bench_rig;

/* Zeros, or what has been opened, can be closed. The net is borrowed and gets its values back. */
espl_status bench_rig_open(espl_net *net, const espl_bench_settings *settings, bench_rig *rig);
void bench_rig_close(bench_rig *rig);

/* Runs once and returns the seconds it took; `bench_rig_keep` counts it as well. */
double bench_rig_run(bench_rig *rig);
double bench_rig_keep(bench_rig *rig);
/* The median of the runs from `first` on, in seconds: of the undisturbed ones if there are three. Sorts them. */
double bench_rig_median(bench_rig *rig, int first);
/* Fills everything of a result that the runs tell. */
void bench_rig_result(bench_rig *rig, double first_run, espl_bench *result);

#endif
