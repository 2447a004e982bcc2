/* Choosing a rate from the curve of a range test.
 *
 * The curve is flat while rates are too small to do anything, falls, and rises where training breaks. Rules that look
 * for the fall (the steepest point, the valley) find where learning begins, which is far below what a net can be
 * trained with; the minimum may lie close to the break. Between the two is a basin, where at least nine tenths of the
 * whole fall are done. Its middle, in the logarithm of the rate, is taken: learning is fast there and the break still far.
 *
 * Where a normalization follows the weights, their length does not change what the net computes, and steps that are too
 * long lengthen them until the steps are no longer too long (van Laarhoven, L2 regularization versus batch and weight
 * normalization, arXiv:1706.05350; Arora, Li and Lyu, Theoretical analysis of auto rate-tuning by batch normalization,
 * arXiv:1812.03981). What ends the basin then is noise, not the break, and longer weights take it out again: the upper
 * end of the basin is taken. */
#include "train/rate_curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY 0.7    /* of smoothing */
#define CAP 1.2       /* losses above this many times the first are no longer told apart */
#define BASIN 0.9     /* share of the fall that is done in it */
#define INTO 0.5      /* how far into the basin, in the logarithm of the rate, if nothing heals steps that are too long */
#define BEGUN 0.1     /* share of the fall after which it has clearly begun */
#define DRAWS 200     /* of the bootstrap */
#define BLOCK 4       /* neighbouring residuals that are drawn together */
#define SUPPORTED 0.9 /* share of draws that must give an answer */
#define WIDEST 8.0    /* high / low of a choice that is still one */

/* What a smooth curve tells, in points. */
typedef struct reading {
    double first, lowest, fall;
    double begun, in, out, least; /* places: where the fall has begun, the basin's ends, the minimum */
    const char *refusal;          /* NULL: there is a choice */
} reading;

/* The place between two points where the curve passes `level`. */
static double crossing(const double *smooth, int before, double level)
{
    const double step = smooth[before + 1] - smooth[before];

    return before + (step != 0 ? fmin(fmax((level - smooth[before]) / step, 0), 1) : 0);
}

static double first_below(const double *smooth, int count, double level)
{
    int i = 0;

    while (i < count && smooth[i] > level)
        i++;
    return i == 0 ? 0 : i == count ? count - 1
                                   : crossing(smooth, i - 1, level);
}

/* The last place where the curve is not above `level`. */
static double last_below(const double *smooth, int count, int from, double level)
{
    int i = count - 1;

    while (i > from && smooth[i] > level)
        i--;
    return i + 1 < count ? crossing(smooth, i, level) : i;
}

static int tenth_of(int count)
{
    return count / 10 > 3 ? count / 10 : 3;
}

/* Where the loss begins: the mean of the first tenth. */
static double first_of(const double *loss, int count)
{
    double sum = 0;

    for (int i = 0; i < tenth_of(count); i++)
        sum += loss[i];
    return sum / tenth_of(count);
}

static reading read_curve(const double *smooth, int count, double noise)
{
    const int least = espl__lowest(smooth, count);
    reading r = { .first = first_of(smooth, count), .lowest = smooth[least], .least = least };

    r.fall = r.first - r.lowest;
    if (least < tenth_of(count) || !(r.fall > 3 * noise) || !(r.fall > 1e-3 * fabs(r.first))) {
        r.refusal = "no rate lowers the loss by more than its noise";
        return r;
    }
    const double level = r.first - BASIN * r.fall;
    r.begun = first_below(smooth, count, r.first - BEGUN * r.fall);
    r.in = first_below(smooth, count, level);
    r.out = last_below(smooth, count, least, level);
    if (r.out >= count - 1)
        r.refusal = "the loss still falls at the highest rate: try higher ones";
    else if (r.in < 1)
        r.refusal = "the loss falls at the lowest rate already: try lower ones";
    return r;
}

