/* Averages within cycles, one net for each: the weights of the last steps of every cycle are averaged, begun
 * anew each time and never across a restart, and saved as averages/<name>-1.safetensors, -2 ... Their
 * predictions together are an ensemble of time-averaged snapshots; with a single step it is one of plain
 * snapshots, with a single cycle it is Polyak's average. */
#include "techniques/average/average.h"

#include <stdio.h>

typedef struct cycle_average {
    espl__average average;
    espl_duration last;
    int64_t cycles, done;
    /* of the latest cycle's average, for the log */
    double loss, top1;
} cycle_average;

static const espl_option options[] = {
    ESPL_DURATION(cycle_average, last, "1ep", 1e-9, 1e12, "average over so much of each cycle's end"),
    ESPL_COUNT(cycle_average, cycles, "1", 1, 1e6,
               "where the schedule has no cycles, cut the run in so many equal ones"),
    ESPL__AVERAGE_OPTIONS(cycle_average, "cycle"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = {
    ESPL__AVERAGE_KEPT,
    ESPL_KEEP(cycle_average, done),
    ESPL_KEEP(cycle_average, loss),
    ESPL_KEEP(cycle_average, top1),
    ESPL_KEEP_END
};

static espl_status begin(void *self, espl_run *run)
{
    const cycle_average *s = self;
    espl_status status;

    if (espl_run_duration(run, s->last) < 1)
        return espl_run_fail(run, ESPL_BAD_OPTION, "last: is less than a step, of which an epoch has %lld",
                             (long long)espl_run_steps_per_epoch(run));
    if ((status = espl_run_cut_in_cycles(run, s->cycles)))
        return status;
    return espl__average_begin(self, run);
}

static espl_status begin_step(void *self, espl_run *run)
{
    cycle_average *s = self;
    const int64_t left = espl_run_cycle_left(run), last = espl_run_duration(run, s->last);

    s->average.share = 0;
    if (left < 0 || left >= last)
        return ESPL_OK;
    if (!s->average.count && left != last - 1)
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "last: is %lld steps, but this cycle has only %lld: make the cycles longer, or "
                             "average less of them",
                             (long long)last, (long long)left + 1);
    s->average.share = 1 / (double)++s->average.count;
    return ESPL_OK;
}

static espl_status end_cycle(void *self, espl_run *run)
{
    cycle_average *s = self;
    char name[64];

    s->average.count = 0;
    snprintf(name, sizeof name, "averages/%s-%lld", s->average.name, (long long)++s->done);
    return espl_run_try_kept(run, 0, name, &s->loss, &s->top1);
}

static espl_status end_epoch(void *self, espl_run *run)
{
    const cycle_average *s = self;

    if (s->done)
        espl__average_report(&s->average, run, s->loss, s->top1);
    return ESPL_OK;
}

const espl_technique espl_technique_average_cycles = {
    .name = "average-cycles",
    .summary = "one net for each cycle, the mean of the weights of its last steps",
    .paper = "Huang et al., Snapshot ensembles, arXiv:1704.00109, with the average of Polyak and Juditsky 1992",
    .family = ESPL_AVERAGE,
    .size = sizeof(cycle_average),
    .options = options,
    .kept = kept,
    .kept_per_parameter = 1,
    .after_update = espl__average_update,
    .on = { [ESPL_RUN_BEGIN] = begin,
            [ESPL_STEP_BEGIN] = begin_step,
            [ESPL_CYCLE_END] = end_cycle,
            [ESPL_EPOCH_END] = end_epoch },
};
