/* The rate comes down again and again, from the top each time, while the weights go on (Loshchilov and
 * Hutter 2016, SGDR; with `cycles` the cosine of Huang et al. 2017, Snapshot ensembles):
 *
 *   cosine       lowest + (top - lowest) (1 + cos(pi c / C)) / 2
 *   exponential  top end^(c / (C - 1)), not below lowest
 *
 * c counts the steps of the cycle, whose length is C. The next cycle is `stretch` times as long, and its top
 * is `factor` times as high; the first top is the optimizer's rate. With a long `first` cycle the short ones
 * after it begin from a good net, as in fast geometric ensembling (Garipov et al. 2018, arXiv:1802.10026).
 * A restart changes the rate alone: weights, statistics and momentum carry over. The net at the end of each cycle is what the authors
 * recommend; it is kept in the run's folder (cycles/1.safetensors ...) and nothing overwrites it, least of
 * all the best net of a cycle by the held-out data, which `keep: best` puts beside it. */
#include "techniques/schedule/schedule_cycles.h"
#include "techniques/schedule/schedule_rates.h"

#include <math.h>
#include <stdio.h>

#define PI 3.14159265358979323846

enum { COSINE,
       EXPONENTIAL };
enum { KEEP_ENDS,
       KEEP_BEST,
       KEEP_NONE };

typedef struct warm_restarts {
    espl__warm_up warm;
    int shape, keep;
    espl_duration period, first;
    int64_t cycles;
    double stretch, factor, lowest, end;
    /* the best net of the cycle that is under way */
    int64_t best_known, best_cycle;
    double best_top1, best_loss;
} warm_restarts;

static const espl_option options[] = {
    ESPL_CHOICE(warm_restarts, shape, "cosine", "cosine|exponential", "how the rate comes down in a cycle"),
    ESPL_DURATION(warm_restarts, period, "10ep", 1e-9, 1e12, "length of the first cycle"),
    ESPL_REAL(warm_restarts, stretch, "1", 1, 1e6, "each cycle is so many times as long as the one before"),
    ESPL_COUNT(warm_restarts, cycles, "0", 0, 1e9,
               "cut the run in so many equal cycles instead of giving a period; the last takes what is over"),
    ESPL_DURATION(warm_restarts, first, "0ep", 0, 1e12,
                  "with cycles: length of the first, the others share the rest; 0: all are equal"),
    ESPL_REAL(warm_restarts, factor, "1", 1e-9, 1, "each restart goes to so much of the top before"),
    ESPL_REAL(warm_restarts, lowest, "0", 0, 1e6, "the rate to which each cycle comes down"),
    ESPL_REAL(warm_restarts, end, "0.01", 1e-12, 1, "exponential: share of the top at a cycle's last step"),
    ESPL_CHOICE(warm_restarts, keep, "ends", "ends|best|none",
                "which nets to keep: of each cycle the last, the best on the held-out data as well, none"),
    ESPL__WARM_UP_OPTIONS(warm_restarts),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = {
    ESPL_KEEP(warm_restarts, best_known),
    ESPL_KEEP(warm_restarts, best_cycle),
    ESPL_KEEP(warm_restarts, best_top1),
    ESPL_KEEP(warm_restarts, best_loss),
    ESPL_KEEP_END
};

double espl__rate_decaying(double top, double lowest, double decay, int64_t c)
{
    const double fallen = top * pow(decay, (double)c);

    return fallen > lowest ? fallen : lowest;
}

double espl__decay_to(double end, int64_t points)
{
    return points > 1 ? pow(end, 1 / (double)(points - 1)) : 1;
}

static espl__cycle cycle_at(const warm_restarts *s, const espl_run *run, int64_t t)
{
    if (s->cycles)
        return espl__cycle_of_count(espl__schedule_course(run, &s->warm).length, s->cycles,
                                    espl_run_duration(run, s->first), t);
    return espl__cycle_at(espl_run_duration(run, s->period), s->stretch, t);
}

static espl_status check_cycles(const warm_restarts *s, espl_run *run)
{
    const int64_t length = espl__schedule_course(run, &s->warm).length, first = espl_run_duration(run, s->first);

    if (!s->cycles && first)
        return espl_run_fail(run, ESPL_BAD_OPTION, "first: goes with cycles; without them, period is the first one's length");
    if (!s->cycles)
        return espl__schedule_check_duration(run, "period", s->period);
    if (s->stretch != 1)
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "cycles: makes cycles of equal length, but stretch is %g: leave one of them out",
                             s->stretch);
    if (s->cycles > length)
        return espl_run_fail(run, ESPL_BAD_OPTION, "cycles: %lld do not fit in %lld steps",
                             (long long)s->cycles, (long long)length);
    if (first && (s->cycles == 1 || first > length - (s->cycles - 1)))
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "first: a first cycle of %lld of %lld steps leaves no room for the other %lld",
                             (long long)first, (long long)length, (long long)s->cycles - 1);
    return ESPL_OK;
}