static double rate_at(const espl__rate_curve *curve, double place)
{
    const double share = place / (curve->count - 1);

    return curve->rate[0] * pow(curve->rate[curve->count - 1] / curve->rate[0], share);
}

static double choice_of(const espl__rate_curve *curve, const reading *r)
{
    return rate_at(curve, r->in + (curve->normalized ? 1 : INTO) * (r->out - r->in));
}

/* ---- from repeats to one curve ---- */

static double first_loss(const espl__rate_curve *curve)
{
    double sum = 0;

    for (int r = 0; r < curve->repeats; r++)
        sum += first_of(curve->loss[r], curve->count);
    return sum / curve->repeats;
}

static double capped(double loss, double cap)
{
    return loss < cap ? loss : cap; /* also of what is no number */
}

/* The mean of these repeats. */
static void mean_of(const espl__rate_curve *curve, const int *repeat, double cap, double *mean)
{
    for (int i = 0; i < curve->count; i++) {
        mean[i] = 0;
        for (int r = 0; r < curve->repeats; r++)
            mean[i] += capped(curve->loss[repeat[r]][i], cap) / curve->repeats;
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(double *sorted, int count, double share)
{
    return sorted[(int)(share * (count - 1) + 0.5)];
}

/* The deviation of a smoothed mean curve around the truth, by its neighbours' second differences, which a smooth
 * curve has little of; the median, since the break has much. */
static double noise_of(const double *mean, int count)
{
    double size[ESPL_RATE_POINTS_MAX] = { 0 };
    int n = 0;

    for (int i = 1; i + 1 < count; i++)
        size[n++] = fabs(mean[i - 1] - 2 * mean[i] + mean[i + 1]);
    qsort(size, (size_t)n, sizeof *size, compare);
    return n ? quantile(size, n, 0.5) / 0.6745 / sqrt(6) : 0;
}

/* ---- how sure ---- */

typedef struct bootstrap {
    const espl__rate_curve *curve;
    const double *mean, *smooth;
    double cap, noise;
    espl__random random;
} bootstrap;

/* Repeats drawn with replacement, and on their mean residuals of other places, drawn in blocks. */
static void draw_curve(bootstrap *b, double *drawn)
{
    const int count = b->curve->count, repeats = b->curve->repeats;
    int drawn_repeat[ESPL_RATE_REPEATS_MAX];
    double noisy[ESPL_RATE_POINTS_MAX];

    for (int r = 0; r < repeats; r++)
        drawn_repeat[r] = (int)espl__random_below(&b->random, (uint64_t)repeats);
    mean_of(b->curve, drawn_repeat, b->cap, noisy);
    espl__smooth_still(noisy, count, MEMORY, drawn);
    for (int i = 0; i < count; i += BLOCK) {
        const int from = (int)espl__random_below(&b->random, (uint64_t)count - BLOCK + 1);
        for (int k = 0; k < BLOCK && i + k < count; k++)
            noisy[i + k] = capped(drawn[i + k] + b->mean[from + k] - b->smooth[from + k], b->cap);
    }
    espl__smooth_still(noisy, count, MEMORY, drawn);
}

/* Smoothing a smooth curve once more, as every draw does, moves what is read off it. */
static double choice_of_draws(const bootstrap *b, double choice)
{
    double again[ESPL_RATE_POINTS_MAX];

    espl__smooth_still(b->smooth, b->curve->count, MEMORY, again);
    const reading r = read_curve(again, b->curve->count, b->noise);
    return r.refusal ? choice : choice_of(b->curve, &r);
}

/* The factors by which nine of ten draws move a choice lie between `*low` and `*high`. Returns the share of draws with an
 * answer. */
static double draw_factors(bootstrap *b, double choice, double *low, double *high)
{
    double drawn[ESPL_RATE_POINTS_MAX], factor[DRAWS] = { 0 };
    const double middle = choice_of_draws(b, choice);
    int n = 0;

    for (int i = 0; i < DRAWS; i++) {
        draw_curve(b, drawn);
        const reading r = read_curve(drawn, b->curve->count, b->noise);
        if (!r.refusal)
            factor[n++] = choice_of(b->curve, &r) / middle;
    }
    qsort(factor, (size_t)n, sizeof *factor, compare);
    *low = n ? fmin(quantile(factor, n, 0.05), 1) : NAN;
    *high = n ? fmax(quantile(factor, n, 0.95), 1) : NAN;
    return (double)n / DRAWS;
}

/* ---- the result ---- */

static void fill_points(const espl__rate_curve *curve, const double *smooth, espl_rates *result)
{
    result->count = curve->count;
    for (int i = 0; i < curve->count; i++) {
        espl_rate_point *p = &result->points[i];
        int n = 0;
        *p = (espl_rate_point){ .rate = curve->rate[i], .smooth = smooth[i] };
        for (int r = 0; r < curve->repeats; r++) {
            if (!isfinite(curve->loss[r][i]))
                continue;
            p->loss += curve->loss[r][i];
            p->training += curve->training[r][i];
            n++;
        }
        p->loss = n ? p->loss / n : NAN;
        p->training = n ? p->training / n : NAN;
    }
}

static void fill_others(const espl__rate_curve *curve, const double *smooth, const reading *r, espl_rates *result)
{
    const int end = (int)r->least + 1; /* behind the minimum the curve rises */
    const int steepest = espl__steepest(curve->rate, smooth, end), valley = espl__valley(smooth, end);

    result->steepest = steepest >= 0 ? curve->rate[steepest] : NAN;
    result->valley = valley >= 0 ? curve->rate[valley] : NAN;
    result->tenth = end > 1 ? curve->rate[end - 1] / 10 : NAN;
}

static void refuse(espl_rates *result, const char *why)
{
    result->trusted = false;
    result->rate = NAN;
    snprintf(result->reason, sizeof result->reason, "this curve does not support a choice: %s", why);
}

static void choose(const espl__rate_curve *curve, const reading *r, bootstrap *b, espl_rates *result)
{
    double low = 0, high = 0;

    result->rate = choice_of(curve, r);
    const double supported = draw_factors(b, result->rate, &low, &high);
    result->low = low * result->rate;
    result->high = high * result->rate;
    result->base = rate_at(curve, r->begun);
    result->maximum = rate_at(curve, r->least);
    result->trusted = true;
    if (supported < SUPPORTED)
        refuse(result, "its noise alone decides whether there is one");
    else if (high / low > WIDEST)
        refuse(result, "its noise alone moves the choice by more than a factor of eight");
    else
        snprintf(result->reason, sizeof result->reason,
                 "the loss falls from %.3g to %.3g, nine tenths of that between rates %.2g and %.2g; %s", r->first,
                 r->lowest, rate_at(curve, r->in), rate_at(curve, r->out),
                 curve->normalized ? "normalizations bear the upper end" : "above them it rises");
}

void espl__choose_rate(const espl__rate_curve *curve, uint64_t seed, espl_rates *result)
{
    int all[ESPL_RATE_REPEATS_MAX];
    double mean[ESPL_RATE_POINTS_MAX], smooth[ESPL_RATE_POINTS_MAX];
    const double cap = CAP * first_loss(curve);

    for (int r = 0; r < curve->repeats; r++)
        all[r] = r;
    mean_of(curve, all, cap, mean);
    espl__smooth_still(mean, curve->count, MEMORY, smooth);
    const double noise = noise_of(mean, curve->count);
    const reading r = read_curve(smooth, curve->count, noise);
    bootstrap b = { curve, mean, smooth, cap, noise, espl__random_at(espl__stream_of(seed, "find-rate"), 0, 0) };

    fill_points(curve, smooth, result);
    fill_others(curve, smooth, &r, result);
    result->low = result->high = result->base = result->maximum = NAN;
    if (r.refusal)
        refuse(result, r.refusal);
    else
        choose(curve, &r, &b, result);
}
