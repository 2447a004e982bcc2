/* The range test (Smith, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3):
 * one step for each rate, from one that does nothing to one that destroys the net. The loss is taken on samples
 * that stay the same, since that of the batches would show how hard they are. Everything is then put back. */
#include "train/range_test.h"

#include "train/features.h"
#include "train/fixed_set.h"
#include "train/saved_state.h"
#include "train/scorer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EPOCHS_MAX 1.5 /* what a test may cost: a twentieth of 30 epochs */
#define POINTS_MIN 70  /* fewer steps bring the loss too little down to tell */
#define POINTS_USUAL 100
#define REPEATS_USUAL 3
#define MEMORY 0.8 /* of the mean that says when to stop */

typedef struct range_test {
    espl_run *run;
    espl__fixed_set *set;
    espl__saved_state *state;
    espl__loader *loader;
    espl__rate_curve *curve;
    int64_t steps;
} range_test;

/* ---- how much is tried ---- */

/* What one point costs, in steps: a step and the forward pass of the fixed samples, which is a third of one where
 * all of it trains. Whether features of a frozen part are kept must not change what is found. */
static double cost_of_point(const espl_run *run, const espl__fixed_set *set)
{
    const double share = (double)espl__fixed_set_samples(set) / (double)run->recipe.options.batch;
    bool whole = true;

    for (int i = 0; i < run->net->graph->parameter_count; i++)
        whole &= !run->net->parameters[i].frozen;
    return 1 + share * (whole ? 1.0 / 3 : 1);
}

static void choose_size(const range_test *t, const espl_rates_settings *given, espl__rate_curve *curve)
{
    const double most = EPOCHS_MAX * (double)t->run->steps_per_epoch / cost_of_point(t->run, t->set);
    const int repeats = (int)fmin(fmax(floor(most / POINTS_USUAL), 1), REPEATS_USUAL);
    const int points = (int)fmin(fmax(floor(most / repeats), POINTS_MIN), POINTS_USUAL);

    curve->repeats = given->repeats ? (int)given->repeats : repeats;
    curve->count = given->points ? (int)given->points : points;
}

static bool normalizes(const espl_net *net, const espl__node *node)
{
    static const char *const names[] = { "batch_norm", "group_norm", "layer_norm" };
    bool found = false;

    for (int i = 0; i < ESPL__COUNT(names) && node->op; i++)
        found |= espl__text_equal(node->op->name, names[i]);
    for (int i = 0; i < node->parameter_count; i++) /* what is frozen computes as in inference */
        found &= !net->parameters[node->parameters[i]].frozen;
    return found;
}

static int64_t weights_that_train(const espl_net *net, const espl__node *node)
{
    int64_t count = 0;

    for (int i = 0; i < node->parameter_count; i++) {
        const int p = node->parameters[i];
        if (net->graph->parameters[p].spec.kind == ESPL_WEIGHT && !net->parameters[p].frozen)
            count += net->parameters[p].count;
    }
    return count;
}

static bool is_normalized(const espl_net *net)
{
    const espl__graph *graph = net->graph;
    int64_t all = 0, normalized = 0;

    for (int i = 1; i < graph->node_count; i++) {
        all += weights_that_train(net, &graph->nodes[i]);
        if (normalizes(net, &graph->nodes[i]))
            normalized += weights_that_train(net, &graph->nodes[graph->nodes[i].inputs[0]]);
    }
    return 2 * normalized > all;
}

/* Its own default is where people begin to look. */
double espl__usual_rate(const espl_run *run)
{
    const espl_option *rate = espl__option_find(run->recipe.optimizer->options, "rate");
    double usual = 0;

    return espl__text_to_real(rate->fallback, &usual) ? usual : 0.1;
}

static espl_status check(espl_run *run, const espl_rates_settings *s, double low, double high)
{
    if (!(low > 0) || !(high > low) || !isfinite(high))
        return espl__fail(run->ctx, ESPL_BAD_OPTION,
                          "rates from %g to %g are no range: a lowest above zero and a larger highest are needed", low,
                          high);
    if (s->points && (s->points < 10 || s->points > ESPL_RATE_POINTS_MAX))
        return espl__fail(run->ctx, ESPL_BAD_OPTION, "%lld points: 10 to %d can be tried", (long long)s->points,
                          ESPL_RATE_POINTS_MAX);
    if (s->repeats < 0 || s->repeats > ESPL_RATE_REPEATS_MAX)
        return espl__fail(run->ctx, ESPL_BAD_OPTION, "%lld repeats: 1 to %d can be done", (long long)s->repeats,
                          ESPL_RATE_REPEATS_MAX);
    return ESPL_OK;
}

/* ---- one repeat ---- */

