/* espl_bench_net: how long a net takes on this machine, forward or for a whole training step, on random
 * inputs, in all and layer by layer. */
#include "train/scorer.h"
#include "train/recipe.h"
#include "train/updater.h"
#include <espalier/report.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define WARM_UP 2
#define RUNS_MIN 3
#define RUNS_MAX 20000
#define LAYER_RUNS_MAX 20

typedef struct rig {
    espl_net *net;
    espl_context *ctx;
    bool train;
    int64_t batch;
    espl__graph *graph, *fused;
    espl__plan *plan;
    espl__updater *updater;
    void *options; /* of the optimizer */
    float **gradients;
    float **saved; /* the net's values, to be put back */
    float *values;
    int32_t *labels;
    bool first;
    double *times;
} rig;

/* ---- opening ---- */

static espl_status open_plan(rig *r)
{
    const char *loss = espl_net_classes(r->net) == 1 ? "binary_cross_entropy" : "softmax_cross_entropy";
    const espl__plan_settings settings = { .batch = r->batch, .training = r->train };
    espl_status s = r->train ? espl__loss_graph(r->net->graph, espl__loss_find(loss), NULL, &r->graph)
                             : espl__graph_copy(r->net->graph, &r->graph);

    if (s || (s = espl__fuse(r->graph, r->train, &r->fused)))
        return s;
    return espl__plan_open(r->net, r->fused, &settings, &r->plan);
}

static espl_status open_inputs(rig *r)
{
    const int64_t size = espl__shape_size(r->net->graph->nodes[0].shape);
    const int classes = espl_net_classes(r->net);
    espl__random random = espl__random_at(espl__stream_of(espl__seed(r->ctx), "bench"), 0, 0);
    espl_status s;

    if ((s = espl__allocate(r->ctx, (size_t)(r->batch * size), sizeof(float), &r->values)) ||
        (s = espl__allocate(r->ctx, (size_t)r->batch, sizeof *r->labels, &r->labels)) ||
        (s = espl__allocate(r->ctx, RUNS_MAX, sizeof *r->times, &r->times)))
        return s;
    for (int64_t i = 0; i < r->batch * size; i++)
        r->values[i] = espl__random_normal(&random);
    for (int64_t i = 0; i < r->batch; i++)
        r->labels[i] = (int32_t)(i % (classes > 1 ? classes : 2));
    return ESPL_OK;
}

static espl_status save_values(rig *r)
{
    const int count = r->net->graph->parameter_count;
    espl_status s = espl__allocate(r->ctx, (size_t)count, sizeof *r->saved, &r->saved);

    for (int i = 0; i < count && !s; i++) {
        const espl__parameter *p = &r->net->parameters[i];
        if (!(s = espl__allocate(r->ctx, (size_t)p->count, sizeof(float), &r->saved[i])))
            memcpy(r->saved[i], p->value, (size_t)p->count * sizeof(float));
    }
    return s;
}

static espl_status open_training(rig *r)
{
    const espl__optimizer *sgd = espl__optimizer_find("sgd");
    espl_status s;

    if ((s = save_values(r)) || (s = espl__allocate(r->ctx, 1, sgd->size, &r->options)) ||
        (s = espl__options_begin(r->ctx, sgd->options, r->options)) ||
        (s = espl__updater_open(r->net, sgd, r->options, &r->updater)))
        return s;
    return espl__allocate(r->ctx, (size_t)r->net->graph->parameter_count, sizeof *r->gradients, &r->gradients);
}

static void close_rig(rig *r)
{
    for (int i = 0; r->saved && i < r->net->graph->parameter_count; i++) {
        const espl__parameter *p = &r->net->parameters[i];
        if (r->saved[i])
            memcpy(p->value, r->saved[i], (size_t)p->count * sizeof(float));
        espl__release(r->ctx, r->saved[i]);
    }
    espl__release(r->ctx, r->saved);
    espl__release(r->ctx, r->gradients);
    espl__updater_free(r->updater);
    espl__release(r->ctx, r->options);
    espl__release(r->ctx, r->times);
    espl__release(r->ctx, r->labels);
    espl__release(r->ctx, r->values);
    espl__plan_free(r->plan);
    espl__graph_free(r->fused);
    espl__graph_free(r->graph);
}

/* ---- measuring ---- */

