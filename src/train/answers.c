/* Taking and scoring answers; see answers.h. */
#include "train/answers.h"
#include "train/opening.h"
#include "train/scorer.h"
#include "train/temperature.h"
#include <espalier/calibrate.h>

#include <math.h>
#include <string.h>

#define BATCH 256
#define BINS 15

/* ---- taking ---- */

static espl_status run(espl_net *net, espl_data *data, espl_part part, espl__answers *a)
{
    espl__scorer *scorer = NULL;
    espl__sums sums;
    espl_status s = espl__scorer_open(net, espl__loss_find("softmax_cross_entropy"),
                                      a->samples < BATCH ? a->samples : BATCH, false, 0, &scorer);

    if (s)
        return s;
    espl__scorer_keep(scorer, a->probability, a->label);
    s = espl__scorer_run(scorer, data, part, &sums, NULL);
    espl__scorer_free(scorer);
    return s;
}

espl_status espl__answers_take_logits(espl_net *net, espl_data *data, espl_part part, espl__answers *result)
{
    espl_context *ctx = net->ctx;
    espl__answers a = { .samples = espl_data_count(data, part), .classes = espl_net_classes(net) };
    espl_status s;

    *result = (espl__answers){ 0 };
    if (!a.samples)
        return espl__fail(ctx, ESPL_BAD_STATE, "the data has no samples in this part to measure on");
    if (a.classes < 2)
        return espl__fail(ctx, ESPL_BAD_SHAPE, "the net \"%s\" has a single output, but probabilities of at least two "
                                               "classes are expected",
                          net->name);
    if (!(s = espl__match_classes(net, data)) && !(s = espl__net_fits_data(net, data)) &&
        !(s = espl__allocate(ctx, (size_t)a.samples, (size_t)a.classes * sizeof(float), &a.probability)) &&
        !(s = espl__allocate(ctx, (size_t)a.samples, sizeof *a.label, &a.label)) &&
        !(s = run(net, data, part, &a))) {
        *result = a;
        return ESPL_OK;
    }
    espl__answers_free(ctx, &a);
    return s;
}

espl_status espl__answers_take(espl_net *net, espl_data *data, espl_part part, espl__answers *result)
{
    const espl_status s = espl__answers_take_logits(net, data, part, result);

    for (int64_t n = 0; n < result->samples && !s; n++)
        espl__temper(result->probability + n * result->classes, result->classes, espl_net_temperature(net));
    return s;
}

void espl__answers_free(espl_context *ctx, espl__answers *answers)
{
    espl__release(ctx, answers->probability);
    espl__release(ctx, answers->label);
    *answers = (espl__answers){ 0 };
}

/* ---- scoring ---- */

int espl__answers_class(const espl__answers *a, int64_t n)
{
    const float *p = a->probability + n * a->classes;
    int best = 0;

    for (int k = 1; k < a->classes; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

/* Of a probability that was rounded to zero, the smallest that is not. */
static double minus_log(float probability)
{
    return -log(fmax((double)probability, 0x1p-149));
}

espl__quality espl__answers_score(const espl__answers *a)
{
    double sure[BINS] = { 0 }, right[BINS] = { 0 }, nll = 0, error = 0;
    espl__quality q = { 0 };

    for (int64_t n = 0; n < a->samples; n++) {
        const int answer = espl__answers_class(a, n);
        const double p = (double)a->probability[n * a->classes + answer];
        const int bin = p < 1 ? (int)(p * BINS) : BINS - 1;
        const bool hit = answer == a->label[n];
        q.right += hit;
        sure[bin] += p;
        right[bin] += hit;
        if (a->label[n] >= 0 && a->label[n] < a->classes)
            nll += minus_log(a->probability[n * a->classes + a->label[n]]);
    }
    for (int bin = 0; bin < BINS; bin++)
        error += fabs(sure[bin] - right[bin]);
    q.top1 = (double)q.right / (double)a->samples;
    q.nll = nll / (double)a->samples;
    q.calibration_error = error / (double)a->samples;
    return q;
}

/* ---- comparing ---- */

double espl__answers_disagree(const espl__answers *a, const espl__answers *b)
{
    int64_t count = 0;

    for (int64_t n = 0; n < a->samples; n++)
        count += espl__answers_class(a, n) != espl__answers_class(b, n);
    return (double)count / (double)a->samples;
}

double espl__answers_correlate(const espl__answers *a, const espl__answers *b)
{
    const int64_t count = a->samples * a->classes;
    const double mean = 1.0 / a->classes; /* of each: probabilities add up to 1 */
    double ab = 0, aa = 0, bb = 0;

    for (int64_t i = 0; i < count; i++) {
        const double x = (double)a->probability[i] - mean, y = (double)b->probability[i] - mean;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1;
}
