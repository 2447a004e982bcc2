/* espl_net_average: one net with the mean of the weights of several, all of them or a greedy choice (Wortsman et al.
 * 2022, Model soups, arXiv:2203.05482, recipe 1), and its batch-norm statistics estimated anew. */
#include "net/alike.h"
#include "net/average_nets.h"
#include "train/scorer.h"
#include "train/statistics.h"
#include <espalier/ensemble.h>
#include <espalier/run.h>

#include <string.h>

#define NEAR 0.5 /* least cosine of nets that have a start in common */
#define BATCH 128

typedef struct soup {
    espl_context *ctx;
    espl_net *const *nets;
    int count;
    espl_data *data;
    espl_net *mean;
    espl_average *result;
} soup;

static espl_status check_distance(const soup *k, bool far)
{
    int a = 0, b = 0;

    k->result->cosine = 1;
    for (int i = 0; i < k->count; i++)
        for (int j = i + 1; j < k->count; j++) {
            const double cosine = espl__nets_cosine(k->nets[i], k->nets[j]);
            if (cosine < k->result->cosine) {
                k->result->cosine = cosine;
                a = i + 1;
                b = j + 1;
            }
        }
    if (far || k->result->cosine >= NEAR)
        return ESPL_OK;
    return espl__fail(k->ctx, ESPL_BAD_STATE,
                      "nets %d and %d are far apart: the cosine between their weights is %.2f, where nets that were "
                      "trained on from one state have %.1f at least. Their mean would compute neither; make an ensemble "
                      "of them",
                      a, b, k->result->cosine, NEAR);
}

static espl_status estimate(const soup *k)
{
    espl__statistics *statistics = NULL;
    const int64_t count = k->data ? espl_data_count(k->data, ESPL_TRAIN) : 0;
    const int64_t batch = count > 0 && count < BATCH ? count : BATCH;
    espl_status s = espl__statistics_open(k->mean, batch, false, &statistics);

    if (s || !statistics)
        return s;
    if (!count)
        s = espl__fail(k->ctx, ESPL_BAD_OPTION,
                       "the nets have batch norm, whose running statistics are right for none but the net they were "
                       "taken from: give training data to estimate them for the average");
    else
        s = espl__statistics_run(statistics, k->data, NULL, 0, espl__statistics_batches((count + batch - 1) / batch));
    espl__statistics_free(statistics);
    return s;
}

/* The mean of those that are taken becomes `k->mean`. */
static espl_status cook(const soup *k)
{
    espl_net *taken[ESPL_MEMBERS_MAX] = { NULL };
    int count = 0;

    for (int i = 0; i < k->count; i++)
        if (k->result->taken[i])
            taken[count++] = k->nets[i];
    espl__nets_mean(taken, count, k->mean);
    return count == 1 ? ESPL_OK : estimate(k); /* a single one keeps its own statistics */
}

static espl_status score(const soup *k, espl_net *net, double *top1)
{
    espl_score score = { 0 };
    const espl_status s = espl_score_net(net, k->data, ESPL_HELD_OUT, 0, &score);

    *top1 = score.top1;
    espl_score_free(&score);
    return s;
}

/* The best net that has not been tried; of equals the earlier one. */
static int next_best(const soup *k, const bool *tried)
{
    int best = -1;

    for (int i = 0; i < k->count; i++)
        if (!tried[i] && (best < 0 || k->result->member_top1[i] > k->result->member_top1[best]))
            best = i;
    return best;
}

/* From the best net down: whichever does not make the average worse stays in it. */
static espl_status choose(const soup *k)
{
    espl_average *r = k->result;
    bool tried[ESPL_MEMBERS_MAX] = { false };
    double top1 = 0;
    espl_status s = ESPL_OK;

    for (int i = 0; i < k->count && !s; i++)
        s = score(k, k->nets[i], &r->member_top1[i]);
    for (int i = next_best(k, tried); i >= 0 && !s; i = next_best(k, tried)) {
        tried[i] = r->taken[i] = true;
        if ((s = cook(k)) || (s = score(k, k->mean, &top1)))
            return s;
        r->taken[i] = r->count == 0 || top1 >= r->top1;
        if (r->taken[i]) {
            r->top1 = top1;
            r->count++;
        }
    }
    return s;
}

static espl_status make(const soup *k, bool greedy)
{
    espl_status s = ESPL_OK;

    if (greedy && (s = choose(k)))
        return s;
    for (int i = 0; i < k->count && !greedy; i++)
        k->result->taken[i] = true;
    if (!greedy)
        k->result->count = k->count;
    return cook(k);
}

espl_status espl_net_average(espl_net *const *nets, int count, const espl_average_settings *settings,
                             espl_average *result, espl_net **average)
{
    soup k = { .ctx = nets[0]->ctx, .nets = nets, .count = count, .data = settings->data, .result = result };
    espl_status s;

    *average = NULL;
    *result = (espl_average){ 0 };
    if (count < 1 || count > ESPL_MEMBERS_MAX)
        return espl__fail(k.ctx, ESPL_BAD_OPTION, "%d nets cannot be averaged, 1 to %d can", count, ESPL_MEMBERS_MAX);
    if (settings->greedy && !settings->data)
        return espl__fail(k.ctx, ESPL_BAD_OPTION, "a greedy choice needs data to score the averages on");
    if ((s = espl__nets_answer_alike(nets, count)) || (s = espl__nets_same_graph(nets, count)) ||
        (s = check_distance(&k, settings->far)) || (s = espl__net_copy(nets[0], &k.mean)))
        return s;
    if ((s = make(&k, settings->greedy)))
        espl_net_free(k.mean);
    else
        *average = k.mean;
    return s;
}
