/* The rate falls by a factor at given times: rate * factor^(how many of them have passed). Times count
 * from the start of the run, warm-up included, as in the papers that use them. */
#include "techniques/schedule/schedule_warm_up.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

typedef struct multi_step {
    espl__warm_up warm;
    espl_durations at;
    double factor;
} multi_step;

static const espl_option options[] = {
    ESPL_DURATIONS(multi_step, at, "[0.5run, 0.75run]", 1e-9, 1e12, "times of the falls, ascending"),
    ESPL_REAL(multi_step, factor, "0.1", 1e-12, 1, "what the rate is multiplied with at each fall"),
    ESPL__WARM_UP_OPTIONS(multi_step),
    ESPL_OPTIONS_END
};

double espl__rate_multi_step(double rate, double factor, const int64_t *at, int count, int64_t t)
{
    int passed = 0;

    while (passed < count && t >= at[passed])
        passed++;
    return rate * pow(factor, passed);
}

static int times(const multi_step *s, const espl_run *run, int64_t at[ESPL_LIST_MAX])
{
    for (int i = 0; i < s->at.count; i++)
        at[i] = espl_run_duration(run, s->at.item[i]);
    return s->at.count;
}

static espl_status begin(void *self, espl_run *run)
{
    const multi_step *s = self;
    int64_t at[ESPL_LIST_MAX];
    const int count = times(s, run, at);

    if (!count)
        return espl_run_fail(run, ESPL_BAD_OPTION, "at: needs one time at least, such as [0.5run]");
    for (int i = 0; i < count; i++)
        if (at[i] < 1 || (i && at[i] <= at[i - 1]))
            return espl_run_fail(run, ESPL_BAD_OPTION,
                                 "at: must ascend, but time %d is step %lld after step %lld", i + 1,
                                 (long long)at[i], (long long)(i ? at[i - 1] : 0));
    return espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const multi_step *s = self;
    int64_t at[ESPL_LIST_MAX];
    const int count = times(s, run, at);

    espl__schedule_set(run, &s->warm,
                       espl__rate_multi_step(espl_run_base_rate(run), s->factor, at, count,
                                             espl_run_step(run)));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_multi_step = {
    .name = "schedule-multi-step",
    .summary = "the rate falls by a factor at given times",
    .family = ESPL_SCHEDULE,
    .size = sizeof(multi_step),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
