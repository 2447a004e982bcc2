/* espl_bench_compare: two nets, or one under two settings, in turn, so that whatever else happens on the machine
 * happens to both. */
#include "report/bench_rig.h"

#include <stdlib.h>

#define TURN_SECONDS 0.05 /* of one of the two, or a single run if that takes longer */
#define ROUNDS_MAX 1000

static void run_turn(bench_rig *r)
{
    const double began = espl__now();

    do
        bench_rig_keep(r);
    while (espl__now() - began < TURN_SECONDS && r->count < BENCH_RUNS_MAX);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void summarize(double *ratios, int rounds, espl_comparison *result)
{
    qsort(ratios, (size_t)rounds, sizeof *ratios, by_size);
    result->rounds = rounds;
    result->ratio = rounds % 2 ? ratios[rounds / 2] : (ratios[rounds / 2 - 1] + ratios[rounds / 2]) / 2;
    result->ratio_min = ratios[0];
    result->ratio_max = ratios[rounds - 1];
}

/* Seconds for a sample, of the runs from `from` on. */
static double each_sample(bench_rig *r, int from)
{
    return bench_rig_median(r, from) / (double)r->batch;
}

static void run_rounds(bench_rig *a, bench_rig *b, double seconds, double *ratios, espl_comparison *result)
{
    const double first_a = bench_rig_run(a), first_b = bench_rig_run(b);
    const double began = espl__now();
    double last;
    int rounds = 0;

    do {
        const int from_a = a->count, from_b = b->count;
        const double start = espl__now();
        run_turn(a);
        run_turn(b);
        ratios[rounds++] = each_sample(b, from_b) / each_sample(a, from_a);
        last = espl__now() - start;
    } while (rounds < ROUNDS_MAX && a->count < BENCH_RUNS_MAX && b->count < BENCH_RUNS_MAX &&
             espl__now() - began + last < seconds && !espl__interrupted(a->ctx));
    summarize(ratios, rounds, result);
    bench_rig_result(a, first_a, &result->first);
    bench_rig_result(b, first_b, &result->second);
}

espl_status espl_bench_compare(espl_net *first, const espl_bench_settings *of_first, espl_net *second,
                               const espl_bench_settings *of_second, espl_comparison *result)
{
    const double seconds = of_first->seconds > 0 ? of_first->seconds : 3;
    bench_rig a = { 0 }, b = { 0 };
    double *ratios = NULL;
    espl_status s;

    *result = (espl_comparison){ 0 };
    if (!(s = espl__allocate(first->ctx, ROUNDS_MAX, sizeof *ratios, &ratios)) &&
        !(s = bench_rig_open(first, of_first, &a)) && (s = bench_rig_open(second, of_second, &b)) &&
        first->ctx != second->ctx)
        s = espl__fail(first->ctx, s, "%s", espl_message(second->ctx));
    if (!s)
        run_rounds(&a, &b, seconds, ratios, result);
    if (b.ctx)
        bench_rig_close(&b);
    if (a.ctx)
        bench_rig_close(&a);
    espl__release(first->ctx, ratios);
    return s;
}
