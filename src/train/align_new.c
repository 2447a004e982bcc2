/* Outputs of old and new classes on one scale; see align_new.h. */
#include "train/align_new.h"
#include "train/opening.h"
#include "train/scorer.h"

#include <math.h>
#include <stdio.h>

#define BATCH 256
#define FAR 1000.0 /* no sensible shift is larger */
#define HALVINGS 60

/* ---- by samples ---- */

/* The mean probability of a new class, with the outputs of new ones shifted. */
static double mean_new(const double *lead, int64_t count, double shift)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum += 1 / (1 + exp(-(lead[i] + shift)));
    return sum / (double)count;
}

double espl__balance(const double *old_samples, int64_t old_count, const double *new_samples, int64_t new_count)
{
    double low = -FAR, high = FAR;

    for (int i = 0; i < HALVINGS; i++) {
        const double middle = 0.5 * (low + high);
        const bool too_far = mean_new(old_samples, old_count, middle) > 1 - mean_new(new_samples, new_count, middle);
        *(too_far ? &high : &low) = middle;
    }
    return 0.5 * (low + high);
}

static double log_sum(const float *logits, int64_t first, int64_t end)
{
    double largest = -INFINITY, sum = 0;

    for (int64_t k = first; k < end; k++)
        largest = fmax(largest, (double)logits[k]);
    for (int64_t k = first; k < end; k++)
        sum += exp((double)logits[k] - largest);
    return largest + log(sum);
}

static espl_status take_leads(espl_run *run, espl_data *data, const float *logits, double **lead)
{
    const int64_t count = espl_data_count(data, ESPL_TRAIN), classes = espl_net_classes(run->net);
    const espl_status s = espl__allocate(run->ctx, (size_t)count, sizeof **lead, lead);

    for (int64_t i = 0; i < count && !s; i++) {
        const float *z = logits + i * classes;
        (*lead)[i] = log_sum(z, run->old_classes, classes) - log_sum(z, 0, run->old_classes);
    }
    return s;
}

/* How far new outputs lead over old ones, for each training sample of the data. */
static espl_status find_leads(espl_run *run, espl_data *data, double **lead)
{
    const size_t count = (size_t)espl_data_count(data, ESPL_TRAIN), classes = (size_t)espl_net_classes(run->net);
    espl__scorer *scorer = NULL;
    espl__sums sums;
    float *logits = NULL;
    int32_t *labels = NULL;
    espl_status s;

    if (!(s = espl__allocate(run->ctx, count, classes * sizeof *logits, &logits)) &&
        !(s = espl__allocate(run->ctx, count, sizeof *labels, &labels)) &&
        !(s = espl__scorer_open(run->net, run->recipe.loss, count < BATCH ? (int64_t)count : BATCH, false, 0, &scorer))) {
        espl__scorer_finishes(scorer, true);
        espl__scorer_keep(scorer, logits, labels);
        if (!(s = espl__scorer_run(scorer, data, ESPL_TRAIN, &sums, NULL)))
            s = take_leads(run, data, logits, lead);
    }
    espl__scorer_free(scorer);
    espl__release(run->ctx, labels);
    espl__release(run->ctx, logits);
    return s;
}

static espl_status find_shift(espl_run *run, double *shift)
{
    const espl__teacher *t = &run->fit.teacher;
    double *old_samples = NULL, *new_samples = NULL;
    espl_data *data = NULL;
    espl_status s;

    if (!(s = espl__run_open_old(run, t->old_data, t->old_samples, &data)) &&
        !(s = find_leads(run, data, &old_samples)) && !(s = find_leads(run, run->data, &new_samples)))
        *shift = espl__balance(old_samples, espl_data_count(data, ESPL_TRAIN), new_samples,
                               espl_data_count(run->data, ESPL_TRAIN));
    espl_data_free(data);
    espl__release(run->ctx, old_samples);
    espl__release(run->ctx, new_samples);
    return s;
}

/* ---- by weights ---- */

static double mean_norm(const float *weights, int64_t rows, int64_t inputs)
{
    double sum = 0;

    for (int64_t r = 0; r < rows; r++) {
        double squares = 0;
        for (int64_t i = 0; i < inputs; i++)
            squares += (double)weights[r * inputs + i] * (double)weights[r * inputs + i];
        sum += sqrt(squares);
    }
    return sum / (double)rows;
}

double espl__align_rows(float *weights, int64_t rows, int64_t inputs, int64_t known)
{
    const double there = mean_norm(weights, known, inputs);
    const double here = mean_norm(weights + known * inputs, rows - known, inputs);
    const double factor = here > 0 && there > 0 ? there / here : 1;

    for (int64_t i = known * inputs; i < rows * inputs; i++)
        weights[i] = (float)(factor * (double)weights[i]);
    return factor;
}

/* ---- the head ---- */

espl_status espl__align_new(espl_run *run)
{
    const espl__teacher *t = &run->fit.teacher;
    const espl__graph *graph = run->net->graph;
    const espl__node *head = &graph->nodes[espl__net_head(graph)];
    const espl__parameter *weights = &run->net->parameters[head->parameters[0]];
    const int64_t classes = espl_net_classes(run->net);
    double value = 0;
    char note[160];
    espl_status s;

    if (!t->apart)
        return ESPL_OK;
    if (*t->old_data) { /* a head with added classes is a dense layer with biases */
        if ((s = find_shift(run, &value)))
            return s;
        for (int64_t k = run->old_classes; k < classes; k++)
            run->net->parameters[head->parameters[1]].value[k] += (float)value;
        snprintf(note, sizeof note, "the outputs of new classes are shifted by %.3g, to be on one scale with the old ones", value);
    } else {
        value = espl__align_rows(weights->value, classes, weights->count / classes, run->old_classes);
        snprintf(note, sizeof note, "the weights of new classes are multiplied by %.3g, to be as long as those of the old ones",
                 value);
    }
    espl__run_tell(run, ESPL_NEWS_NOTE, note);
    return run->folder ? espl_net_save(run->net, run->result.net_path) : ESPL_OK;
}
