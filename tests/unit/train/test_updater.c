/* The optimizer's pass: decay by kind, what techniques see of a block, sums that do not depend on the
 * number of workers, gradients that are no numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tree.h"
#include "contract/small_net.h"
#include "train/updater.h"

#include <math.h>
#include <string.h>

#define PARAMETERS_MAX 64

typedef struct fixture {
    espl_context *ctx;
    espl_net *net;
    espl__updater *updater;
    double options[16];
    float *gradients[PARAMETERS_MAX];
} fixture;

static void fixture_open_with(fixture *f, const char *optimizer, const char *settings, int threads)
{
    const espl__optimizer *o = espl__optimizer_find(optimizer);
    espl__document *document = NULL;

    memset(f, 0, sizeof *f);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = threads, .oversubscribe = true }, &f->ctx),
                     ESPL_OK);
    assert_int_equal(espl__net_open(small_graph(f->ctx, 40, 8, false), "small", &f->net), ESPL_OK);
    assert_true(f->net->graph->parameter_count <= PARAMETERS_MAX);
    assert_int_equal(espl__document_parse_settings(f->ctx, "test", settings, &document), ESPL_OK);
    assert_int_equal(espl__options_read(document, document->root, o->options, optimizer, f->options), ESPL_OK);
    espl__document_free(document);
    for (int i = 0; i < f->net->graph->parameter_count; i++)
        assert_int_equal(espl__allocate(f->ctx, (size_t)f->net->parameters[i].count, sizeof(float), &f->gradients[i]),
                         ESPL_OK);
    assert_int_equal(espl__updater_open(f->net, o, f->options, &f->updater), ESPL_OK);
}

static void fixture_close(fixture *f)
{
    espl__updater_free(f->updater);
    for (int i = 0; i < f->net->graph->parameter_count; i++)
        espl__release(f->ctx, f->gradients[i]);
    espl_net_free(f->net);
    assert_int_equal(espl__bytes_now(f->ctx), 0);
    espl_context_free(f->ctx);
}

static void fill_gradients(fixture *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        espl__random random = espl__random_at(espl__stream_of(7, "gradient"), (uint32_t)i, 0);
        for (int64_t k = 0; k < f->net->parameters[i].count; k++)
            f->gradients[i][k] = espl__random_normal(&random);
    }
}

static espl_kind kind_of(const fixture *f, int parameter)
{
    return f->net->graph->parameters[parameter].spec.kind;
}

/* With no gradient only decay moves anything: weights, and nothing else. */
static void check_decay(const char *optimizer)
{
    fixture f;
    int kinds[ESPL_KIND_COUNT] = { 0 };

    fixture_open_with(&f, optimizer, "rate: 0.5, decay: 0.1", 1);
    for (int i = 0; i < f.net->graph->parameter_count; i++)
        for (int64_t k = 0; k < f.net->parameters[i].count; k++)
            f.net->parameters[i].value[k] = 2;
    assert_int_equal(espl__updater_run(f.updater, f.gradients, 1, 0.5, NULL, 0), -1);
    for (int i = 0; i < f.net->graph->parameter_count; i++) {
        kinds[kind_of(&f, i)]++;
        for (int64_t k = 0; k < f.net->parameters[i].count; k++) {
            const float value = f.net->parameters[i].value[k];
            if (kind_of(&f, i) == ESPL_WEIGHT)
                assert_true(value < 2);
            else
                assert_true(value == 2);
        }
    }
    assert_true(kinds[ESPL_WEIGHT] && kinds[ESPL_BIAS] && kinds[ESPL_NORM_SCALE] && kinds[ESPL_NORM_SHIFT] &&
                kinds[ESPL_BUFFER]);
    fixture_close(&f);
}

static void test_decay_is_for_weights_alone(void **unused)
{
    (void)unused;
    for (int i = 0; espl__optimizer_at(i); i++)
        check_decay(espl__optimizer_at(i)->name);
}

