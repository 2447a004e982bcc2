/* One step of training: a batch, computed at once or in parts, becomes one update. */
#include "train/train.h"

#include <math.h>

/* Weights of the samples by their classes; NULL if all are 1. */
static const float *weigh(espl_run *run, const espl__batch *batch)
{
    const int classes = espl_data_classes(run->data);

    if (!run->class_weight)
        return NULL;
    for (int64_t i = 0; i < batch->count; i++) {
        const int32_t label = batch->labels[i];
        run->fit.weights[i] = label >= 0 && label < classes ? run->class_weight[label] : 1;
    }
    return run->fit.weights;
}

static double sum_weights(const float *weights, int64_t first, int64_t count)
{
    double sum = 0;

    if (!weights)
        return (double)count;
    for (int64_t i = first; i < first + count; i++)
        sum += (double)weights[i];
    return sum;
}

static void count_part(espl_run *run, const espl__batch *batch, const float *weights, int64_t first,
                       int64_t count)
{
    const espl__teacher *t = &run->fit.teacher;
    const int from = t->apart ? t->known : 0, classes = espl_net_classes(run->net) - from;

    for (int64_t i = 0; i < count; i++)
        espl__sums_add(&run->progress.sums, espl__plan_output(run->fit.plan, i) + from, classes,
                       batch->labels[first + i] - from, (double)espl__plan_loss(run->fit.plan, i),
                       weights ? (double)weights[first + i] : 1);
}

static void compute_part(espl_run *run, const espl__batch *batch, const float *weights, int64_t first,
                         int64_t count)
{
    const int64_t size = espl__shape_size(run->fit.fused->nodes[0].shape);
    const float *soft = espl__teacher_answer(run, batch->values + first * size, count);

    espl__plan_run(run->fit.plan, &(espl__feed){
                                      .count = count,
                                      .values = batch->values + first * size,
                                      .labels = batch->labels + first,
                                      .soft = soft,
                                      .weight = weights ? weights + first : NULL,
                                      .index = batch->draw + first,
                                      .epoch = batch->epoch,
                                      .step = run->progress.step,
                                      .parameters_changed = first == 0,
                                  });
    count_part(run, batch, weights, first, count);
}

static void take_gradients(espl_run *run)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        run->fit.gradients[i] = espl__plan_gradient(run->fit.plan, i);
}

/* The plan divides by the weights of what it was given; a part's gradient enters the sum with its share
 * of the whole batch, so that the parts together give what the batch at once would. */
void espl__step_compute(espl_run *run, const espl__batch *batch)
{
    espl__fit *fit = &run->fit;
    const float *weights = weigh(run, batch);
    const double whole = sum_weights(weights, 0, batch->count);

    for (int64_t first = 0; first < batch->count; first += fit->micro) {
        const int64_t left = batch->count - first, count = left < fit->micro ? left : fit->micro;
        compute_part(run, batch, weights, first, count);
        take_gradients(run);
        if (fit->total)
            espl__updater_gather(fit->updater, fit->total, fit->gradients,
                                 sum_weights(weights, first, count) / whole, first == 0);
    }
    for (int i = 0; fit->total && i < run->net->graph->parameter_count; i++)
        fit->gradients[i] = fit->total[i];
}

espl_status espl__step_update(espl_run *run, int *sick)
{
    espl__fit *fit = &run->fit;
    espl_status s;

    *sick = -1;
    fit->factor = 1;
    fit->norm = -1;
    if ((s = espl__moment(run, ESPL_GRADIENTS_READY)))
        return s;
    espl__updater_set_momentum(fit->updater, fit->momentum);
    *sick = espl__updater_run(fit->updater, fit->gradients, fit->factor, run->progress.rate, fit->hooks,
                              fit->hook_count);
    return ESPL_OK;
}

espl_status espl__step(espl_run *run, const espl__batch *batch)
{
    const espl__sums *sums = &run->progress.sums;
    const double loss_before = sums->loss, weight_before = sums->weight;
    int sick = -1;
    espl_status s;

    run->fit.cycle_left = espl__cycle_left(run);
    run->progress.rate = espl_run_base_rate(run);
    run->fit.momentum = espl_run_base_momentum(run);
    if ((s = espl__moment(run, ESPL_BATCH_READY)) || (s = espl__moment(run, ESPL_STEP_BEGIN)))
        return s;
    espl__step_compute(run, batch);
    if (!isfinite(sums->loss - loss_before))
        return espl__diverged(run, batch, -1);
    if ((s = espl__step_update(run, &sick)))
        return s;
    if (sick >= 0)
        return espl__diverged(run, batch, sick);
    const double weight = sums->weight - weight_before;
    run->fit.step_loss = weight > 0 ? (sums->loss - loss_before) / weight : 0;
    run->progress.step++;
    run->progress.batch++;
    return espl__moment(run, ESPL_STEP_END);
}
