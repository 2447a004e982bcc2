/* An average over weights that the test sets: the steps of schedule_rig.h with one block of values behind
 * each. Include after cmocka.h. */
#ifndef ESPL_AVERAGE_RIG_H
#define ESPL_AVERAGE_RIG_H

#include "schedule_rig.h"
#include "techniques/average/average.h"

/* The step `step` of the run ends with this value; `mean` is what the technique keeps beside it. */
static inline void rig_average(rig *r, int64_t step, float value, float *mean)
{
    const espl__member *member = &r->run.members[r->run.member_count - 1];
    float *kept[] = { mean };

    r->run.progress.step = step;
    r->run.fit.cycle_left = espl__cycle_left(&r->run);
    assert_int_equal(espl__moment(&r->run, ESPL_STEP_BEGIN), ESPL_OK);
    member->technique->after_update(member->self, &(espl_block){ .value = &value, .kept = kept, .count = 1 });
}

static inline void rig_near(double got, double expected, double relative)
{
    if (!(fabs(got - expected) <= relative * fabs(expected) + 1e-30))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

#endif
