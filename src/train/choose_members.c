/* Greedy choice of an ensemble's members; see answers.h. */
#include "train/answers.h"

#include <math.h>

#define ROUNDS_MAX 100 /* as in the paper, far more than pay */

typedef struct choice {
    const espl__answers *members;
    int count;
    bool again;
    double *sum; /* of each sample, the probabilities of its true class over all that were added */
    int taken;
    int *times; /* how often each was added */
    double *weight;
} choice;

static double of_truth(const espl__answers *a, int64_t n)
{
    return a->label[n] >= 0 && a->label[n] < a->classes ? (double)a->probability[n * a->classes + a->label[n]] : 1;
}

/* Mean of -log of what the ensemble would give the true class with member `m` in it as well. */
static double nll_with(const choice *c, int m)
{
    const espl__answers *a = &c->members[m];
    double sum = 0;

    for (int64_t n = 0; n < a->samples; n++)
        sum -= log(fmax((c->sum[n] + of_truth(a, n)) / (c->taken + 1), 0x1p-149));
    return sum / (double)a->samples;
}

static void add(choice *c, int m)
{
    for (int64_t n = 0; n < c->members[m].samples; n++)
        c->sum[n] += of_truth(&c->members[m], n);
    c->times[m]++;
    c->taken++;
}

/* With whom is the ensemble best? -1: nobody is left. */
static int find_next(const choice *c, double *nll)
{
    int next = -1;

    *nll = INFINITY;
    for (int m = 0; m < c->count; m++) {
        const double with = c->again || !c->times[m] ? nll_with(c, m) : INFINITY;
        if (with < *nll) {
            *nll = with;
            next = m;
        }
    }
    return next;
}

/* Shares come nearer to their best in many small steps, some of which do not help yet: the best state of all rounds
 * counts. */
static void choose(choice *c)
{
    const int rounds = c->again ? ROUNDS_MAX : c->count;
    double nll, best = INFINITY;

    for (int round = 0; round < rounds; round++) {
        const int next = find_next(c, &nll);
        if (next < 0)
            return;
        add(c, next);
        for (int m = 0; m < c->count && nll < best; m++)
            c->weight[m] = (double)c->times[m] / c->taken;
        best = fmin(nll, best);
    }
}

espl_status espl__answers_choose(espl_context *ctx, const espl__answers *members, int count, bool again,
                                 double *weight)
{
    choice c = { .members = members, .count = count, .again = again, .weight = weight };
    espl_status s;

    if (!(s = espl__allocate(ctx, (size_t)members[0].samples, sizeof *c.sum, &c.sum)) &&
        !(s = espl__allocate(ctx, (size_t)count, sizeof *c.times, &c.times))) {
        for (int m = 0; m < count; m++)
            weight[m] = m == 0; /* where no net gives anything a probability */
        choose(&c);
    }
    espl__release(ctx, c.sum);
    espl__release(ctx, c.times);
    return s;
}
