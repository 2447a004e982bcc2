/* What a plan says it needs is what the process grows by; after the second step nothing grows and no
 * page is touched for the first time. */
#include "execute/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "contract/small_net.h"

#define SIZE 32
#define BATCH 64

static size_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static long faults(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* The system may take pages back and hand them out again at any time, so the quietest of some steps
 * counts: one that touched new memory would do so every time. */
static long fewest_faults(espl__plan *plan, const espl__feed *feed)
{
    long fewest = -1;

    for (int i = 0; i < 6; i++) {
        const long before = faults();
        espl__plan_run(plan, feed);
        const long count = faults() - before;
        if (fewest < 0 || count < fewest)
            fewest = count;
    }
    return fewest;
}

static void steps_touch_nothing_new(void **unused)
{
    espl_context *ctx;
    espl_net *net;
    espl__plan *plan;
    espl__graph *graph;
    float *values = calloc(BATCH * 3 * SIZE * SIZE, sizeof *values);
    int32_t *labels = calloc(BATCH, sizeof *labels);

    (void)unused;
    for (int i = 0; i < BATCH * 3 * SIZE * SIZE; i++)
        values[i] = (float)(i % 17) - 8;
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 2, .oversubscribe = true }, &ctx), 0);
    assert_int_equal(espl__net_open(small_graph(ctx, 64, SIZE, false), "small", &net), 0);
    graph = small_graph(ctx, 64, SIZE, true);
    const size_t before = resident_bytes();
    assert_int_equal(espl__plan_open(net, graph, &(espl__plan_settings){ .batch = BATCH, .training = true }, &plan), 0);
    const espl__feed feed = { .count = BATCH, .values = values, .labels = labels, .parameters_changed = true };
    for (int i = 0; i < 2; i++)
        espl__plan_run(plan, &feed);

    const double grown = (double)(resident_bytes() - before), planned = (double)espl__plan_bytes(plan);
    const size_t steady = resident_bytes();
    const long faulted = fewest_faults(plan, &feed);

    printf("planned %.1f MB, grown by %.1f MB, %ld faults in a step\n", planned / 1e6, grown / 1e6, faulted);
    /* sanitizers keep books of their own, and what is freed from use for a while */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(faulted < 16);
    if (before) {
        assert_true(resident_bytes() < steady + (1u << 20));
        assert_true(grown < 1.1 * planned + 16e6); /* generated code of kernels aside */
        assert_true(grown > 0.9 * planned);
    }
#else
    (void)steady, (void)before, (void)faulted;
#endif
    espl__plan_free(plan);
    espl__graph_free(graph);
    espl_net_free(net);
    espl_context_free(ctx);
    free(values);
    free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(steps_touch_nothing_new) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
