/* espl_bench_net: how long a net takes on this machine, forward or for a whole training step, on random
 * inputs, in all and layer by layer. */
#include "kernels/peak.h"
#include "report/bench_rig.h"

#include <stdio.h>
#include <string.h>

#define LAYER_RUNS_MAX 20

static const espl_bench_settings defaults = { 0 };

static double seconds_of(const espl_bench_settings *settings)
{
    return settings->seconds > 0 ? settings->seconds : 3;
}

/* As many runs as are over in time, one at least; none at all if the very first run has used up the time: then
 * that one counts. */
static double measure(bench_rig *r, double seconds)
{
    espl__plan_timing(r->plan, true); /* the layers of a huge net are seen in this run only */
    const double began = espl__now(), first = bench_rig_keep(r);
    if (first < seconds) {
        double last;
        r->count = 0;
        r->processor_seconds = 0;
        espl__plan_timing(r->plan, false);
        bench_rig_run(r);
        do
            last = bench_rig_keep(r);
        while (r->count < BENCH_RUNS_MAX && espl__now() - began + last < seconds && !espl__interrupted(r->ctx));
    }
    return first;
}

/* Runs with a clock around every step for a quarter of the time, one at least; nothing if one run alone would take
 * longer than `seconds`. */
static int time_layers(bench_rig *r, double seconds, double each)
{
    int runs = 0;

    if (each > seconds)
        return 0;
    espl__plan_timing(r->plan, true);
    const double began = espl__now();
    while (runs < LAYER_RUNS_MAX && (runs < 1 || espl__now() - began < seconds / 4)) {
        bench_rig_run(r);
        runs++;
    }
    return runs;
}

/* Time by layer: of one worker, since all of them work on every layer. */
static espl_status show_layers(const bench_rig *r, int runs, espl_bench *result)
{
    const int count = espl__plan_step_count(r->plan);
    const espl_status s = espl__allocate(r->ctx, (size_t)count, sizeof *result->layers, &result->layers);

    result->layer_count = s ? 0 : count;
    for (int i = 0; i < result->layer_count; i++) {
        const espl__plan_step step = espl__plan_step_at(r->plan, i);
        const double each = step.seconds / runs / result->threads;
        espl_bench_layer *layer = &result->layers[i];
        snprintf(layer->node, sizeof layer->node, "%s", *step.node ? step.node : "-");
        snprintf(layer->kernel, sizeof layer->kernel, "%s", step.kernel);
        snprintf(layer->role, sizeof layer->role, "%s", step.role);
        layer->milliseconds = each * 1e3;
        layer->gflops = each > 0 ? 2e-9 * (double)step.macs / each : 0;
        layer->bytes = step.bytes;
        layer->peak_share = result->peak_gflops > 0 ? layer->gflops / (result->peak_gflops * result->threads) : 0;
    }
    return s;
}

static espl_bench_layer *layer_named(espl_bench *bench, const espl__plan_step *step)
{
    for (int i = 0; i < bench->layer_count; i++)
        if (strcmp(bench->layers[i].node, step->node) == 0 && strcmp(bench->layers[i].role, step->role) == 0)
            return &bench->layers[i];
    return NULL;
}

/* A second plan, in which every node has the next fast kernel that fits it. Too little memory for it is no
 * failure: what was to be measured has been measured. */
static espl_status show_runners_up(bench_rig *r, double seconds, double each, espl_bench *result)
{
    espl__plan *const best = r->plan;
    const espl__plan_settings settings = { .batch = r->batch, .training = r->train, .direct_only = r->direct, .instead_of = best };
    espl__plan *other = NULL;
    espl_status s = each > seconds ? ESPL_OK : espl__plan_open(r->net, r->fused, &settings, &other);

    if (!other)
        return s == ESPL_NO_MEMORY ? ESPL_OK : s;
    r->plan = other;
    r->changed = true;
    bench_rig_run(r);
    const int runs = time_layers(r, seconds, each);
    for (int i = 0; runs && i < espl__plan_step_count(other); i++) {
        const espl__plan_step step = espl__plan_step_at(other, i);
        espl_bench_layer *layer = layer_named(result, &step);
        if (!layer || strcmp(layer->kernel, step.kernel) == 0)
            continue;
        snprintf(layer->runner_up, sizeof layer->runner_up, "%s", step.kernel);
        layer->runner_up_ms = step.seconds / runs / result->threads * 1e3;
    }
    espl__plan_free(other);
    r->plan = best;
    return ESPL_OK;
}

espl_status espl_bench_net(espl_net *net, const espl_bench_settings *settings, espl_bench *result)
{
    const espl_bench_settings *o = settings ? settings : &defaults;
    const double seconds = seconds_of(o);
    bench_rig r;
    espl_status s;

    *result = (espl_bench){ .context = net->ctx };
    if ((s = bench_rig_open(net, o, &r)))
        return s;
    result->planned_bytes = espl__bytes_now(net->ctx);
    const double first = measure(&r, seconds);
    bench_rig_result(&r, first, result);
    result->peak_gflops = espl__peak_gflops();
    const double each = first < seconds ? result->median_ms / 1e3 : first;
    const int runs = time_layers(&r, seconds, each);
    s = show_layers(&r, runs ? runs : 1, result);
    if (!s && o->runners_up)
        s = show_runners_up(&r, seconds, each, result);
    bench_rig_close(&r);
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
