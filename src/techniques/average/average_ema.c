/* Exponential moving average of the weights: the newest weights enter with a small share in every step, and
 * what came earlier fades.
 *   mean_t = decay mean_(t-1) + (1 - decay) theta_t
 * From a mean_0 of zero this is too small at first, which dividing by 1 - decay^t corrects. Here the corrected
 * average is kept itself: it moves towards theta_t by (1 - decay) / (1 - decay^t), the first time the whole way.
 * Or the first value begins the average, and a decay that grows forgets it soon. */
#include "techniques/average/average.h"

enum { CORRECTED,
       COUNTED,
       POWER };

typedef struct ema {
    espl__average average;
    double decay;
    espl_duration reach, start;
    int warm_up;
} ema;

static const espl_option options[] = {
    ESPL_REAL(ema, decay, "0.999", 0, 1 - 1e-12,
              "share of the average that is kept in a step; it reaches back over 1 / (1 - decay) steps"),
    ESPL_DURATION(ema, reach, "0run", 0, 1e12, "the time it reaches back over, instead of decay; 0: by decay"),
    ESPL_DURATION(ema, start, "0ep", 0, 1e12, "begin after this time"),
    ESPL_CHOICE(ema, warm_up, "corrected", "corrected|counted|power",
                "at first: all weights by their age, corrected for the missing past, or a decay of at most "
                "(1 + n) / (10 + n), or of at most 1 - (1 + n)^(-2/3), after n steps"),
    ESPL__AVERAGE_OPTIONS(ema, "ema"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = { ESPL__AVERAGE_KEPT, ESPL_KEEP_END };

/* 1 / (1 - decay) steps are a tenth of the run with `reach: 0.1run`, however long it is. */
static double decay_of(const ema *s, const espl_run *run)
{
    const int64_t reach = espl_run_duration(run, s->reach);

    return reach > 0 ? 1 - 1 / (double)reach : s->decay;
}

static espl_status begin(void *self, espl_run *run)
{
    const ema *s = self;
    const int64_t start = espl_run_duration(run, s->start);
    const double steps = (double)(espl_run_steps(run) - start), decay = decay_of(s, run);

    if (1 / (1 - decay) > steps && steps > 0)
        espl_run_warn(run, "decay: %g averages over about %.0f steps, of which this run has only %.0f: a decay of "
                           "%.4g would average over its last tenth",
                      decay, 1 / (1 - decay), steps, steps > 10 ? 1 - 10 / steps : 0.0);
    return espl__average_begin(self, run);
}

static espl_status begin_step(void *self, espl_run *run)
{
    static double (*const share[])(double, int64_t) = {
        [CORRECTED] = espl__share_corrected,
        [COUNTED] = espl__share_counted,
        [POWER] = espl__share_power,
    };
    ema *s = self;

    s->average.share = 0;
    if (espl_run_step(run) >= espl_run_duration(run, s->start))
        s->average.share = share[s->warm_up](decay_of(s, run), ++s->average.count);
    return ESPL_OK;
}

const espl_technique espl_technique_average_ema = {
    .name = "average-ema",
    .summary = "keep an average of the weights in which older ones fade",
    .paper = "Polyak and Juditsky 1992 for averaging; Kingma and Ba, arXiv:1412.6980, section 3, for the correction",
    .family = ESPL_AVERAGE,
    .size = sizeof(ema),
    .options = options,
    .kept = kept,
    .kept_per_parameter = 1,
    .after_update = espl__average_update,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_STEP_BEGIN] = begin_step, [ESPL_EPOCH_END] = espl__average_end_epoch },
};
