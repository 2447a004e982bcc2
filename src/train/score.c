/* espl_score_net: how well a net does on one part of some data. */
#include "train/opening.h"
#include "train/scorer.h"

#include <string.h>

static double share(int64_t part, int64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void fill(espl_score *score, const espl__sums *sums, const espl__class_sums *classes)
{
    score->examples = sums->samples;
    score->top1 = espl__sums_top1(sums);
    score->top5 = espl__sums_top5(sums);
    score->loss = espl__sums_loss(sums);
    for (int c = 0; c < score->class_count; c++)
        score->classes[c] = (espl_score_class){
            .precision = share(classes->right[c], classes->answered[c]),
            .recall = share(classes->right[c], classes->count[c]),
            .count = classes->count[c],
        };
}

/* A single logit goes with the loss that takes one. */
static const espl__op *loss_for(const espl_net *net)
{
    const char *name = espl_net_classes(net) == 1 ? "binary_cross_entropy" : "softmax_cross_entropy";

    return espl__loss_find(name);
}

static espl_status score(espl_net *net, espl_data *data, espl_part part, int64_t batch, bool within,
                         const espl__class_sums *by_class, espl_score *result)
{
    espl__scorer *scorer = NULL;
    espl__sums sums = { 0 };
    espl_status s;

    if ((s = espl__scorer_open(net, loss_for(net), batch, false, 0, &scorer)))
        return s;
    if (within)
        s = espl__scorer_within(scorer, data, part);
    if (!s && !(s = espl__scorer_run(scorer, data, part, &sums, by_class)))
        fill(result, &sums, by_class);
    espl__scorer_free(scorer);
    return s;
}

static espl_status score_part(espl_net *net, espl_data *data, espl_part part, int64_t batch, bool within,
                              espl_score *result)
{
    espl_context *ctx = net->ctx;
    const int64_t count = espl_data_count(data, part);
    int64_t *counts = NULL;
    espl_status s = espl__match_classes(net, data);
    const size_t classes = (size_t)espl_data_classes(data);

    *result = (espl_score){ .context = ctx, .class_count = (int)classes };
    if (s)
        return s;
    if (batch < 0)
        return espl__fail(ctx, ESPL_BAD_OPTION, "batch: %lld is not a number of samples", (long long)batch);
    if (count == 0)
        return espl__fail(ctx, ESPL_BAD_STATE, "the data has no %s samples to score",
                          part == ESPL_TRAIN ? "training" : "held-out");
    batch = batch ? batch : 256;
    if (!(s = espl__net_fits_data(net, data)) &&
        !(s = espl__allocate(ctx, classes, sizeof *result->classes, &result->classes)) &&
        !(s = espl__allocate(ctx, 3 * classes, sizeof *counts, &counts)))
        s = score(net, data, part, batch < count ? batch : count, within && espl_net_classes(net) > 1,
                  &(espl__class_sums){ counts, counts + classes, counts + 2 * classes }, result);
    espl__release(ctx, counts);
    if (s)
        espl_score_free(result);
    return s;
}

espl_status espl_score_net(espl_net *net, espl_data *data, espl_part part, int64_t batch, espl_score *result)
{
    return score_part(net, data, part, batch, false, result);
}

espl_status espl_score_within(espl_net *net, espl_data *data, espl_part part, int64_t batch, espl_score *result)
{
    return score_part(net, data, part, batch, true, result);
}

void espl_score_free(espl_score *score)
{
    if (!score || !score->context)
        return;
    espl__release(score->context, score->classes);
    *score = (espl_score){ 0 };
}