static espl_status check_factor(const warm_restarts *s, espl_run *run)
{
    const espl__cycle last = cycle_at(s, run, espl__schedule_course(run, &s->warm).length - 1);
    const double top = espl_run_base_rate(run) * pow(s->factor, (double)last.number);

    if (top >= s->lowest)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "factor: cycle %lld would begin at %g, below the lowest rate of %g",
                         (long long)last.number + 1, top, s->lowest);
}

static espl_status begin(void *self, espl_run *run)
{
    const warm_restarts *s = self;
    espl_status status;

    if ((status = espl__schedule_check_warm_up(run, &s->warm)) || (status = check_cycles(s, run)) ||
        (status = espl__schedule_check_lowest(run, s->lowest)) || (status = check_factor(s, run)))
        return status;
    const int64_t length = espl__schedule_course(run, &s->warm).length;
    const espl__cycle last = cycle_at(s, run, length - 1);
    espl_run_announce_cycles(run);
    espl__schedule_warn_unfinished(run, length - last.start, last.length - (length - last.start));
    return ESPL_OK;
}

static espl_status set(void *self, espl_run *run)
{
    const warm_restarts *s = self;
    const int64_t at = espl__schedule_course(run, &s->warm).t, t = at > 0 ? at : 0;
    const espl__cycle c = cycle_at(s, run, t);
    const double top = espl_run_base_rate(run) * pow(s->factor, (double)c.number);

    espl__schedule_set(run, &s->warm,
                       s->shape == COSINE
                           ? espl__rate_cosine(top, s->lowest, c.length, t - c.start)
                           : espl__rate_decaying(top, s->lowest, espl__decay_to(s->end, c.length), t - c.start));
    if (at >= 0)
        espl_run_set_cycle_left(run, c.start + c.length - 1 - t);
    return ESPL_OK;
}

/* ---- what is kept ---- */

static espl_status save(const warm_restarts *s, espl_run *run, const char *more)
{
    const int64_t t = espl__schedule_course(run, &s->warm).t - 1; /* of the step just done */
    char name[64];

    snprintf(name, sizeof name, "cycles/%lld%s", (long long)cycle_at(s, run, t > 0 ? t : 0).number + 1, more);
    return espl_run_save_net(run, name);
}

static espl_status end_cycle(void *self, espl_run *run)
{
    const warm_restarts *s = self;

    return s->keep == KEEP_NONE ? ESPL_OK : save(s, run, "");
}

/* An epoch that is scored right after a cycle's last step still belongs to that cycle. */
static espl_status end_epoch(void *self, espl_run *run)
{
    warm_restarts *s = self;
    const int64_t t = espl__schedule_course(run, &s->warm).t - 1;
    double loss, top1;

    if (s->keep != KEEP_BEST || t < 0 || !espl_run_held_out(run, &loss, &top1))
        return ESPL_OK;
    const int64_t number = cycle_at(s, run, t).number;
    if (s->best_known && s->best_cycle == number &&
        (top1 < s->best_top1 || (top1 == s->best_top1 && loss >= s->best_loss)))
        return ESPL_OK;
    s->best_known = 1;
    s->best_cycle = number;
    s->best_top1 = top1;
    s->best_loss = loss;
    return save(s, run, "-best");
}

const espl_technique espl_technique_schedule_warm_restarts = {
    .name = "schedule-warm-restarts",
    .summary = "the rate comes down again and again, each time from the top",
    .paper = "Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, arXiv:1608.03983",
    .family = ESPL_SCHEDULE,
    .size = sizeof(warm_restarts),
    .options = options,
    .kept = kept,
    .on = { [ESPL_RUN_BEGIN] = begin,
            [ESPL_STEP_BEGIN] = set,
            [ESPL_CYCLE_END] = end_cycle,
            [ESPL_EPOCH_END] = end_epoch },
};
