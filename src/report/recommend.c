/* Which candidate to ship: the cheapest of those that the held-out samples cannot tell from the most accurate. */
#include "report/candidates.h"

#include <math.h>
#include <stdio.h>

static bool hits(const espl__entry *e, int64_t n)
{
    return espl__answers_class(&e->answers, n) == e->answers.label[n];
}

/* McNemar's test on the samples that one has right and the other has not: is `best` better by more than chance,
 * at 5 %, one-sided? */
static bool clearly_better(const espl__entry *best, const espl__entry *other)
{
    int64_t wins = 0, losses = 0;

    for (int64_t n = 0; n < best->answers.samples; n++) {
        wins += hits(best, n) && !hits(other, n);
        losses += !hits(best, n) && hits(other, n);
    }
    return (double)(wins - losses) > 1.6449 * sqrt((double)(wins + losses));
}

/* Costs less, or the same and gives the true classes more probability. */
static bool preferred(const espl_candidate *a, const espl_candidate *b)
{
    return a->macs != b->macs ? a->macs < b->macs : a->nll < b->nll;
}

static void explain(const espl__candidates *c, espl_compared *r)
{
    const espl_candidate *ship = &c->entry[r->recommended].about, *best = &c->entry[r->best].about;
    const double times = ship->macs > 0 ? (double)best->macs / (double)ship->macs : 1;
    char cost[64] = "";

    if (times > 1.05)
        snprintf(cost, sizeof cost, ", and costs %.1f times less", times);
    if (r->recommended == r->best)
        snprintf(r->reason, sizeof r->reason,
                 "%s has the largest accuracy, %.2f %%, and no cheaper candidate comes so near that %lld samples could "
                 "not tell them apart",
                 ship->name, 100 * ship->top1, (long long)r->samples);
    else
        snprintf(r->reason, sizeof r->reason,
                 "%s has %.2f %%; %lld samples cannot tell that from %s with %.2f %%. Of all such candidates it costs "
                 "least%s%s",
                 ship->name, 100 * ship->top1, (long long)r->samples, best->name, 100 * best->top1,
                 times > 1.05 ? "" : " and gives the true classes most probability", cost);
}

void espl__recommend(const espl__candidates *c, espl_compared *r)
{
    r->best = 0;
    for (int i = 1; i < c->count; i++) {
        const espl_candidate *a = &c->entry[i].about, *best = &c->entry[r->best].about;
        if (a->top1 > best->top1 || (a->top1 == best->top1 && preferred(a, best)))
            r->best = i;
    }
    r->recommended = r->best;
    for (int i = 0; i < c->count; i++)
        if (!clearly_better(&c->entry[r->best], &c->entry[i]) &&
            preferred(&c->entry[i].about, &c->entry[r->recommended].about))
            r->recommended = i;
    explain(c, r);
}
