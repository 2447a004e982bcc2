/* Gradual unfreezing: each stage trains what it should, keeps what already trained as it was, and goes on bit
 * for bit after a stop anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "deep_net.h"
#include "failing.h"
#include "unit/train/tiny_run.h"

#define EPOCHS 4
#define STEPS 7 /* of an epoch */
#define BOOKKEEPING ((size_t)512 << 10) /* of the last stage's plans and their kernels */
#define RECIPE(optimizer, more)                                                                      \
    "net: deep.yaml\ndata: data\nepochs: 4\nbatch: 8\nkeep: last\noptimizer: {" optimizer "}\n" more \
    "techniques:\n  - transfer-unfreeze: {groups: 3}\n"
#define SGD "sgd: {rate: 0.02, momentum: 0.9, decay: 1e-3}"

/* ---- what each stage trains, and what it keeps ---- */

enum { PARAMETERS_MAX = 16 };

/* Looks at the run from inside at the moments that matter. */
typedef struct looker {
    uint64_t value[EPOCHS + 1][PARAMETERS_MAX]; /* at the beginning of each epoch, and at the end */
    uint64_t velocity[PARAMETERS_MAX];          /* before an epoch's stage is made */
    int64_t kept, joined, averaged;             /* velocities that stayed, that began, averages that began well */
} looker;

static looker look;

static uint64_t hash_of(const float *values, int64_t count)
{
    return values ? espl__hash(values, (size_t)count * sizeof(float), 0) : 0;
}

static void hash_values(const espl_run *run, uint64_t *hash)
{
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        hash[i] = hash_of(run->net->parameters[i].value, run->net->parameters[i].count);
}

static espl_status before_stage(void *self, espl_run *run)
{
    (void)self;
    hash_values(run, look.value[run->progress.epoch]);
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        look.velocity[i] = hash_of(espl__updater_state(run->fit.updater, 0, i), run->net->parameters[i].count);
    return ESPL_OK;
}

static void look_at(espl_run *run, int parameter)
{
    const int64_t count = run->net->parameters[parameter].count;
    const float *velocity = espl__updater_state(run->fit.updater, 0, parameter);

    if (!velocity)
        return;
    if (look.velocity[parameter]) {
        assert_true(hash_of(velocity, count) == look.velocity[parameter]);
        look.kept++;
        return;
    }
    for (int64_t i = 0; i < count; i++)
        assert_true(velocity[i] == 0);
    look.joined++;
    for (int m = 0; m < run->member_count; m++)
        if (run->members[m].technique->family == ESPL_AVERAGE && run->progress.epoch > 0) {
            assert_true(hash_of(run->members[m].kept[parameter], count) == hash_of(run->net->parameters[parameter].value, count));
            look.averaged++;
        }
}

static espl_status after_stage(void *self, espl_run *run)
{
    (void)self;
    for (int i = 0; run->progress.batch == 0 && i < run->net->graph->parameter_count; i++)
        look_at(run, i);
    return ESPL_OK;
}

static espl_status at_end(void *self, espl_run *run)
{
    (void)self;
    hash_values(run, look.value[EPOCHS]);
    return ESPL_OK;
}

static const espl_technique looking = {
    .name = "looking",
    .summary = "looks at the stages of a run",
    .family = ESPL_OBSERVE,
    .size = 1,
    .on = { [ESPL_EPOCH_BEGIN] = before_stage, [ESPL_BATCH_READY] = after_stage, [ESPL_RUN_END] = at_end },
};

static void fit_looking(tiny *t, const char *recipe, const char *const *with, char names[PARAMETERS_MAX][32])
{
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    char folder[160];
    const espl_run_settings settings = { .folder = folder, .with = with };

    look = (looker){ 0 };
    snprintf(folder, sizeof folder, "%s/looked", t->folder);
    tiny_write(t, "deep.yaml", DEEP_NET);
    tiny_write(t, "recipe.yaml", recipe);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    if (espl_run_load(ctx, t->recipe, &settings, &run) || espl_run_attach_own(run, &looking, NULL) || espl_run_fit(run))
        fail_msg("%s", espl_message(ctx));
    for (int i = 0; i < run->net->graph->parameter_count; i++)
        snprintf(names[i], 32, "%s", run->net->graph->parameters[i].name);
    const espl_result *r = espl_run_result(run);
    if (r->peak_bytes > r->planned_bytes + BOOKKEEPING)
        fail_msg("%zu bytes were planned, %zu were needed", r->planned_bytes, r->peak_bytes);
    espl_run_free(run);
    espl_context_free(ctx);
}

/* Did exactly what is named like `pattern` change in that epoch? */
static void expect_changed(int epoch, const char *pattern, char names[PARAMETERS_MAX][32])
{
    for (int i = 0; i < PARAMETERS_MAX && *names[i]; i++)
        if ((look.value[epoch][i] != look.value[epoch + 1][i]) != espl__text_match(pattern, names[i]))
            fail_msg("epoch %d: %s", epoch + 1, names[i]);
}