static espl_status open_loader(range_test *t, int repeat)
{
    espl_run *run = t->run;
    const espl__recipe_options *o = &run->recipe.options;
    char name[32];

    snprintf(name, sizeof name, "range-test/%d", repeat);
    espl__loader_settings settings = {
        .part = ESPL_TRAIN,
        .batch = run->recipe.options.batch,
        .shuffle = true,
        .seed = espl__stream_of(espl__seed(run->ctx), name).key,
        .epochs = 1 + t->curve->count, /* enough if an epoch is one step */
        .augmentations = run->fit.augmentations,
        .augmentation_count = run->fit.augmentation_count,
        .variants = o->variants < o->epochs ? o->variants : o->epochs, /* those of the training */
        .threads = espl__worker_count(run->ctx),
    };

    espl__loader_prepare(run->net, &settings);
    if (run->fit.features)
        espl__features_serve(run->fit.features, &settings);
    return espl__loader_open(run->data, &settings, &t->loader);
}

/* One step and what it did. `*sick`: numbers stopped being numbers. */
static espl_status try_rate(range_test *t, int repeat, int point, bool *sick)
{
    espl_run *run = t->run;
    espl__sums *sums = &run->progress.sums;
    const espl__batch *batch = NULL;
    int parameter = -1;
    espl_status s = espl__loader_next(t->loader, &batch);

    if (s || !batch)
        return s ? s : espl__fail(run->ctx, ESPL_BAD_STATE, "the loader ended before the range test did");
    run->progress.rate = t->curve->rate[point];
    run->fit.momentum = espl_run_base_momentum(run);
    *sums = (espl__sums){ 0 };
    espl__step_compute(run, batch);
    t->curve->training[repeat][point] = espl__sums_loss(sums);
    *sick = !isfinite(sums->loss);
    if (*sick || (s = espl__step_update(run, &parameter)))
        return s;
    run->progress.step++;
    t->steps++;
    t->curve->loss[repeat][point] = espl__fixed_set_loss(t->set);
    *sick = parameter >= 0 || !isfinite(t->curve->loss[repeat][point]);
    return ESPL_OK;
}

static espl_status stop_if_asked(espl_context *ctx)
{
    if (!espl__interrupted(ctx))
        return ESPL_OK;
    espl__interrupt_clear(ctx);
    return espl__fail(ctx, ESPL_INTERRUPTED, "stopped while looking for a rate");
}

static espl_status repeat_once(range_test *t, int repeat)
{
    espl__rate_curve *curve = t->curve;
    double smooth[ESPL_RATE_POINTS_MAX];
    bool sick = false;
    espl_status s = open_loader(t, repeat);

    for (int i = 0; i < curve->count; i++)
        curve->loss[repeat][i] = curve->training[repeat][i] = NAN;
    for (int i = 0; i < curve->count && !s && !sick; i++) {
        if ((s = stop_if_asked(t->run->ctx)) || (s = try_rate(t, repeat, i, &sick)) || sick)
            break;
        espl__smooth(curve->loss[repeat], i + 1, MEMORY, smooth);
        sick = espl__has_diverged(smooth, i + 1);
    }
    espl__loader_free(t->loader);
    t->loader = NULL;
    return s;
}

/* ---- the test ---- */

/* Averages and whatever looks on would cost time and learn nothing. */
static int hooks_that_matter(const espl_run *run)
{
    int count = 0;

    while (count < run->fit.hook_count && run->fit.hooks[count].technique->family < ESPL_AVERAGE)
        count++;
    return count;
}

static espl_status repeat_all(range_test *t)
{
    const int hooks = t->run->fit.hook_count;
    espl_status s = ESPL_OK;

    t->run->fit.hook_count = hooks_that_matter(t->run);
    for (int r = 0; r < t->curve->repeats && !s; r++) {
        s = repeat_once(t, r);
        espl__state_restore(t->state);
    }
    t->run->fit.hook_count = hooks;
    return s;
}

static espl_status run_test(range_test *t, const espl_rates_settings *given, espl_rates *result)
{
    const double usual = espl__usual_rate(t->run), low = given->low > 0 ? given->low : 1e-4 * usual,
                 high = given->high > 0 ? given->high : 100 * usual;
    espl_status s = check(t->run, given, low, high);

    if (s || (s = espl__fixed_set_open(t->run, &t->set)) || (s = espl__state_save(t->run, &t->state)))
        return s;
    choose_size(t, given, t->curve);
    espl__rates_spread(low, high, t->curve->count, t->curve->rate);
    t->curve->normalized = is_normalized(t->run->net);
    result->before = espl__state_hash(t->state);
    s = repeat_all(t);
    result->after = espl__state_hash(t->state);
    result->repeats = t->curve->repeats;
    result->steps = t->steps;
    result->samples = espl__fixed_set_samples(t->set);
    return s;
}

espl_status espl__range_test(espl_run *run, const espl_rates_settings *settings, espl_rates *result,
                             espl__rate_curve *curve)
{
    static const espl_rates_settings none = { 0 };
    range_test t = { .run = run, .curve = curve };
    const double began = espl__now();
    const espl_status s = run_test(&t, settings ? settings : &none, result);

    result->seconds = espl__now() - began;
    espl__state_free(t.state);
    espl__fixed_set_free(t.set);
    return s;
}
