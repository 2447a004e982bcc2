/* The rate falls by a factor when the loss no longer does. Waiting for "no new best in n epochs" mistakes
 * noise for progress and for its end; here a straight line is fitted through the latest losses, and the loss
 * counts as falling only while a t-test of its slope says so with the wanted confidence:
 *
 *   b = slope by least squares;  s_b = its standard error;  P(T <= -b / s_b), T of Student with n - 2
 *
 * The losses are those of the held-out data at the ends of epochs, or means of the training loss. What has
 * been seen is kept in checkpoints; the rate of a step follows from the falls so far. */
#include "techniques/schedule/schedule_rates.h"
#include "techniques/schedule/schedule_warm_up.h"

#include <math.h>

#define WINDOW_MAX 64
#define PI 3.14159265358979323846

enum { HELD_OUT,
       TRAINING };

#define MOST_COUNTED ((int64_t)1 << 53)

typedef struct plateau {
    espl__warm_up warm;
    int watch;
    espl_duration every;
    int64_t window, patience, cooldown;
    double confidence, factor, lowest;
    /* what has been seen */
    double value[WINDOW_MAX]; /* the oldest first */
    int64_t count, waited, cooling, falls;
    double sum; /* of the training losses of the stretch that is under way */
    int64_t summed;
} plateau;