/* w - rate (g factor + decay w) without momentum, for every value of every block. */
static void test_one_step_by_hand(void **unused)
{
    fixture f;

    (void)unused;
    fixture_open_with(&f, "sgd", "momentum: 0, decay: 0.1", 2);
    fill_gradients(&f);
    float *before[PARAMETERS_MAX];
    for (int i = 0; i < f.net->graph->parameter_count; i++) {
        const size_t bytes = (size_t)f.net->parameters[i].count * sizeof(float);
        before[i] = malloc(2 * bytes);
        memcpy(before[i], f.net->parameters[i].value, bytes);
        memcpy(before[i] + f.net->parameters[i].count, f.gradients[i], bytes);
    }
    assert_int_equal(espl__updater_run(f.updater, f.gradients, 0.5, 0.25, NULL, 0), -1);
    for (int i = 0; i < f.net->graph->parameter_count; i++) {
        const double decay = kind_of(&f, i) == ESPL_WEIGHT ? 0.1 : 0;
        const double rate = kind_of(&f, i) == ESPL_BUFFER ? 0 : 0.25;
        for (int64_t k = 0; k < f.net->parameters[i].count; k++) {
            const double w = (double)before[i][k], g = (double)before[i][f.net->parameters[i].count + k];
            assert_true(fabs((double)f.net->parameters[i].value[k] - (w - rate * (0.5 * g + decay * w))) < 1e-6);
        }
        free(before[i]);
    }
    fixture_close(&f);
}

static void test_the_norm(void **unused)
{
    double expected = 0, first = 0;

    (void)unused;
    for (int threads = 1; threads <= 4; threads++) {
        fixture f;
        fixture_open_with(&f, "sgd", "", threads);
        fill_gradients(&f);
        expected = 0;
        for (int i = 0; i < f.net->graph->parameter_count; i++)
            for (int64_t k = 0; kind_of(&f, i) != ESPL_BUFFER && k < f.net->parameters[i].count; k++)
                expected += (double)f.gradients[i][k] * (double)f.gradients[i][k];
        const double norm = espl__updater_norm(f.updater, f.gradients);
        assert_true(fabs(norm - sqrt(expected)) < 1e-9 * norm);
        first = threads == 1 ? norm : first;
        assert_true(norm == first); /* to the last bit */
        fixture_close(&f);
    }
}

static uint64_t hash_after(const char *optimizer, int threads)
{
    fixture f;

    fixture_open_with(&f, optimizer, "decay: 0.01", threads);
    for (int step = 0; step < 3; step++) {
        fill_gradients(&f);
        espl__updater_run(f.updater, f.gradients, 0.7, 0.01, NULL, 0);
    }
    const uint64_t hash = espl__net_hash(f.net);
    fixture_close(&f);
    return hash;
}

static void test_same_bits_for_any_number_of_workers(void **unused)
{
    (void)unused;
    for (int i = 0; espl__optimizer_at(i); i++) {
        const uint64_t hash = hash_after(espl__optimizer_at(i)->name, 1);
        for (int threads = 2; threads <= 5; threads++)
            assert_true(hash_after(espl__optimizer_at(i)->name, threads) == hash);
    }
}

static void test_frozen_parameters_stay(void **unused)
{
    fixture f;

    (void)unused;
    fixture_open_with(&f, "sgd", "", 1);
    espl__updater_free(f.updater);
    f.net->parameters[0].frozen = true;
    assert_int_equal(espl__updater_open(f.net, espl__optimizer_find("sgd"), f.options, &f.updater), ESPL_OK);
    assert_null(espl__updater_state(f.updater, 0, 0));
    fill_gradients(&f);
    f.gradients[0][0] = NAN; /* not even looked at */
    const float before = f.net->parameters[0].value[0], other = f.net->parameters[1].value[0];
    assert_int_equal(espl__updater_run(f.updater, f.gradients, 1, 0.1, NULL, 0), -1);
    assert_true(f.net->parameters[0].value[0] == before);
    assert_true(f.net->parameters[1].value[0] != other);
    assert_int_equal(espl__updater_times(f.updater)[0], 0);
    assert_int_equal(espl__updater_times(f.updater)[1], 1);
    fixture_close(&f);
}

static void test_the_first_gradient_that_is_no_number_is_named(void **unused)
{
    const float sick[] = { NAN, INFINITY, -INFINITY };

    (void)unused;
    for (int i = 0; i < 3; i++) {
        fixture f;
        fixture_open_with(&f, "sgd", "", 2);
        fill_gradients(&f);
        const int last = f.net->graph->parameter_count - 1, middle = 5; /* a weight of the second convolution */
        assert_int_not_equal(kind_of(&f, middle), ESPL_BUFFER);
        f.gradients[last][f.net->parameters[last].count - 1] = sick[i];
        assert_int_equal(espl__updater_run(f.updater, f.gradients, 1, 0.1, NULL, 0), last);
        fill_gradients(&f);
        f.gradients[last][0] = sick[i];
        f.gradients[middle][f.net->parameters[middle].count / 2] = sick[i];
        assert_int_equal(espl__updater_run(f.updater, f.gradients, 1, 0.1, NULL, 0), middle);
        fixture_close(&f);
    }
}

