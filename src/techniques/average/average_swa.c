/* Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights at the ends of cycles or epochs,
 *   mean <- (n mean + theta) / (n + 1)
 * while a rate that stays high, or swings, keeps the weights walking around a wide minimum. Its middle does
 * better on unseen data than any point of the walk. */
#include "techniques/average/average.h"

enum { WHEREVER,
       CYCLES,
       EPOCHS };

typedef struct swa {
    espl__average average;
    espl_duration start;
    int at;
} swa;

static const espl_option options[] = {
    ESPL_DURATION(swa, start, "0.75run", 0, 1e12, "begin after this time"),
    ESPL_CHOICE(swa, at, "auto", "auto|cycles|epochs",
                "average the weights at the ends of cycles or of epochs; auto: of cycles if the schedule has some"),
    ESPL__AVERAGE_OPTIONS(swa, "swa"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = { ESPL__AVERAGE_KEPT, ESPL_KEEP_END };

static espl_status begin(void *self, espl_run *run)
{
    const swa *s = self;

    if (s->at == CYCLES && !espl_run_has_cycles(run))
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "at: there are no cycles; add a schedule with some, such as schedule-cyclical");
    return espl__average_begin(self, run);
}

static bool takes(const swa *s, const espl_run *run)
{
    if (espl_run_step(run) < espl_run_duration(run, s->start))
        return false;
    if (s->at == CYCLES || (s->at == WHEREVER && espl_run_has_cycles(run)))
        return espl_run_cycle_left(run) == 0;
    return (espl_run_step(run) + 1) % espl_run_steps_per_epoch(run) == 0;
}

static espl_status begin_step(void *self, espl_run *run)
{
    swa *s = self;

    s->average.share = takes(s, run) ? 1 / (double)++s->average.count : 0;
    return ESPL_OK;
}

const espl_technique espl_technique_average_swa = {
    .name = "average-swa",
    .summary = "keep the mean of the weights at the ends of cycles or epochs",
    .paper = "Izmailov et al., Averaging weights leads to wider optima and better generalization, arXiv:1803.05407",
    .family = ESPL_AVERAGE,
    .size = sizeof(swa),
    .options = options,
    .kept = kept,
    .kept_per_parameter = 1,
    .after_update = espl__average_update,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = begin_step, [ESPL_EPOCH_END] = espl__average_end_epoch },
};
