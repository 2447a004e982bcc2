/* Warm-up (Goyal et al. 2017, arXiv:1706.02677) and the checks that the schedules share. */
#include "techniques/schedule/schedule_warm_up.h"

double espl__warm_up_rate(double rate, double from, int64_t length, int64_t t)
{
    if (t >= length)
        return rate;
    return rate * (from + (1 - from) * (double)(t + 1) / (double)length);
}

espl__course espl__schedule_course(const espl_run *run, const espl__warm_up *warm)
{
    const int64_t warming = espl_run_duration(run, warm->length);
    const int64_t length = espl_run_steps(run) - warming;

    return (espl__course){ .t = espl_run_step(run) - warming, .length = length > 0 ? length : 1 };
}

void espl__schedule_set(espl_run *run, const espl__warm_up *warm, double rate)
{
    const int64_t warming = espl_run_duration(run, warm->length);

    espl_run_set_rate(run, espl__warm_up_rate(rate, warm->from, warming, espl_run_step(run)));
}

espl_status espl__schedule_check_warm_up(espl_run *run, const espl__warm_up *warm)
{
    const int64_t warming = espl_run_duration(run, warm->length), steps = espl_run_steps(run);

    if (warming < steps || warming == 0)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "warm-up: lasts %lld steps but the whole run has %lld: make it shorter",
                         (long long)warming, (long long)steps);
}

espl_status espl__schedule_check_lowest(espl_run *run, double lowest)
{
    if (lowest <= espl_run_base_rate(run))
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "lowest: %g is above the optimizer's rate of %g, from which the rate comes down",
                         lowest, espl_run_base_rate(run));
}

espl_status espl__schedule_check_duration(espl_run *run, const char *name, espl_duration duration)
{
    if (espl_run_duration(run, duration) >= 1)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "%s: is shorter than one step, of which an epoch of this run has %lld", name,
                         (long long)espl_run_steps_per_epoch(run));
}
