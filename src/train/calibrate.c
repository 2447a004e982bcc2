/* espl_net_calibrate: a temperature for the logits of a net and the probability below which it had better not answer. */
#include "train/answers.h"
#include "train/temperature.h"
#include <espalier/calibrate.h>

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static float confidence(const espl__answers *a, int64_t n)
{
    return a->probability[n * a->classes + espl__answers_class(a, n)];
}

/* The probability that a share of the right answers lie below. */
static espl_status find_unknown(espl_context *ctx, const espl__answers *a, double share, double *result)
{
    float *right = NULL;
    int64_t count = 0;
    const espl_status s = espl__allocate(ctx, (size_t)a->samples, sizeof *right, &right);

    *result = 0;
    if (s)
        return s;
    for (int64_t n = 0; n < a->samples; n++)
        if (espl__answers_class(a, n) == a->label[n])
            right[count++] = confidence(a, n);
    qsort(right, (size_t)count, sizeof *right, compare);
    if (count && share > 0)
        *result = (double)right[(int64_t)(share * (double)count)];
    espl__release(ctx, right);
    return ESPL_OK;
}

static void count_refused(const espl__answers *a, espl_calibration *c)
{
    int64_t right = 0, wrong = 0, refused_right = 0, refused_wrong = 0;

    for (int64_t n = 0; n < a->samples; n++) {
        const bool hit = espl__answers_class(a, n) == a->label[n], refused = (double)confidence(a, n) < c->unknown;
        right += hit;
        wrong += !hit;
        refused_right += hit && refused;
        refused_wrong += !hit && refused;
    }
    c->refused_right = right ? (double)refused_right / (double)right : 0;
    c->refused_wrong = wrong ? (double)refused_wrong / (double)wrong : 0;
}

/* `before`: probabilities; `a`: logits of the same samples, which become probabilities. */
static espl_status calibrate(espl_net *net, const espl__answers *before, espl__answers *a, double share,
                             espl_calibration *c)
{
    const espl__quality was = espl__answers_score(before);
    espl_status s;

    if (!espl__find_temperature(a->probability, a->label, a->samples, a->classes, &c->temperature))
        return espl__fail(net->ctx, ESPL_BAD_STATE,
                          "these %lld samples cannot tell how sure the net may be: their answers are all right, or no better "
                          "than guesses; calibrate with more data that the net was not trained on",
                          (long long)a->samples);
    for (int64_t n = 0; n < a->samples; n++)
        espl__temper(a->probability + n * a->classes, a->classes, c->temperature);
    if ((s = find_unknown(net->ctx, a, share, &c->unknown)))
        return s;
    const espl__quality is = espl__answers_score(a);
    c->examples = a->samples;
    c->top1 = is.top1;
    c->loss_before = was.nll;
    c->loss = is.nll;
    c->calibration_error_before = was.calibration_error;
    c->calibration_error = is.calibration_error;
    count_refused(a, c);
    net->temperature = c->temperature;
    net->unknown = c->unknown;
    return ESPL_OK;
}

espl_status espl_net_calibrate(espl_net *net, espl_data *data, espl_part part, double false_refusals,
                               espl_calibration *result)
{
    espl__answers before = { 0 }, logits = { 0 };
    espl_status s;

    *result = (espl_calibration){ 0 };
    if (!(false_refusals >= 0 && false_refusals < 1))
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "false refusals: a share of 0 up to 1 was expected, not %g",
                          false_refusals);
    if (!(s = espl__answers_take(net, data, part, &before)) && !(s = espl__answers_take_logits(net, data, part, &logits)))
        s = calibrate(net, &before, &logits, false_refusals, result);
    espl__answers_free(net->ctx, &before);
    espl__answers_free(net->ctx, &logits);
    return s;
}

double espl_net_temperature(const espl_net *net)
{
    return net->temperature > 0 ? net->temperature : 1;
}

double espl_net_unknown(const espl_net *net)
{
    return net->unknown;
}
