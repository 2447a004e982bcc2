/* What the schedules with cycles share: which cycle a step lies in, what is kept when one ends, and a word
 * about runs that stop in the middle of one. Steps count from the end of warm-up. */
#ifndef ESPL_SCHEDULE_CYCLES_H
#define ESPL_SCHEDULE_CYCLES_H

#include "techniques/schedule/schedule_warm_up.h"

typedef struct espl__cycle {
    int64_t number, start, length; /* number from 0 */
} espl__cycle;

/* The cycle that step `t` lies in, when the first has `period` steps and each is `stretch` times as long
 * as the one before, rounded to whole steps. All integers but the length, so nothing drifts. */
espl__cycle espl__cycle_at(int64_t period, double stretch, int64_t t);
/* The cycle when `length` steps are cut in `count` cycles of floor(length / count) steps; the last one
 * takes the rest as well. `first` > 0: the first has so many, and the others are the cut of what is left. */
espl__cycle espl__cycle_of_count(int64_t length, int64_t count, int64_t first, int64_t t);

/* Says that the run stops inside a cycle, unless `left` is 0: so many of the cycle's steps will be
 * missing, and it would have been complete `done` steps earlier. */
void espl__schedule_warn_unfinished(espl_run *run, int64_t done, int64_t left);

/* A cycle that begins at a rate of 0 has nothing to warm up to. */
espl_status espl__schedule_check_foot(espl_run *run, const espl__warm_up *warm, double lowest);

#endif
