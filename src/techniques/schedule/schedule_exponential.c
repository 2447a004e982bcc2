/* The rate falls by the same factor in every stretch of time, smoothly: rate * factor^(t / every), with
 * t from the end of warm-up, and never below the lowest rate. */
#include "techniques/schedule/schedule_warm_up.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

typedef struct exponential {
    espl__warm_up warm;
    espl_duration every;
    double factor, lowest;
} exponential;

static const espl_option options[] = {
    ESPL_DURATION(exponential, every, "1ep", 1e-9, 1e12, "the time in which the rate falls by the factor"),
    ESPL_REAL(exponential, factor, "0.95", 1e-12, 1, "what the rate is multiplied with in that time"),
    ESPL_REAL(exponential, lowest, "0", 0, 1e6, "the rate never falls below this"),
    ESPL__WARM_UP_OPTIONS(exponential),
    ESPL_OPTIONS_END
};

double espl__rate_exponential(double rate, double factor, int64_t every, double lowest, int64_t t)
{
    const double fallen = rate * pow(factor, (double)t / (double)every);

    return fallen > lowest ? fallen : lowest;
}

static espl_status begin(void *self, espl_run *run)
{
    const exponential *s = self;
    espl_status status = espl__schedule_check_duration(run, "every", s->every);

    if (status || (status = espl__schedule_check_lowest(run, s->lowest)))
        return status;
    return espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const exponential *s = self;
    const int64_t t = espl__schedule_course(run, &s->warm).t;
    const double rate = espl_run_base_rate(run);

    espl__schedule_set(run, &s->warm,
                       espl__rate_exponential(rate, s->factor, espl_run_duration(run, s->every), s->lowest,
                                              t > 0 ? t : 0));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_exponential = {
    .name = "schedule-exponential",
    .summary = "the rate falls by the same factor in every stretch of time",
    .family = ESPL_SCHEDULE,
    .size = sizeof(exponential),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
