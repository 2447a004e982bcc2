/* The rate comes down along half a cosine, once in the run (Loshchilov and Hutter 2016, without
 * restarts):
 *   lowest + (rate - lowest) (1 + cos(pi t / T)) / 2
 * t and T count from the end of warm-up. */
#include "techniques/schedule/schedule_warm_up.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

#define PI 3.14159265358979323846

typedef struct cosine {
    espl__warm_up warm;
    double lowest;
} cosine;

static const espl_option options[] = {
    ESPL_REAL(cosine, lowest, "0", 0, 1e6, "the rate at the end of the run"),
    ESPL__WARM_UP_OPTIONS(cosine),
    ESPL_OPTIONS_END
};

double espl__rate_cosine(double rate, double lowest, int64_t length, int64_t t)
{
    if (t >= length)
        return lowest;
    return lowest + (rate - lowest) * (1 + cos(PI * (double)t / (double)length)) / 2;
}

static espl_status begin(void *self, espl_run *run)
{
    const cosine *s = self;
    const espl_status status = espl__schedule_check_lowest(run, s->lowest);

    return status ? status : espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const cosine *s = self;
    const espl__course at = espl__schedule_course(run, &s->warm);

    espl__schedule_set(run, &s->warm,
                       espl__rate_cosine(espl_run_base_rate(run), s->lowest, at.length, at.t > 0 ? at.t : 0));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_cosine = {
    .name = "schedule-cosine",
    .summary = "the rate comes down along half a cosine",
    .paper = "Loshchilov and Hutter, SGDR, arXiv:1608.03983 (one cycle, no restart)",
    .family = ESPL_SCHEDULE,
    .size = sizeof(cosine),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
