/* What can be made of a run's snapshots and averages: a soup of weights, and ensembles. */
#include "report/candidates.h"
#include <espalier/ensemble.h>

#include <stdio.h>

/* Some of the candidates. */
typedef struct pick {
    int count, index[ESPL_MEMBERS_MAX];
    espl_net *net[ESPL_MEMBERS_MAX];
} pick;

static void take(const espl__candidates *c, int i, pick *p)
{
    if (p->count == ESPL_MEMBERS_MAX)
        return;
    p->index[p->count] = i;
    p->net[p->count++] = c->entry[i].net;
}

/* In the order of their files, in which the run's own ensemble has them. */
static void take_snapshots(const espl__candidates *c, pick *p)
{
    for (int place = 1; place <= ESPL__CANDIDATES_MAX; place++)
        for (int i = 0; i < c->count; i++)
            if (c->entry[i].snapshot == place)
                take(c, i, p);
}

static espl_status add_ensemble(espl__candidates *c, const pick *p, espl_combine by, const char *what)
{
    espl_net *net = NULL;
    char name[48];
    espl_status s = espl_ensemble_build(p->net, p->count, by, NULL, &net);

    if (s)
        return s;
    snprintf(name, sizeof name, "%s of %d", what, p->count);
    return espl__candidates_add(c, net, name, "", NULL);
}

static espl_status add_selected(espl__candidates *c, const pick *p)
{
    espl__answers answers[ESPL_MEMBERS_MAX];
    double weight[ESPL_MEMBERS_MAX];
    pick chosen = { 0 };
    espl_status s;

    for (int m = 0; m < p->count; m++)
        answers[m] = c->entry[p->index[m]].answers;
    if ((s = espl__answers_choose(c->ctx, answers, p->count, false, weight)))
        return s;
    for (int m = 0; m < p->count; m++)
        if (weight[m] > 0)
            take(c, p->index[m], &chosen);
    /* one, or all, are there already */
    return chosen.count < 2 || chosen.count == p->count ? ESPL_OK
                                                        : add_ensemble(c, &chosen, ESPL_COMBINE_MEAN, "selected");
}

/* Nets that cannot be averaged are no failure: there is no soup then. */
static espl_status add_soup(espl__candidates *c, const pick *p)
{
    espl_average about;
    espl_net *net = NULL;
    char name[48];
    const espl_status s = espl_net_average(p->net, p->count, &(espl_average_settings){ .data = c->data, .greedy = true },
                                           &about, &net);

    if (s == ESPL_BAD_STATE || s == ESPL_BAD_SHAPE) {
        espl__log(c->ctx, ESPL_NOTE, "no average of the snapshots: %s", espl_message(c->ctx));
        return ESPL_OK;
    }
    if (s || about.count < 2) {
        espl_net_free(net);
        return s;
    }
    snprintf(name, sizeof name, "soup of %d", about.count);
    return espl__candidates_add(c, net, name, "", NULL);
}

espl_status espl__candidates_combine(espl__candidates *c)
{
    pick snapshots = { 0 };
    espl_status s;

    take_snapshots(c, &snapshots);
    if (snapshots.count < 2)
        return ESPL_OK;
    if ((s = add_soup(c, &snapshots)) || (s = add_ensemble(c, &snapshots, ESPL_COMBINE_MEAN, "mean")) ||
        (s = add_ensemble(c, &snapshots, ESPL_COMBINE_VOTE, "vote")))
        return s;
    return add_selected(c, &snapshots);
}
