/* Mean of all weights from some step on (Ruppert 1988; Polyak and Juditsky 1992), each as much as the other:
 *   mean_n = mean_(n-1) + (theta - mean_(n-1)) / n
 * Around a minimum the noise of single batches cancels; before it is reached there is nothing to average. */
#include "techniques/average/average.h"

typedef struct polyak {
    espl__average average;
    espl_duration start, every;
} polyak;

static const espl_option options[] = {
    ESPL_DURATION(polyak, start, "0.75run", 0, 1e12, "begin after this time, when the loss no longer falls fast"),
    ESPL_DURATION(polyak, every, "1st", 1e-9, 1e12, "time between the weights that are averaged"),
    ESPL__AVERAGE_OPTIONS(polyak, "polyak"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = { ESPL__AVERAGE_KEPT, ESPL_KEEP_END };

static espl_status begin(void *self, espl_run *run)
{
    const polyak *s = self;

    if (espl_run_duration(run, s->every) < 1)
        return espl_run_fail(run, ESPL_BAD_OPTION, "every: is less than a step, of which an epoch has %lld",
                             (long long)espl_run_steps_per_epoch(run));
    return espl__average_begin(self, run);
}

static espl_status begin_step(void *self, espl_run *run)
{
    polyak *s = self;
    const int64_t done = espl_run_step(run) + 1 - espl_run_duration(run, s->start);

    s->average.share = 0;
    if (done > 0 && done % espl_run_duration(run, s->every) == 0)
        s->average.share = 1 / (double)++s->average.count;
    return ESPL_OK;
}

const espl_technique espl_technique_average_polyak = {
    .name = "average-polyak",
    .summary = "keep the mean of all weights from some step on",
    .paper = "Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992",
    .family = ESPL_AVERAGE,
    .size = sizeof(polyak),
    .options = options,
    .kept = kept,
    .kept_per_parameter = 1,
    .after_update = espl__average_update,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = begin_step, [ESPL_EPOCH_END] = espl__average_end_epoch },
};
