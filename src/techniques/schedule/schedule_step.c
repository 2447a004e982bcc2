/* The rate falls by a factor at equal distances: rate * factor^floor(t / every). */
#include "techniques/schedule/schedule_warm_up.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

typedef struct step {
    espl__warm_up warm;
    espl_duration every;
    double factor;
} step;

static const espl_option options[] = {
    ESPL_DURATION(step, every, "0.3run", 1e-9, 1e12, "distance between two falls, from the run's start"),
    ESPL_REAL(step, factor, "0.1", 1e-12, 1, "what the rate is multiplied with at each fall"),
    ESPL__WARM_UP_OPTIONS(step),
    ESPL_OPTIONS_END
};

double espl__rate_step(double rate, double factor, int64_t every, int64_t t)
{
    const int64_t falls = t / every;

    return rate * pow(factor, (double)falls);
}

static espl_status begin(void *self, espl_run *run)
{
    const step *s = self;
    const espl_status status = espl__schedule_check_duration(run, "every", s->every);

    return status ? status : espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const step *s = self;
    const int64_t every = espl_run_duration(run, s->every);

    espl__schedule_set(run, &s->warm,
                       espl__rate_step(espl_run_base_rate(run), s->factor, every, espl_run_step(run)));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_step = {
    .name = "schedule-step",
    .summary = "the rate falls by a factor at equal distances",
    .family = ESPL_SCHEDULE,
    .size = sizeof(step),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
