/* The rate swings between the lowest and the optimizer's rate along straight lines (Smith 2015):
 *
 *   k = floor(t / period);  x = |2 (t / period - k) - 1|
 *   lowest + (rate - lowest) (1 - x) scale
 *
 * scale is 1 (triangular), 1/2^k (triangular2) or decay^t (exp-range): the height is scaled, the lowest rate
 * is not. t counts from the end of warm-up. Smith's step size is half of our period. */
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

typedef struct cyclical {
    espl__warm_up warm;
    int shape;
    espl_duration period;
    double lowest, decay;
} cyclical;

static const espl_option options[] = {
    ESPL_CHOICE(cyclical, shape, "triangular", "triangular|triangular2|exp-range",
                "height of the cycles: all alike, halved from each to the next, or falling step by step"),
    ESPL_DURATION(cyclical, period, "4ep", 1e-9, 1e12, "length of a whole cycle, up and down"),
    ESPL_REAL(cyclical, lowest, "0", 0, 1e6, "the rate at which a cycle begins and ends"),
    ESPL_REAL(cyclical, decay, "0.99994", 1e-12, 1, "exp-range: the height is multiplied with it in each step"),
    ESPL__WARM_UP_OPTIONS(cyclical),
    ESPL_OPTIONS_END
};

double espl__rate_cyclical(double rate, double lowest, int64_t period, espl__cyclical_shape shape, double decay,
                           int64_t t)
{
    const int64_t k = t / period;
    const double x = fabs(2 * (double)(t - k * period) / (double)period - 1);
    const double scale[] = { 1, ldexp(1, k < 2000 ? -(int)k : -2000), pow(decay, (double)t) };

    return lowest + (rate - lowest) * (1 - x) * scale[shape];
}

static espl_status check_period(espl_run *run, int64_t period)
{
    if (period >= 2)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "period: is shorter than two steps, of which an epoch of this run has %lld",
                         (long long)espl_run_steps_per_epoch(run));
}

static espl_status begin(void *self, espl_run *run)
{
    const cyclical *s = self;
    const int64_t period = espl_run_duration(run, s->period), over = espl__schedule_course(run, &s->warm).length;
    espl_status status;

    if ((status = check_period(run, period)) || (status = espl__schedule_check_lowest(run, s->lowest)) ||
        (status = espl__schedule_check_warm_up(run, &s->warm)) ||
        (status = espl__schedule_check_foot(run, &s->warm, s->lowest)))
        return status;
    espl_run_announce_cycles(run);
    espl__schedule_warn_unfinished(run, over % period, over % period ? period - over % period : 0);
    return ESPL_OK;
}

static espl_status set(void *self, espl_run *run)
{
    const cyclical *s = self;
    const int64_t t = espl__schedule_course(run, &s->warm).t, period = espl_run_duration(run, s->period);

    espl__schedule_set(run, &s->warm,
                       espl__rate_cyclical(espl_run_base_rate(run), s->lowest, period,
                                           (espl__cyclical_shape)s->shape, s->decay, t > 0 ? t : 0));
    if (t >= 0)
        espl_run_set_cycle_left(run, period - 1 - t % period);
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_cyclical = {
    .name = "schedule-cyclical",
    .summary = "the rate swings between two values along straight lines",
    .paper = "Smith, Cyclical learning rates for training neural networks, arXiv:1506.01186",
    .family = ESPL_SCHEDULE,
    .size = sizeof(cyclical),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
