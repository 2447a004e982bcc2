/* Cycles of a schedule; see schedule_cycles.h. */
#include "techniques/schedule/schedule_cycles.h"

#include <math.h>

#define LONGEST 9e18 /* fits an int64_t */

espl__cycle espl__cycle_at(int64_t period, double stretch, int64_t t)
{
    espl__cycle c = { .length = period };
    double length = (double)period;

    if (stretch == 1) {
        c.number = t / period;
        c.start = c.number * period;
        return c;
    }
    while (t - c.start >= c.length) {
        c.number++;
        c.start += c.length;
        length = fmin(length * stretch, LONGEST);
        c.length = (int64_t)floor(length + 0.5);
    }
    return c;
}

espl__cycle espl__cycle_of_count(int64_t length, int64_t count, int64_t first, int64_t t)
{
    if (first > 0 && t < first)
        return (espl__cycle){ .length = first };
    if (first > 0) {
        espl__cycle c = espl__cycle_of_count(length - first, count - 1, 0, t - first);
        c.number++;
        c.start += first;
        return c;
    }
    const int64_t each = length / count, number = t / each < count - 1 ? t / each : count - 1;

    return (espl__cycle){ .number = number,
                          .start = number * each,
                          .length = number < count - 1 ? each : length - number * each };
}

void espl__schedule_warn_unfinished(espl_run *run, int64_t done, int64_t left)
{
    const double per_epoch = (double)espl_run_steps_per_epoch(run), steps = (double)espl_run_steps(run);

    if (left <= 0)
        return;
    espl_run_warn(run,
                  "the run ends within a cycle, %lld steps after its beginning, when the rate is not at its "
                  "lowest: %.6g or %.6g epochs would end with a cycle",
                  (long long)done, (steps - (double)done) / per_epoch, (steps + (double)left) / per_epoch);
}

espl_status espl__schedule_check_foot(espl_run *run, const espl__warm_up *warm, double lowest)
{
    if (lowest > 0 || espl_run_duration(run, warm->length) == 0)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "warm-up: the first cycle begins at a rate of 0, and warming up to that would learn "
                         "nothing: give \"lowest\" a rate, or leave the warm-up out");
}
