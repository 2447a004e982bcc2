/* What the schedules share: warm-up, and the checks that need the run. A schedule is a pure function of
 * the step that begins (from 0), so a resumed run finds its rate by the step alone. */
#ifndef ESPL_SCHEDULE_WARM_UP_H
#define ESPL_SCHEDULE_WARM_UP_H

#include <espalier/technique.h>

/* Every schedule's state begins with this. */
typedef struct espl__warm_up {
    espl_duration length;
    double from; /* share of the base rate */
} espl__warm_up;

/* The two options of warm-up, for a table of `holder`, whose first field is `espl__warm_up warm`. */
#define ESPL__WARM_UP_OPTIONS(holder)                                                                   \
    { "warm_up", ESPL_OPTION_DURATION, offsetof(holder, warm.length), sizeof(espl_duration), "0ep", 0,  \
      1e12, NULL, "let the rate rise linearly to its full value for so long" },                         \
    {                                                                                                   \
        "warm_up_from", ESPL_OPTION_REAL, offsetof(holder, warm.from), sizeof(double), "0", 0, 1, NULL, \
            "share of the rate at which warm-up begins"                                                 \
    }

/* The rate at step `t` of a warm-up of `length` steps: from + (1 - from) (t + 1) / length of `rate`, so
 * that no step is lost at a rate of zero and the last one has the full rate. `t` at or behind the
 * length gives `rate`. */
double espl__warm_up_rate(double rate, double from, int64_t length, int64_t t);

/* Where in its course the schedule is: steps since warm-up ended, and how many there are until the
 * end of the run (at least 1). Negative `t`: still warming up. */
typedef struct espl__course {
    int64_t t, length;
} espl__course;
espl__course espl__schedule_course(const espl_run *run, const espl__warm_up *warm);

/* The run's rate becomes `rate`, or less while warming up. */
void espl__schedule_set(espl_run *run, const espl__warm_up *warm, double rate);

/* Warm-up must end before the run does. */
espl_status espl__schedule_check_warm_up(espl_run *run, const espl__warm_up *warm);
/* A lowest rate must not be above the optimizer's. */
espl_status espl__schedule_check_lowest(espl_run *run, double lowest);
/* A duration must last for a step at least. */
espl_status espl__schedule_check_duration(espl_run *run, const char *name, espl_duration duration);

#endif
