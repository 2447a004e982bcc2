/* Plans: the same bits for any number of workers, any batch and any place in it, in either precision; gradients
 * that agree with differences; no allocation while running. */
#include "base/tree.h"
#include "execute/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "contract/small_net.h"

#define SIZE 12
#define PIXELS (3 * SIZE * SIZE)
#define SAMPLES 23

/* Of the nets that are opened from now on. */
static espl_precision precision;

typedef struct bench {
    espl_context *ctx;
    espl_net *net;
    espl__graph *graph;
    espl__plan *plan;
    float values[SAMPLES * PIXELS];
    int32_t labels[SAMPLES];
} bench;

static void fill_samples(bench *b)
{
    espl__random r = espl__random_at(espl__stream_of(1, "samples"), 0, 0);

    for (int i = 0; i < SAMPLES * PIXELS; i++)
        b->values[i] = espl__random_normal(&r);
    for (int i = 0; i < SAMPLES; i++)
        b->labels[i] = (int32_t)espl__random_below(&r, 5);
}

typedef espl__graph *(*maker)(espl_context *ctx, int64_t channels, int64_t size, bool loss);

static bench *open_made(maker make, int threads, int64_t channels, bool loss, bool training, int64_t batch, int samples)
{
    bench *b = calloc(1, sizeof *b);
    espl__graph *logits;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .seed = 3, .threads = threads, .oversubscribe = true }, &b->ctx), 0);
    logits = make(b->ctx, channels, SIZE, false);
    assert_int_equal(espl__net_open(logits, "small", &b->net), 0);
    espl_net_set_precision(b->net, precision);
    b->graph = make(b->ctx, channels, SIZE, loss);
    const espl_status s = espl__plan_open(b->net, b->graph, &(espl__plan_settings){ .batch = batch, .training = training, .samples = samples }, &b->plan);
    if (s)
        fail_msg("%s", espl_message(b->ctx));
    fill_samples(b);
    return b;
}

static bench *open_bench(int threads, int64_t channels, bool loss, bool training, int64_t batch, int samples)
{
    return open_made(small_graph, threads, channels, loss, training, batch, samples);
}

static void close_bench(bench *b)
{
    espl__plan_free(b->plan);
    espl__graph_free(b->graph);
    espl_net_free(b->net);
    assert_int_equal(espl__bytes_now(b->ctx), 0);
    espl_context_free(b->ctx);
    free(b);
}

static void run(bench *b, int64_t first, int64_t count)
{
    espl__plan_run(b->plan, &(espl__feed){ .count = count, .values = b->values + first * PIXELS, .labels = b->labels + first, .parameters_changed = true });
}

static uint64_t hash_of_gradients(const bench *b)
{
    uint64_t hash = 0;

    for (int p = 0; p < b->net->graph->parameter_count; p++) {
        const float *g = espl__plan_gradient(b->plan, p);
        if (g)
            hash = espl__hash(g, (size_t)b->net->parameters[p].count * sizeof *g, hash);
    }
    return hash;
}

static void workers_do_not_matter(maker make, int64_t channels)
{
    uint64_t first = 0;

    for (int threads = 1; threads <= 5; threads++) {
        bench *b = open_made(make, threads, channels, true, true, SAMPLES, 3);
        run(b, 0, SAMPLES);
        const uint64_t hash = espl__hash(&(float){ espl__plan_loss(b->plan, 7) }, 4, hash_of_gradients(b)) ^ espl__net_hash(b->net);
        if (threads == 1)
            first = hash;
        assert_int_equal(hash, first);
        close_bench(b);
    }
}

static void same_bits_for_any_workers(void **unused)
{
    (void)unused;
    workers_do_not_matter(small_graph, 16);
    workers_do_not_matter(small_graph, 6); /* channels last */
    workers_do_not_matter(wide_graph, 8);
    workers_do_not_matter(dense_block_graph, 21);
}

static void same_answer_at_any_place(void **unused)
{
    (void)unused;
    for (int64_t channels = 6; channels <= 16; channels += 10) {
        bench *whole = open_bench(2, channels, false, false, SAMPLES, 4);
        run(whole, 0, SAMPLES);
        for (int64_t batch = 1; batch <= SAMPLES; batch += 3) {
            bench *part = open_bench(1, channels, false, false, batch, 4);
            for (int64_t first = 0; first + batch <= SAMPLES; first += 5) {
                run(part, first, batch);
                for (int64_t i = 0; i < batch; i++)
                    assert_memory_equal(espl__plan_output(part->plan, i), espl__plan_output(whole->plan, first + i), 5 * sizeof(float));
            }
            close_bench(part);
        }
        close_bench(whole);
    }
}

/* Activations before what fusing would swallow: convolution, relu, batch norm, relu, addition. */
static espl__graph *early_graph(espl_context *ctx, int64_t channels, int64_t size, bool loss)
{
    small_net n = { .ctx = ctx };
    espl__dense dense = { .units = 5, .bias = true };

    (void)loss;
    small_check(ctx, espl__graph_open(ctx, espl__shape_planes(3, size, size), &n.graph));
    const int first = small_add(&n, "relu", NULL, small_conv(&n, 0, channels, 3, 1), -1);
    const int second = small_add(&n, "relu", NULL, small_add(&n, "batch_norm", NULL, first, -1), -1);
    const int sum = small_add(&n, "add", NULL, small_conv(&n, 0, channels, 1, 1), second);
    const int units = small_add(&n, "dense", &dense, small_add(&n, "global_avg_pool", NULL, sum, -1), -1);
    small_add(&n, "dense", &dense, small_add(&n, "relu6", NULL, small_add(&n, "relu", NULL, units, -1), -1), -1);
    return n.graph;
}

