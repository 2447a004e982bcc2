/* One cycle for the whole run: the rate goes up to the optimizer's rate and then far down, while momentum
 * goes down and up again (Smith and Topin 2017; Smith 2018). High rates with low momentum in the middle
 * act as a regularizer.
 *
 *   t < R:  rate from start * rate to rate,   momentum from high to low    R = rise T
 *   else:   rate from rate to end * rate,     momentum from low to high
 *
 * along half a cosine or a straight line. t and T count from the end of warm-up, which is seldom needed
 * here. An optimizer without momentum has only its rate changed; Adam's momentum is beta1. */
#include "techniques/schedule/schedule_rates.h"
#include "techniques/schedule/schedule_warm_up.h"

#include <math.h>

#define PI 3.14159265358979323846

typedef struct one_cycle {
    espl__warm_up warm;
    int shape;
    double rise, start, end, momentum_low, momentum_high;
} one_cycle;

static const espl_option options[] = {
    ESPL_CHOICE(one_cycle, shape, "cosine", "cosine|linear", "how rate and momentum change"),
    ESPL_REAL(one_cycle, rise, "0.3", 0, 1, "share of the run in which the rate rises"),
    ESPL_REAL(one_cycle, start, "0.04", 0, 1, "the first rate as a share of the highest"),
    ESPL_REAL(one_cycle, end, "1e-5", 0, 1, "the last rate as a share of the highest"),
    ESPL_REAL(one_cycle, momentum_low, "0.85", 1e-6, 1 - 1e-9, "momentum at the highest rate"),
    ESPL_REAL(one_cycle, momentum_high, "0.95", 1e-6, 1 - 1e-9, "momentum at the beginning and the end"),
    ESPL__WARM_UP_OPTIONS(one_cycle),
    ESPL_OPTIONS_END
};

/* From a to b while x goes from 0 to 1. */
static double between(double a, double b, double x, bool linear)
{
    return a + (b - a) * (linear ? x : (1 - cos(PI * x)) / 2);
}

double espl__one_cycle(double edge, double middle, double end, double rise, bool linear, int64_t length, int64_t t)
{
    const double top = rise * (double)(length - 1), last = (double)(length - 1), at = (double)t;

    if (at < top)
        return between(edge, middle, at / top, linear);
    return at < last ? between(middle, end, (at - top) / (last - top), linear) : end;
}

static espl_status begin(void *self, espl_run *run)
{
    const one_cycle *s = self;

    if (s->momentum_low > s->momentum_high)
        return espl_run_fail(run, ESPL_BAD_OPTION, "momentum-low: %g is above momentum-high, %g",
                             s->momentum_low, s->momentum_high);
    return espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const one_cycle *s = self;
    const espl__course at = espl__schedule_course(run, &s->warm);
    const int64_t t = at.t > 0 ? at.t : 0;
    const double rate = espl_run_base_rate(run);

    espl__schedule_set(run, &s->warm,
                       espl__one_cycle(s->start * rate, rate, s->end * rate, s->rise, s->shape, at.length, t));
    if (espl_run_base_momentum(run) > 0)
        espl_run_set_momentum(run, espl__one_cycle(s->momentum_high, s->momentum_low, s->momentum_high,
                                                   s->rise, s->shape, at.length, t));
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_one_cycle = {
    .name = "schedule-one-cycle",
    .summary = "the rate up and far down once, momentum down and up",
    .paper = "Smith and Topin, Super-convergence, arXiv:1708.07120; Smith, arXiv:1803.09820",
    .family = ESPL_SCHEDULE,
    .size = sizeof(one_cycle),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
