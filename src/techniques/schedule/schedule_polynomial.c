/* The rate comes down to the lowest one along a power of what is left of the run:
 *   lowest + (rate - lowest) (1 - t / T)^power
 * t and T count from the end of warm-up; a power of 1 is a straight line. */
#include "techniques/schedule/schedule_warm_up.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

typedef struct polynomial {
    espl__warm_up warm;
    double power, lowest;
} polynomial;

static const espl_option options[] = {
    ESPL_REAL(polynomial, power, "1", 1e-3, 100, "1: a straight line; more: faster at the beginning"),
    ESPL_REAL(polynomial, lowest, "0", 0, 1e6, "the rate at the end of the run"),
    ESPL__WARM_UP_OPTIONS(polynomial),
    ESPL_OPTIONS_END
};

double espl__rate_polynomial(double rate, double lowest, double power, int64_t length, int64_t t)
{
    if (t >= length)
        return lowest;
    return lowest + (rate - lowest) * pow(1 - (double)t / (double)length, power);
}

static espl_status begin(void *self, espl_run *run)
{
    const polynomial *s = self;
    const espl_status status = espl__schedule_check_lowest(run, s->lowest);

    return status ? status : espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const polynomial *s = self;
    const espl__course at = espl__schedule_course(run, &s->warm);
    const double rate = espl_run_base_rate(run);

    espl__schedule_set(run, &s->warm,
                       espl__rate_polynomial(rate, s->lowest, s->power, at.length, at.t > 0 ? at.t : 0));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_polynomial = {
    .name = "schedule-polynomial",
    .summary = "the rate comes down along a power of the time that is left",
    .family = ESPL_SCHEDULE,
    .size = sizeof(polynomial),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