static void assert_fused_twice(bool training)
{
    bench *once = open_made(early_graph, 1, 6, false, training, SAMPLES, 4);
    bench *twice = open_made(early_graph, 1, 6, false, training, SAMPLES, 4);
    espl__graph *fused;

    assert_int_equal(espl__fuse(twice->net, twice->graph, training, &fused), ESPL_OK);
    espl__graph_free(twice->graph);
    twice->graph = fused;
    espl__plan_free(twice->plan);
    assert_int_equal(espl__plan_open(twice->net, fused, &(espl__plan_settings){ .batch = SAMPLES, .training = training, .samples = 4 }, &twice->plan), 0);
    run(once, 0, SAMPLES);
    run(twice, 0, SAMPLES);
    for (int64_t i = 0; i < SAMPLES; i++)
        assert_memory_equal(espl__plan_output(twice->plan, i), espl__plan_output(once->plan, i), 5 * sizeof(float));
    close_bench(once);
    close_bench(twice);
}

/* A plan fuses the graph it gets, which may have been fused before. */
static void fusing_what_is_fused_changes_nothing(void **unused)
{
    (void)unused;
    assert_fused_twice(false);
    assert_fused_twice(true);
}

static void same_bits_on_every_run_without_allocating(void **unused)
{
    bench *b = open_bench(2, 16, true, true, SAMPLES, 4);

    (void)unused;
    run(b, 0, SAMPLES);
    const uint64_t hash = hash_of_gradients(b);
    const int64_t allocations = espl__allocation_count(b->ctx);
    for (int i = 0; i < 3; i++) {
        run(b, 0, SAMPLES - 9);
        run(b, 0, SAMPLES);
        assert_int_equal(hash_of_gradients(b), hash);
    }
    assert_int_equal(espl__allocation_count(b->ctx), allocations);
    close_bench(b);
}

static double mean_loss(bench *b, int64_t count)
{
    double sum = 0;

    run(b, 0, count);
    for (int64_t i = 0; i < count; i++)
        sum += (double)espl__plan_loss(b->plan, i);
    return sum / (double)count;
}

/* Along the gradient itself, so that the change of the loss stands out from the rounding. */
static void check_parameter(bench *b, int p, int64_t count)
{
    const int64_t size = b->net->parameters[p].count;
    float *value = b->net->parameters[p].value;
    float *kept = malloc((size_t)size * sizeof *kept), *way = malloc((size_t)size * sizeof *way);
    double norm = 0;

    run(b, 0, count);
    memcpy(kept, value, (size_t)size * sizeof *kept);
    for (int64_t i = 0; i < size; i++) {
        way[i] = espl__plan_gradient(b->plan, p)[i];
        norm += (double)way[i] * (double)way[i];
    }
    const double length = sqrt(norm), h = 5e-4 / (length > 1e-3 ? length : 1e-3);
    double loss[2];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < size; i++)
            value[i] = kept[i] + (float)((side ? h : -h) * (double)way[i]);
        loss[side] = mean_loss(b, count);
    }
    memcpy(value, kept, (size_t)size * sizeof *kept);
    const double slope = (loss[1] - loss[0]) / (2 * h);
    if (fabs(slope - norm) > 0.03 * norm + 5e-4 * length)
        fail_msg("%s: the loss changes by %g where the gradient says %g", b->net->graph->parameters[p].name, slope, norm);
    free(kept);
    free(way);
}

static void gradients_agree_with_differences(void **unused)
{
    const struct {
        maker make;
        int64_t channels;
    } nets[] = { { small_graph, 16 }, { small_graph, 6 }, { wide_graph, 8 }, { dense_block_graph, 21 } };

    (void)unused;
    for (int i = 0; i < ESPL__COUNT(nets); i++) {
        bench *b = open_made(nets[i].make, 2, nets[i].channels, true, true, SAMPLES, 4);
        for (int p = 0; p < b->net->graph->parameter_count; p++)
            if (espl__plan_gradient(b->plan, p)) {
                check_parameter(b, p, SAMPLES);
                check_parameter(b, p, 10); /* fewer shards, the last one partly filled */
            }
        close_bench(b);
    }
}

static void shard_size_changes_little(void **unused)
{
    bench *a = open_bench(1, 16, true, true, SAMPLES, 2), *b = open_bench(1, 16, true, true, SAMPLES, 7);

    (void)unused;
    assert_true(fabs(mean_loss(a, SAMPLES) - mean_loss(b, SAMPLES)) < 1e-5);
    close_bench(a);
    close_bench(b);
}

static void same_bits_in_bf16(void **unused)
{
    if (!espl__bf16_here())
        skip();
    precision = ESPL_BF16;
    same_bits_for_any_workers(unused);
    same_answer_at_any_place(unused);
    same_bits_on_every_run_without_allocating(unused);
    precision = ESPL_F32;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_for_any_workers),
        cmocka_unit_test(same_answer_at_any_place),
        cmocka_unit_test(fusing_what_is_fused_changes_nothing),
        cmocka_unit_test(same_bits_on_every_run_without_allocating),
        cmocka_unit_test(same_bits_in_bf16),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(shard_size_changes_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
