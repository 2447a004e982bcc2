/* espl_ensemble_measure: how nets do on data, how alike they answer, and which of them to put together. */
#include "train/answers.h"
#include <espalier/ensemble.h>

static void fill_pairs(const espl__answers *answers, int count, espl_members *result)
{
    const double pairs = count * (count - 1) / 2.0;

    for (int a = 0; a < count; a++)
        for (int b = 0; b < count; b++) {
            const double disagreement = espl__answers_disagree(&answers[a], &answers[b]);
            const double correlation = espl__answers_correlate(&answers[a], &answers[b]);
            result->disagreement[a][b] = disagreement;
            result->correlation[a][b] = correlation;
            if (a < b) {
                result->mean_disagreement += disagreement / pairs;
                result->mean_correlation += correlation / pairs;
            }
        }
}

static espl_status fill(espl_context *ctx, const espl__answers *answers, int count, espl_choose how,
                        espl_members *result)
{
    double weight[ESPL_MEMBERS_MAX];
    espl_status s = ESPL_OK;

    for (int m = 0; m < count; m++)
        weight[m] = 1.0 / count;
    if (how != ESPL_CHOOSE_ALL)
        s = espl__answers_choose(ctx, answers, count, how == ESPL_CHOOSE_WEIGHTS, weight);
    for (int m = 0; m < count; m++) {
        const espl__quality q = espl__answers_score(&answers[m]);
        result->member[m] = (espl_member){ .top1 = q.top1, .loss = q.nll, .calibration_error = q.calibration_error, .weight = weight[m] };
    }
    fill_pairs(answers, count, result);
    return s;
}

espl_status espl_ensemble_measure(espl_net *const *nets, int count, espl_data *data, espl_part part, espl_choose how,
                                  espl_members *result)
{
    espl__answers answers[ESPL_MEMBERS_MAX] = { { 0 } };
    espl_status s = ESPL_OK;

    *result = (espl_members){ .count = count };
    if (count < 1 || count > ESPL_MEMBERS_MAX)
        return count < 1 ? ESPL_BAD_OPTION
                         : espl__fail(nets[0]->ctx, ESPL_BAD_OPTION, "%d nets are given, but an ensemble has at most %d "
                                                                     "members",
                                      count, ESPL_MEMBERS_MAX);
    if (how != ESPL_CHOOSE_ALL && part == ESPL_HELD_OUT && espl__data_has_test(data))
        espl__log(nets[0]->ctx, ESPL_WARNING, "members are chosen on what the data keep for testing: figures on it "
                                              "will flatter the ensemble; choose on data of their own");
    for (int m = 0; m < count && !s; m++)
        s = espl__answers_take(nets[m], data, part, &answers[m]);
    if (!s)
        s = fill(nets[0]->ctx, answers, count, how, result);
    for (int m = 0; m < count; m++)
        espl__answers_free(nets[0]->ctx, &answers[m]);
    return s;
}