static const espl_option options[] = {
    ESPL_CHOICE(plateau, watch, "held-out", "held-out|training",
                "which loss: of the held-out data whenever it is scored, or means of the training loss"),
    ESPL_DURATION(plateau, every, "1ep", 1e-9, 1e12, "training: time over which each mean is taken"),
    ESPL_COUNT(plateau, window, "6", 3, WINDOW_MAX, "through how many of the latest losses the line is fitted"),
    ESPL_REAL(plateau, confidence, "0.9", 0.5, 1 - 1e-9, "the loss falls if this is surer than so much"),
    ESPL_COUNT(plateau, patience, "1", 1, 1e9, "so many tests in a row must find that it does not fall"),
    ESPL_COUNT(plateau, cooldown, "0", 0, 1e9, "losses to leave out after a fall of the rate"),
    ESPL_REAL(plateau, factor, "0.3", 1e-9, 1 - 1e-9, "what the rate is multiplied with"),
    ESPL_REAL(plateau, lowest, "0", 0, 1e6, "the rate never falls below this"),
    ESPL__WARM_UP_OPTIONS(plateau),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = {
    ESPL_KEEP(plateau, value),
    ESPL_KEEP(plateau, count),
    ESPL_KEEP(plateau, waited),
    ESPL_KEEP(plateau, cooling),
    ESPL_KEEP(plateau, falls),
    ESPL_KEEP(plateau, sum),
    ESPL_KEEP(plateau, summed),
    ESPL_KEEP_END
};

/* Abramowitz and Stegun 26.7.3 and 26.7.4: exact for whole degrees of freedom. */
double espl__student(double t, int64_t degrees)
{
    const double angle = atan(t / sqrt((double)degrees)), c = cos(angle) * cos(angle);
    double term = degrees % 2 ? cos(angle) : 1, sum = degrees > 1 ? term : 0;

    for (int64_t k = degrees % 2 ? 3 : 2; k <= degrees - 2; k += 2) {
        term *= c * (double)(k - 1) / (double)k;
        sum += term;
    }
    const double within = degrees % 2 ? 2 / PI * (angle + sin(angle) * sum) : sin(angle) * sum;
    return (1 + within) / 2;
}

double espl__falling(const double *value, int64_t count)
{
    const double middle = (double)(count - 1) / 2;
    double mean = 0, product = 0, square = 0, rest = 0;

    for (int64_t i = 0; i < count; i++)
        mean += value[i] / (double)count;
    for (int64_t i = 0; i < count; i++) {
        product += ((double)i - middle) * (value[i] - mean);
        square += ((double)i - middle) * ((double)i - middle);
    }
    const double slope = product / square;
    for (int64_t i = 0; i < count; i++) {
        const double error = value[i] - mean - slope * ((double)i - middle);
        rest += error * error;
    }
    const double deviation = sqrt(rest / (double)(count - 2) / square);
    if (!(deviation > 1e-12 * fabs(mean))) /* a straight line */
        return slope < -1e-12 * fabs(mean) ? 1 : 0;
    return espl__student(-slope / deviation, count - 2);
}

static double rate_now(const plateau *s, double rate)
{
    const double fallen = rate * pow(s->factor, (double)s->falls);

    return fallen > s->lowest ? fallen : s->lowest;
}

/* A fall begins a new window: what was seen at the old rate says nothing about the new one. */
static void fall(plateau *s, double rate)
{
    s->count = 0;
    s->waited = 0;
    s->cooling = s->cooldown;
    if (rate_now(s, rate) > s->lowest)
        s->falls++;
}

static void see(plateau *s, double loss, double rate)
{
    if (s->cooling > 0) {
        s->cooling--;
        return;
    }
    if (s->count == s->window)
        for (int64_t i = 1; i < s->count; i++)
            s->value[i - 1] = s->value[i];
    else
        s->count++;
    s->value[s->count - 1] = loss;
    if (s->count < s->window)
        return;
    s->waited = espl__falling(s->value, s->count) >= s->confidence ? 0 : s->waited + 1;
    if (s->waited >= s->patience)
        fall(s, rate);
}

/* What comes from a checkpoint is used as an index and counted on. */
static bool can_be(const plateau *s)
{
    const int64_t count[] = { s->waited, s->cooling, s->falls, s->summed };

    for (int i = 0; i < 4; i++)
        if (count[i] < 0 || count[i] > MOST_COUNTED)
            return false;
    return s->count >= 0 && s->count <= s->window;
}

static espl_status begin(void *self, espl_run *run)
{
    const plateau *s = self;
    espl_status status;

    if (!can_be(s))
        return espl_run_fail(run, ESPL_BAD_FILE,
                             "what the checkpoint says of the losses seen cannot be; it is damaged");
    if ((status = espl__schedule_check_duration(run, "every", s->every)) ||
        (status = espl__schedule_check_lowest(run, s->lowest)))
        return status;
    return espl__schedule_check_warm_up(run, &s->warm);
}

static espl_status set(void *self, espl_run *run)
{
    const plateau *s = self;

    espl__schedule_set(run, &s->warm, rate_now(s, espl_run_base_rate(run)));
    return ESPL_OK;
}

/* Nothing is learned about a plateau while the rate still rises. */
static espl_status end_step(void *self, espl_run *run)
{
    plateau *s = self;

    if (s->watch != TRAINING || espl__schedule_course(run, &s->warm).t <= 0)
        return ESPL_OK;
    s->sum += espl_run_loss(run);
    if (++s->summed < espl_run_duration(run, s->every))
        return ESPL_OK;
    see(s, s->sum / (double)s->summed, espl_run_base_rate(run));
    s->sum = 0;
    s->summed = 0;
    return ESPL_OK;
}

static espl_status end_epoch(void *self, espl_run *run)
{
    plateau *s = self;
    double loss, top1;

    if (s->watch == HELD_OUT && espl__schedule_course(run, &s->warm).t > 0 &&
        espl_run_held_out(run, &loss, &top1))
        see(s, loss, espl_run_base_rate(run));
    espl_run_report(run, "rate_falls", (double)s->falls);
    return ESPL_OK;
}

const espl_technique espl_technique_schedule_plateau = {
    .name = "schedule-plateau",
    .summary = "the rate falls when the loss no longer does, by a test that noise does not fool",
    .family = ESPL_SCHEDULE,
    .size = sizeof(plateau),
    .options = options,
    .kept = kept,
    .on = { [ESPL_RUN_BEGIN] = begin,
            [ESPL_STEP_BEGIN] = set,
            [ESPL_STEP_END] = end_step,
            [ESPL_EPOCH_END] = end_epoch },
};
