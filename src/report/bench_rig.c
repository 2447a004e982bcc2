/* What espl_bench_net and espl_bench_compare time. */
#include "report/bench_rig.h"

#include "train/recipe.h"
#include "train/scorer.h"

#include <stdlib.h>
#include <string.h>

#define CLEAN_MIN 3 /* undisturbed runs that are enough for a median */

/* ---- opening ---- */

static espl_status open_plan(bench_rig *r)
{
    const char *loss = espl_net_classes(r->net) == 1 ? "binary_cross_entropy" : "softmax_cross_entropy";
    const espl__plan_settings settings = { .batch = r->batch, .training = r->train, .direct_only = r->direct };
    espl__graph *graph = NULL;
    espl_status s = r->train ? espl__loss_graph(r->net->graph, espl__loss_find(loss), NULL, &graph)
                             : espl__graph_copy(r->net->graph, &graph);

    if (!s)
        s = espl__fuse(r->net, graph, r->train, &r->fused);
    espl__graph_free(graph);
    return s ? s : espl__plan_open(r->net, r->fused, &settings, &r->plan);
}

static espl_status open_inputs(bench_rig *r)
{
    const int64_t size = espl__shape_size(r->net->graph->nodes[0].shape);
    const int classes = espl_net_classes(r->net);
    espl__random random = espl__random_at(espl__stream_of(espl__seed(r->ctx), "bench"), 0, 0);
    espl_status s;

    if ((s = espl__allocate(r->ctx, (size_t)(r->batch * size), sizeof(float), &r->values)) ||
        (s = espl__allocate(r->ctx, (size_t)r->batch, sizeof *r->labels, &r->labels)) ||
        (s = espl__allocate(r->ctx, BENCH_RUNS_MAX, sizeof *r->runs, &r->runs)))
        return s;
    for (int64_t i = 0; i < r->batch * size; i++)
        r->values[i] = espl__random_normal(&random);
    for (int64_t i = 0; i < r->batch; i++)
        r->labels[i] = (int32_t)(i % (classes > 1 ? classes : 2));
    return ESPL_OK;
}

static espl_status save_values(bench_rig *r)
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

static espl_status open_training(bench_rig *r)
{
    const espl__optimizer *sgd = espl__optimizer_find("sgd");
    espl_status s;

    if ((s = save_values(r)) || (s = espl__allocate(r->ctx, 1, sgd->size, &r->options)) ||
        (s = espl__options_begin(r->ctx, sgd->options, r->options)) ||
        (s = espl__updater_open(r->net, sgd, r->options, &r->updater)))
        return s;
    return espl__allocate(r->ctx, (size_t)r->net->graph->parameter_count, sizeof *r->gradients, &r->gradients);
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

espl_status bench_rig_open(espl_net *net, const espl_bench_settings *settings, bench_rig *r)
{
    espl_status s;

    *r = (bench_rig){ .net = net,
                      .ctx = net->ctx,
                      .train = settings->train,
                      .direct = settings->direct,
                      .changed = true,
                      .batch = settings->batch ? settings->batch : settings->train ? 128
                                                                                   : 1 };
    if (!(s = check(net, settings)) && !(s = open_plan(r)) && !(s = open_inputs(r)) && r->train)
        s = open_training(r);
    if (s)
        bench_rig_close(r);
    return s;
}

void bench_rig_close(bench_rig *r)
{
    for (int i = 0; r->saved && i < r->net->graph->parameter_count; i++) {
        const espl__parameter *p = &r->net->parameters[i];
        if (r->saved[i])
            memcpy(p->value, r->saved[i], (size_t)p->count * sizeof(float));
        espl__release(r->ctx, r->saved[i]);
    }
    espl__updater_free(r->updater);
    void *const owned[] = { r->saved, r->gradients, r->options, r->runs, r->labels, r->values };
    for (int i = 0; i < ESPL__COUNT(owned); i++)
        espl__release(r->ctx, owned[i]);
    espl__plan_free(r->plan);
    espl__graph_free(r->fused);
    *r = (bench_rig){ 0 };
}

/* ---- running ---- */

double bench_rig_run(bench_rig *r)
{
    const double began = espl__now();

    espl__plan_run(r->plan, &(espl__feed){ .count = r->batch, .values = r->values, .labels = r->labels, .parameters_changed = r->train || r->changed });
    r->changed = false;
    if (r->train) {
        for (int i = 0; i < r->net->graph->parameter_count; i++)
            r->gradients[i] = espl__plan_gradient(r->plan, i);
        /* so small a rate that numbers stay where they are however long it is measured */
        espl__updater_run(r->updater, r->gradients, 1, 1e-9, NULL, 0);
    }
    return espl__now() - began;
}

double bench_rig_keep(bench_rig *r)
{
    const espl__usage before = espl__usage_now();
    const double took = bench_rig_run(r);
    const espl__usage after = espl__usage_now();

    if (r->count < BENCH_RUNS_MAX)
        r->runs[r->count++] = (bench_run){ took, after.lost != before.lost };
    r->processor_seconds += after.seconds - before.seconds;
    return took;
}

/* Undisturbed ones first, then by time. */
static int by_worth(const void *a, const void *b)
{
    const bench_run *x = a, *y = b;

    return x->disturbed != y->disturbed ? x->disturbed - y->disturbed : (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

static int by_time(const void *a, const void *b)
{
    const bench_run *x = a, *y = b;

    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* Sorts the runs from `first` on so that those that count come first, by time; returns how many count. */
static int sort_runs(bench_rig *r, int first)
{
    bench_run *runs = r->runs + first;
    const size_t all = (size_t)(r->count - first);
    int clean = 0;

    qsort(runs, all, sizeof *runs, by_worth);
    while (clean < (int)all && !runs[clean].disturbed)
        clean++;
    if (clean >= CLEAN_MIN)
        return clean;
    qsort(runs, all, sizeof *runs, by_time);
    return (int)all;
}

static double median_of(const bench_run *runs, int count)
{
    return count % 2 ? runs[count / 2].seconds : (runs[count / 2 - 1].seconds + runs[count / 2].seconds) / 2;
}

double bench_rig_median(bench_rig *r, int first)
{
    const int count = sort_runs(r, first);

    return median_of(r->runs + first, count);
}

void bench_rig_result(bench_rig *r, double first_run, espl_bench *result)
{
    double macs = 0;
    const int counted = sort_runs(r, 0);
    const double median = median_of(r->runs, counted);

    for (int i = 0; i < espl__plan_step_count(r->plan); i++)
        macs += (double)espl__plan_step_at(r->plan, i).macs;
    result->context = r->ctx;
    result->batch = r->batch;
    result->threads = espl__worker_count(r->ctx);
    result->runs = counted;
    result->disturbed = r->count - counted;
    result->first_ms = first_run * 1e3;
    result->median_ms = median * 1e3;
    result->min_ms = r->runs[0].seconds * 1e3;
    result->max_ms = r->runs[counted - 1].seconds * 1e3;
    result->processor_ms = r->processor_seconds / r->count * 1e3;
    result->images_per_second = (double)r->batch / median;
    result->gflops = 2e-9 * macs / median;
}