static void test_parts_gather_to_the_whole(void **unused)
{
    fixture f;
    float *total[PARAMETERS_MAX];

    (void)unused;
    fixture_open_with(&f, "sgd", "", 3);
    for (int i = 0; i < f.net->graph->parameter_count; i++)
        total[i] = calloc((size_t)f.net->parameters[i].count, sizeof(float));
    fill_gradients(&f);
    total[0][0] = 1000; /* the first part overwrites */
    espl__updater_gather(f.updater, total, f.gradients, 0.25, true);
    espl__updater_gather(f.updater, total, f.gradients, 0.75, false);
    for (int i = 0; i < f.net->graph->parameter_count; i++) {
        for (int64_t k = 0; kind_of(&f, i) != ESPL_BUFFER && k < f.net->parameters[i].count; k++)
            assert_true(fabsf(total[i][k] - f.gradients[i][k]) <= 1e-6f * fabsf(f.gradients[i][k]));
        free(total[i]);
    }
    fixture_close(&f);
}

/* ---- techniques on blocks ---- */

static void count_before(void *self, const espl_block *block)
{
    (void)self;
    for (int64_t k = 0; k < block->count; k++) {
        block->kept[0][k] = block->value[k];            /* what was there */
        block->kept[1][k] = (float)(block->offset + k); /* where */
        block->gradient[k] = block->parameter % 2 ? 0 : block->gradient[k];
    }
}

static void double_after(void *self, const espl_block *block)
{
    (void)self;
    for (int64_t k = 0; k < block->count; k++)
        block->value[k] = block->kept[0][k] + 2 * (block->value[k] - block->kept[0][k]);
}

static void test_techniques_see_every_block_before_and_after(void **unused)
{
    static const espl_technique technique = { .name = "test", .before_update = count_before, .after_update = double_after, .kept_per_parameter = 2 };
    fixture f;
    float *kept[2 * PARAMETERS_MAX] = { NULL };

    (void)unused;
    fixture_open_with(&f, "sgd", "momentum: 0", 2);
    const int count = f.net->graph->parameter_count;
    for (int i = 0; i < 2 * count; i++)
        kept[i] = calloc((size_t)f.net->parameters[i % count].count, sizeof(float));
    fill_gradients(&f);
    const espl__block_hook hook = { &technique, NULL, kept };
    assert_int_equal(espl__updater_run(f.updater, f.gradients, 1, 0.5, &hook, 1), -1);
    for (int i = 0; i < count; i++)
        for (int64_t k = 0; kind_of(&f, i) != ESPL_BUFFER && k < f.net->parameters[i].count; k++) {
            const float before = kept[i][k], step = 0.5f * f.gradients[i][k];
            assert_true(kept[count + i][k] == (float)k);
            assert_true(fabsf(f.net->parameters[i].value[k] - (before - 2 * step)) < 1e-5f);
            assert_true(i % 2 == 0 || step == 0);
        }
    for (int i = 0; i < 2 * count; i++)
        free(kept[i]);
    fixture_close(&f);
}

static void test_the_tree_is_fixed(void **unused)
{
    double values[7];

    (void)unused;
    for (int i = 0; i < 7; i++)
        values[i] = i + 0.1;
    assert_true(espl__tree_sum(values, 0) == 0);
    assert_true(espl__tree_sum(values, 1) == values[0]);
    assert_true(espl__tree_sum(values, 3) == values[0] + (values[1] + values[2]));
    assert_true(espl__tree_sum(values, 7) ==
                (values[0] + (values[1] + values[2])) + ((values[3] + values[4]) + (values[5] + values[6])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decay_is_for_weights_alone),
        cmocka_unit_test(test_one_step_by_hand),
        cmocka_unit_test(test_the_norm),
        cmocka_unit_test(test_same_bits_for_any_number_of_workers),
        cmocka_unit_test(test_frozen_parameters_stay),
        cmocka_unit_test(test_the_first_gradient_that_is_no_number_is_named),
        cmocka_unit_test(test_parts_gather_to_the_whole),
        cmocka_unit_test(test_techniques_see_every_block_before_and_after),
        cmocka_unit_test(test_the_tree_is_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
