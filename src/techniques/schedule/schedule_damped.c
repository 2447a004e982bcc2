/* The rate swings, and its swings die away:
 *
 *   cosine      lowest + (rate - lowest) e^(-t / fade) (1 + cos(2 pi t / period)) / 2
 *   triangular  lowest + (rate - lowest) factor^k (1 - |2 (t / period - k) - 1|),   k = floor(t / period)
 *
 * The cosine begins at the optimizer's rate and is lowest in the middle of a period; the triangle begins at
 * the lowest rate and is highest there. A cycle ends where the rate is lowest. t counts from the end of
 * warm-up. */
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>

#define PI 3.14159265358979323846

enum { COSINE,
       TRIANGULAR };

typedef struct damped {
    espl__warm_up warm;
    int shape;
    espl_duration period, fade;
    double factor, lowest;
} damped;

static const espl_option options[] = {
    ESPL_CHOICE(damped, shape, "cosine", "cosine|triangular", "how the rate swings"),
    ESPL_DURATION(damped, period, "2ep", 1e-9, 1e12, "length of one swing, up and down"),
    ESPL_DURATION(damped, fade, "4ep", 1e-9, 1e12, "cosine: the time in which the height falls to 37 %"),
    ESPL_REAL(damped, factor, "0.5", 1e-9, 1 - 1e-9,
              "triangular: the height of each swing as a share of the one before"),
    ESPL_REAL(damped, lowest, "0", 0, 1e6, "the rate never falls below this"),
    ESPL__WARM_UP_OPTIONS(damped),
    ESPL_OPTIONS_END
};

double espl__rate_damped_cosine(double rate, double lowest, int64_t period, int64_t fade, int64_t t)
{
    const double swing = (1 + cos(2 * PI * (double)(t % period) / (double)period)) / 2;

    return lowest + (rate - lowest) * exp(-(double)t / (double)fade) * swing;
}

double espl__rate_damped_triangular(double rate, double lowest, int64_t period, double factor, int64_t t)
{
    const int64_t k = t / period;
    const double x = fabs(2 * (double)(t - k * period) / (double)period - 1);

    return lowest + (rate - lowest) * pow(factor, (double)k) * (1 - x);
}

/* Steps of a period behind the step at whose end the rate is lowest. */
static int64_t lowest_at(const damped *s, int64_t period)
{
    return s->shape == COSINE ? period / 2 : period - 1;
}

static espl_status check(const damped *s, espl_run *run)
{
    espl_status status;

    if (espl_run_duration(run, s->period) < 2)
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "period: is shorter than two steps, of which an epoch of this run has %lld",
                             (long long)espl_run_steps_per_epoch(run));
    if ((status = espl__schedule_check_duration(run, "fade", s->fade)) ||
        (status = espl__schedule_check_lowest(run, s->lowest)) ||
        (status = espl__schedule_check_warm_up(run, &s->warm)))
        return status;
    return s->shape == COSINE ? ESPL_OK : espl__schedule_check_foot(run, &s->warm, s->lowest);
}

static espl_status begin(void *self, espl_run *run)
{
    const damped *s = self;
    const espl_status status = check(s, run);

    if (!status)
        espl_run_announce_cycles(run);
    return status;
}

static espl_status set(void *self, espl_run *run)
{
    const damped *s = self;
    const int64_t at = espl__schedule_course(run, &s->warm).t, t = at > 0 ? at : 0;
    const int64_t period = espl_run_duration(run, s->period);
    const double rate = espl_run_base_rate(run);

    espl__schedule_set(run, &s->warm,
                       s->shape == COSINE
                           ? espl__rate_damped_cosine(rate, s->lowest, period,
                                                      espl_run_duration(run, s->fade), t)
                           : espl__rate_damped_triangular(rate, s->lowest, period, s->factor, t));
    if (at >= 0)
        espl_run_set_cycle_left(run, (lowest_at(s, period) - at % period + period) % period);
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_damped = {
    .name = "schedule-damped",
    .summary = "the rate swings, and its swings die away",
    .family = ESPL_SCHEDULE,
    .size = sizeof(damped),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = set },
};
