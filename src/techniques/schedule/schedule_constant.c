/* The optimizer's rate from the beginning to the end, after a warm-up if one is wanted. */
#include "techniques/schedule/schedule_warm_up.h"

typedef struct constant {
    espl__warm_up warm;
} constant;

static const espl_option options[] = { ESPL__WARM_UP_OPTIONS(constant), ESPL_OPTIONS_END };

static espl_status begin(void *self, espl_run *run)
{
    return espl__schedule_check_warm_up(run, &((constant *)self)->warm);
}

static espl_status set(void *self, espl_run *run)
{
    espl__schedule_set(run, &((constant *)self)->warm, espl_run_base_rate(run));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_constant = {
    .name = "schedule-constant",
    .summary = "one rate for the whole run, after a warm-up",
    .paper = "Goyal et al., Accurate, large minibatch SGD, arXiv:1706.02677 (warm-up)",
    .family = ESPL_SCHEDULE,
    .size = sizeof(constant),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
