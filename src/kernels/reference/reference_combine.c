/* combine: everything is taken in logarithms around the most probable member, so that no logit is too large and
 * no probability too small. Letters: m a member of M, k a class, p[m][k] the softmax of input m. */
#include "kernels/reference/reference.h"
#include "ops/combine.h"

#include <math.h>

/* One sample on its way. */
typedef struct ensemble {
    const espl__call *call;
    const espl__combine *attributes;
    int64_t n, classes;
    int members;
    double log_sum[ESPL_LIST_MAX]; /* logsumexp of each input */
    int64_t answer[ESPL_LIST_MAX]; /* the class of its largest logit */
} ensemble;

static int64_t place(const ensemble *e, int m, int64_t k)
{
    const espl__layout x = espl__layout_of_input(e->call->at, m);

    return espl__at(&x, e->n, k, 0);
}

static double logit(const ensemble *e, int m, int64_t k)
{
    return (double)e->call->inputs[m][place(e, m, k)];
}

static double weight(const ensemble *e, int m)
{
    return espl__combine_weight(e->attributes, m, e->members);
}

static void begin_sample(ensemble *e, int64_t n)
{
    e->n = n;
    for (int m = 0; m < e->members; m++) {
        double sum = 0;
        e->answer[m] = 0;
        for (int64_t k = 1; k < e->classes; k++)
            e->answer[m] = logit(e, m, k) > logit(e, m, e->answer[m]) ? k : e->answer[m];
        const double largest = logit(e, m, e->answer[m]);
        for (int64_t k = 0; k < e->classes; k++)
            sum += exp(logit(e, m, k) - largest);
        e->log_sum[m] = largest + log(sum);
    }
}

static ensemble ensemble_of(const espl__call *call)
{
    return (ensemble){ .call = call,
                       .attributes = call->node->attributes,
                       .classes = call->at->output.dim[0],
                       .members = call->at->input_count };
}

/* log(sum of w p[k]) + logsumexp(x[0]), and nothing but x[0] where all inputs are equal. */
static double mean_logit(const ensemble *e, int64_t k)
{
    double sum = 0, whole = 0;
    int best = -1;

    for (int m = 0; m < e->members; m++)
        if (weight(e, m) > 0 &&
            (best < 0 || logit(e, m, k) - e->log_sum[m] > logit(e, best, k) - e->log_sum[best]))
            best = m;
    for (int m = 0; m < e->members; m++) {
        whole += weight(e, m);
        sum += weight(e, m) * exp((logit(e, m, k) - logit(e, best, k)) - (e->log_sum[m] - e->log_sum[best]));
    }
    return logit(e, best, k) + (e->log_sum[0] - e->log_sum[best]) + log(sum / whole);
}

/* M v[k] */
static double votes(const ensemble *e, int64_t k)
{
    double sum = 0;

    for (int m = 0; m < e->members; m++)
        sum += e->answer[m] == k ? weight(e, m) : 0;
    return e->members * sum;
}

static double vote_logit(const ensemble *e, int64_t k)
{
    const double log_mean = mean_logit(e, k) - e->log_sum[0], v = votes(e, k);

    return (v > 0 ? log(v + exp(log_mean)) : log_mean) - log(e->members + 1);
}

static double weighted_logit(const ensemble *e, int64_t k)
{
    const double first = logit(e, 0, k);
    double sum = 0;

    for (int m = 1; m < e->members; m++)
        sum += weight(e, m) * (logit(e, m, k) - first);
    return first + sum;
}

static void forward(const espl__call *call)
{
    static double (*const by[])(const ensemble *, int64_t) = {
        [ESPL__COMBINE_MEAN] = mean_logit,
        [ESPL__COMBINE_VOTE] = vote_logit,
        [ESPL__COMBINE_LOGITS] = weighted_logit,
    };
    const espl__layout y = espl__layout_of_output(call->at);
    ensemble e = ensemble_of(call);

    for (int64_t n = 0; n < call->samples; n++) {
        begin_sample(&e, n);
        for (int64_t k = 0; k < e.classes; k++)
            call->output[espl__at(&y, n, k, 0)] = (float)by[e.attributes->by](&e, k);
    }
}

static void backward_logits(const ensemble *e, const float *dy)
{
    const espl__layout y = espl__layout_of_output(e->call->at);

    for (int m = 0; m < e->members; m++)
        for (int64_t k = 0; e->call->grad_inputs[m] && k < e->classes; k++)
            e->call->grad_inputs[m][place(e, m, k)] = (float)(weight(e, m) * dy[espl__at(&y, e->n, k, 0)]);
}

/* With q[m][k] = w[m] p[m][k] / mean p[k], the share of m in class k, and g[k] = dy[k] times what of y[k] is mean
 * probability (all of it, or one voter of many):
 *   dx[m][j] = g[j] q[m][j] - p[m][j] sum over k of g[k] q[m][k],   and  + p[0][j] sum over k of dy[k]  for m = 0
 * if the mean has logsumexp(x[0]) added. */
static void backward_mean(const ensemble *e, const float *dy)
{
    const espl__layout y = espl__layout_of_output(e->call->at);
    const bool votes_too = e->attributes->by == ESPL__COMBINE_VOTE;
    float *const *dx = e->call->grad_inputs;
    double dot[ESPL_LIST_MAX] = { 0 }, whole = 0;

    for (int64_t k = 0; k < e->classes; k++) {
        const double log_mean = mean_logit(e, k) - e->log_sum[0], v = votes_too ? votes(e, k) : 0;
        const double part = v > 0 ? exp(log_mean) / (v + exp(log_mean)) : 1;
        const double g = part * dy[espl__at(&y, e->n, k, 0)];
        whole += votes_too ? 0 : g;
        for (int m = 0; m < e->members; m++) {
            const double gq = weight(e, m) > 0 ? g * weight(e, m) * exp(logit(e, m, k) - e->log_sum[m] - log_mean) : 0;
            dot[m] += gq;
            if (dx[m])
                dx[m][place(e, m, k)] = (float)gq;
        }
    }
    for (int m = 0; m < e->members; m++)
        for (int64_t k = 0; dx[m] && k < e->classes; k++)
            dx[m][place(e, m, k)] += (float)(exp(logit(e, m, k) - e->log_sum[m]) * ((m ? 0 : whole) - dot[m]));
}

static void backward(const espl__call *call)
{
    ensemble e = ensemble_of(call);

    for (int64_t n = 0; n < call->samples; n++) {
        begin_sample(&e, n);
        if (e.attributes->by == ESPL__COMBINE_LOGITS)
            backward_logits(&e, call->grad_output);
        else
            backward_mean(&e, call->grad_output);
    }
}

const espl__kernel espl__kernel_reference_combine_forward = {
    .name = "reference_combine_forward",
    .op = "combine",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_combine_backward = {
    .name = "reference_combine_backward",
    .op = "combine",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