static void test_groups_join_from_the_top(void **state)
{
    char names[PARAMETERS_MAX][32] = { { 0 } };

    fit_looking(*state, RECIPE(SGD, ""), NULL, names);
    expect_changed(0, "out*", names);
    expect_changed(1, "[bo]*", names);
    expect_changed(2, "*", names);
    expect_changed(3, "*", names);
    /* weight and bias of the head; of a convolution and its norm, twice */
    assert_int_equal(look.joined, 4 + 4);
    assert_int_equal(look.kept, 2 + 2 + 6 + 10);
}

static void test_averages_begin_with_the_value(void **state)
{
    const char *const with[] = { "average-ema: {decay: 0.9}", NULL };
    char names[PARAMETERS_MAX][32] = { { 0 } };

    fit_looking(*state, RECIPE(SGD, ""), with, names);
    assert_int_equal(look.averaged, 4 + 4);
}

/* ---- resuming ---- */

static void resumes(tiny *t, const char *recipe, const char *const *with)
{
    tiny_write(t, "deep.yaml", DEEP_NET);
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = recipe, .with = with });

    assert_true(tiny_hash(t, &(tiny_job){ .with = with, .out = "two", .threads = 2 }) == hash);
    for (int64_t stop = STEPS - 1; stop < EPOCHS * STEPS; stop += stop % STEPS == 1 ? STEPS - 2 : 1) {
        const tiny_job job = { .with = with, .out = "stopped", .stop_at = stop };
        assert_int_equal(tiny_do(t, &job).status, ESPL_INTERRUPTED);
        if (tiny_hash(t, &(tiny_job){ .with = with, .out = "stopped", .resume = true }) != hash)
            fail_msg("resumed after step %d, it ends otherwise", (int)stop);
    }
}

static void test_resumes_in_every_stage(void **state)
{
    const char *const more[] = { "average-ema: {decay: 0.9}", "transfer-rates: {groups: 3}", NULL };

    resumes(*state, RECIPE(SGD, ""), NULL);
    resumes(*state, RECIPE("adam: {rate: 0.002}", "accumulate: 2\n"), more);
}

/* ---- what it gets along with, and what it refuses ---- */

static void test_frozen_layers_stay_frozen(void **state)
{
    const char *const with[] = { "transfer-freeze: {layers: 'a*'}", NULL };
    char names[PARAMETERS_MAX][32] = { { 0 } };

    fit_looking(*state, RECIPE(SGD, ""), with, names);
    expect_changed(0, "out*", names);
    expect_changed(3, "[bo]*", names);
}

static void test_refuses(void **state)
{
    tiny *t = *state;
    const char *const often[] = { "transfer-unfreeze: {every: 3st}", NULL };

    tiny_write(t, "deep.yaml", DEEP_NET);
    tiny_write(t, "recipe.yaml", "net: deep.yaml\ndata: data\nepochs: 2\nbatch: 8\n");
    tiny_refuses(t, &(tiny_job){ .with = often }, ESPL_BAD_OPTION, "every: is less than an epoch");
    tiny_refuses(t, &(tiny_job){ .with = (const char *const[]){ "transfer-unfreeze: {groups: 4}", NULL } },
                 ESPL_BAD_OPTION, "groups: 4, but the net has 3 layers with weights");
}

/* A last batch of one sample is refused before the first step, not when the first norm comes to train. */
static void test_looks_ahead(void **state)
{
    tiny *t = *state;

    tiny_write(t, "wide.yaml", "name: wide\nsettings: {classes: 3}\ninput: {channels: 1, height: 8, width: 8}\nlayers:\n"
                               "  - flatten\n  - dense: 8\n  - batch_norm\n  - dense: classes\n");
    tiny_write(t, "recipe.yaml", "net: wide.yaml\ndata: data\nepochs: 4\nbatch: 7\n");
    tiny_refuses(t, &(tiny_job){ .with = (const char *const[]){ "transfer-unfreeze", NULL } }, ESPL_BAD_OPTION,
                 "leave one sample over");
}

static espl_status train_once(espl_context *ctx, void *argument)
{
    char path[160];
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_run *run = NULL;
    espl_status s;

    snprintf(path, sizeof path, "%s/data", (const char *)argument);
    if (!(s = espl_data_open(ctx, path, NULL, &data))) {
        snprintf(path, sizeof path, "%s/deep.yaml", (const char *)argument);
        if (!(s = espl_net_open(ctx, path, NULL, &net)) && !(s = espl_run_open(net, data, "epochs: 3, batch: 25", &run)) &&
            !(s = espl_run_attach(run, "transfer-unfreeze", NULL)) && !(s = espl_run_attach(run, "average-swa", NULL)))
            s = espl_run_fit(run);
    }
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    return s;
}

static void test_survives_failing_allocations_between_stages(void **state)
{
    tiny *t = *state;
    const espl_context_settings one = { .threads = 1 };

    tiny_write(t, "deep.yaml", DEEP_NET);
    for (long long n = 1; failing_once(train_once, t->folder, &one, n); n += 29)
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_groups_join_from_the_top),
        TINY_TEST_OF(test_averages_begin_with_the_value),
        TINY_TEST_OF(test_resumes_in_every_stage),
        TINY_TEST_OF(test_frozen_layers_stay_frozen),
        TINY_TEST_OF(test_refuses),
        TINY_TEST_OF(test_looks_ahead),
        TINY_TEST_OF(test_survives_failing_allocations_between_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