static double run_once(rig *r)
{
    const double began = espl__now();

    espl__plan_run(r->plan, &(espl__feed){ .count = r->batch, .values = r->values, .labels = r->labels, .parameters_changed = r->train || r->first });
    r->first = false;
    if (r->train) {
        for (int i = 0; i < r->net->graph->parameter_count; i++)
            r->gradients[i] = espl__plan_gradient(r->plan, i);
        /* so small a rate that numbers stay where they are however long it is measured */
        espl__updater_run(r->updater, r->gradients, 1, 1e-9, NULL, 0);
    }
    return espl__now() - began;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(rig *r, double seconds, espl_bench *result)
{
    int runs = 0;

    result->first_ms = run_once(r) * 1e3;
    for (int i = 1; i < WARM_UP; i++)
        run_once(r);
    const double began = espl__now();
    while (runs < RUNS_MAX && (runs < RUNS_MIN || espl__now() - began < seconds) &&
           !espl__interrupted(r->ctx))
        r->times[runs++] = run_once(r);
    if (!runs)
        r->times[runs++] = result->first_ms / 1e3;
    qsort(r->times, (size_t)runs, sizeof *r->times, by_size);
    const double median = runs % 2 ? r->times[runs / 2] : (r->times[runs / 2 - 1] + r->times[runs / 2]) / 2;
    result->median_ms = median * 1e3;
    result->min_ms = r->times[0] * 1e3;
    result->max_ms = r->times[runs - 1] * 1e3;
    result->images_per_second = (double)r->batch / median;
}

/* Time by layer: of one worker, since all of them work on every layer. */
static espl_status measure_layers(rig *r, double seconds, espl_bench *result)
{
    const int count = espl__plan_step_count(r->plan);
    int runs = 0;
    double macs = 0;
    espl_status s;

    if ((s = espl__allocate(r->ctx, (size_t)count, sizeof *result->layers, &result->layers)))
        return s;
    result->layer_count = count;
    espl__plan_timing(r->plan, true);
    const double began = espl__now();
    while (runs < LAYER_RUNS_MAX && (runs < 1 || espl__now() - began < seconds)) {
        run_once(r);
        runs++;
    }
    for (int i = 0; i < count; i++) {
        const espl__plan_step step = espl__plan_step_at(r->plan, i);
        espl_bench_layer *layer = &result->layers[i];
        snprintf(layer->node, sizeof layer->node, "%s", *step.node ? step.node : "-");
        snprintf(layer->kernel, sizeof layer->kernel, "%s", step.kernel);
        snprintf(layer->role, sizeof layer->role, "%s", step.role);
        const double each = step.seconds / runs / result->threads;
        layer->milliseconds = each * 1e3;
        layer->gflops = each > 0 ? 2e-9 * (double)step.macs / each : 0;
        macs += (double)step.macs;
    }
    espl__plan_timing(r->plan, false);
    result->gflops = 2e-9 * macs / (result->median_ms / 1e3);
    return ESPL_OK;
}

static espl_status check(const espl_net *net, const espl_bench_settings *settings)
{
    if (settings->batch < 0 || settings->batch > 1 << 20)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "batch: %lld is not within 1..1048576",
                          (long long)settings->batch);
    if (!(settings->seconds >= 0) || settings->seconds > 3600)
        return espl__fail(net->ctx, ESPL_BAD_OPTION, "seconds: %g is not within 0..3600", settings->seconds);
    return ESPL_OK;
}

espl_status espl_bench_net(espl_net *net, const espl_bench_settings *settings, espl_bench *result)
{
    static const espl_bench_settings none = { 0 };
    const espl_bench_settings *o = settings ? settings : &none;
    const double seconds = o->seconds > 0 ? o->seconds : 3;
    rig r = { .net = net, .ctx = net->ctx, .train = o->train, .first = true };
    espl_status s = check(net, o);

    *result = (espl_bench){ .context = net->ctx };
    if (s)
        return s;
    r.batch = o->batch ? o->batch : o->train ? 128
                                             : 1;
    result->batch = r.batch;
    result->threads = espl__worker_count(net->ctx);
    if (!(s = open_plan(&r)) && !(s = open_inputs(&r)) && (!r.train || !(s = open_training(&r)))) {
        result->planned_bytes = espl__bytes_now(net->ctx);
        measure(&r, seconds, result);
        s = measure_layers(&r, seconds / 4, result);
    }
    close_rig(&r);
    if (s)
        espl_bench_free(result);
    return s;
}

void espl_bench_free(espl_bench *bench)
{
    if (!bench || !bench->context)
        return;
    espl__release(bench->context, bench->layers);
    *bench = (espl_bench){ 0 };
}
