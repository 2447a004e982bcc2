/* What every technique in techniques.def must keep to, so that a new line there is tested with no new
 * code here: it repeats and resumes bit for bit, refuses bad options by name, survives each failing
 * allocation, and gets on with every other one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "unit/train/tiny_pictures.h"
#include "unit/train/tiny_run.h"

#include <float.h>
#include <glob.h>

#define STEPS_OF_PAIR 3

/* Pictures of three channels, which every augmentation takes. */
#define COLOR_NET                                    \
    "name: color\n"                                  \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 3, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 4, kernel: 3, pad: 1}\n" \
    "  - batch_norm\n"                               \
    "  - relu\n"                                     \
    "  - max_pool: 2\n"                              \
    "  - flatten\n"                                  \
    "  - dropout: 0.2\n"                             \
    "  - dense: classes\n"

static int color_open(void **state)
{
    if (tiny_open(state))
        return -1;
    const tiny *t = *state;
    tiny_make_pictures(t, "pictures", TINY_SIDE, TINY_TRAIN, TINY_TEST);
    tiny_write(t, "color.yaml", COLOR_NET);
    tiny_write(t, "recipe.yaml", "net: color.yaml\ndata: pictures\nepochs: 2\nbatch: 16\nseed: 3\n"
                                 "optimizer: {sgd: {rate: 0.02, decay: 1e-3}}\n");
    return 0;
}

#define COLOR_TEST(test) cmocka_unit_test_setup_teardown(test, color_open, tiny_close)

/* ---- the descriptor ---- */

static void check_descriptor(const espl_technique *technique)
{
    assert_true(technique->name && *technique->name);
    assert_true(technique->summary && *technique->summary);
    assert_true(technique->family >= 0 && technique->family < ESPL_FAMILY_COUNT);
    assert_ptr_equal(espl__technique_find(technique->name), technique);
    assert_true(technique->kept_per_parameter >= 0 && technique->kept_per_parameter <= ESPL__KEPT_MAX);
    for (const espl_option *o = technique->options; o && o->name; o++) {
        assert_true(o->help && *o->help);
        assert_true(o->offset + o->size <= technique->size);
    }
    for (const espl_field *f = technique->kept; f && f->name; f++)
        assert_true(f->offset + f->size <= technique->size);
}

static void test_descriptors_are_whole(void **unused)
{
    (void)unused;
    for (int i = 0; espl__technique_at(i); i++)
        check_descriptor(espl__technique_at(i));
}

/* ---- repeating and resuming ---- */

static void test_repeats_and_resumes_bit_for_bit(void **state)
{
    tiny *t = *state;

    for (int i = 0; espl__technique_at(i); i++) {
        const char *const with[] = { espl__technique_at(i)->name, NULL };
        const uint64_t hash = tiny_hash(t, &(tiny_job){ .with = with });
        assert_true(tiny_hash(t, &(tiny_job){ .with = with, .out = "again", .threads = 2 }) == hash);
        for (int64_t stop = 1; stop < 8; stop += 3) { /* 4 steps an epoch: within both, and between */
            const tiny_job job = { .with = with, .out = "stopped", .stop_at = stop };
            assert_int_equal(tiny_do(t, &job).status, ESPL_INTERRUPTED);
            if (tiny_hash(t, &(tiny_job){ .with = with, .out = "stopped", .resume = true }) != hash)
                fail_msg("%s: resumed after step %d, it ends otherwise", with[0], (int)stop);
        }
    }
}

/* ---- in the middle of cycles, with everything that goes by them ---- */

#define GOES_BY_CYCLES_MAX 16

/* A technique with cycles of three steps, and averages of two of them, where it has such options. */
static void write_short(const espl_technique *technique, char text[256])
{
    static const char *const times[][2] = { { "period", "3st" }, { "start", "1st" }, { "last", "2st" } };
    size_t length = (size_t)snprintf(text, 256, "%s: {", technique->name);

    for (int i = 0; i < ESPL__COUNT(times); i++) {
        const espl_option *o = technique->options ? espl__option_find(technique->options, times[i][0]) : NULL;
        if (o && o->type == ESPL_OPTION_DURATION)
            length += (size_t)snprintf(text + length, 256 - length, "%s%s: %s", text[length - 1] == '{' ? "" : ", ",
                                       times[i][0], times[i][1]);
    }
    snprintf(text + length, 256 - length, "}");
}

/* Of every net that the run has kept. */
static uint64_t hash_nets(const tiny *t, const char *out)
{
    char pattern[256];
    uint64_t hash = 0;
    glob_t found;
    espl_context *ctx = NULL;

    snprintf(pattern, sizeof pattern, "%s/%s/{averages,snapshots,cycles,.}/*.safetensors", t->folder, out);
    assert_int_equal(glob(pattern, GLOB_BRACE, NULL, &found), 0);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        espl_net *net = NULL;
        if (strstr(found.gl_pathv[i], "checkpoint"))
            continue;
        assert_int_equal(espl_net_load(ctx, found.gl_pathv[i], &net), ESPL_OK);
        const uint64_t one = espl_net_hash(net);
        hash = espl__hash(&one, sizeof one, hash);
        espl_net_free(net);
    }
    globfree(&found);
    espl_context_free(ctx);
    return hash;
}

static void resume_with(tiny *t, const char *const *with, espl__random *random)
{
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .with = with }), nets = hash_nets(t, "run");

    for (int i = 0; i < 2; i++) {
        const int64_t stop = 1 + (int64_t)espl__random_below(random, 7);
        const tiny_job job = { .with = with, .out = "stopped", .stop_at = stop, .threads = 2 };
        assert_int_equal(tiny_do(t, &job).status, ESPL_INTERRUPTED);
        if (tiny_hash(t, &(tiny_job){ .with = with, .out = "stopped", .resume = true }) != hash ||
            hash_nets(t, "stopped") != nets)
            fail_msg("%s: stopped after step %d of 8, it ends otherwise", with[0], (int)stop);
    }
}

/* Every schedule, each with every average and ensemble. */
static void test_resumes_in_the_middle_of_cycles(void **state)
{
    char text[GOES_BY_CYCLES_MAX][256];
    const char *with[GOES_BY_CYCLES_MAX + 1] = { text[0] };
    espl__random random = espl__random_at(espl__stream_of(7, "stops"), 0, 0);
    int count = 1;

    for (int i = 0; espl__technique_at(i); i++) {
        const espl_family family = espl__technique_at(i)->family;
        if (family != ESPL_AVERAGE && family != ESPL_ENSEMBLE)
            continue;
        assert_true(count < GOES_BY_CYCLES_MAX);
        write_short(espl__technique_at(i), text[count]);
        with[count] = text[count];
        count++;
    }
    for (int i = 0; espl__technique_at(i); i++)
        if (espl__technique_at(i)->family == ESPL_SCHEDULE) {
            write_short(espl__technique_at(i), text[0]);
            resume_with(*state, with, &random);
        }
}

/* ---- bad options ---- */

static void refuse(tiny *t, const char *technique, const char *key, const char *value)
{
    char text[256];
    const char *const with[] = { text, NULL };

    snprintf(text, sizeof text, "%s: {%s: %s}", technique, key, value);
    const tiny_outcome o = tiny_do(t, &(tiny_job){ .with = with });
    if ((o.status != ESPL_BAD_OPTION && o.status != ESPL_BAD_RECIPE) || !strstr(t->message, technique) ||
        !strstr(t->message, key))
        fail_msg("%s: %s: \"%s\"", text, espl_status_name(o.status), t->message);
}

static void refuse_number(tiny *t, const char *technique, const char *key, const espl_option *o, const char *unit)
{
    char value[64];

    if (o->high < DBL_MAX / 4) {
        snprintf(value, sizeof value, "%.0f%s", 2 * fabs(o->high) + 10, unit);
        refuse(t, technique, key, value);
    }
    snprintf(value, sizeof value, "%.0f%s", o->low - 10 - fabs(o->low), unit);
    refuse(t, technique, key, value);
    snprintf(value, sizeof value, "nan%s", unit);
    refuse(t, technique, key, value);
    refuse(t, technique, key, "many");
    refuse(t, technique, key, "{a: b}");
}

static void refuse_bad_values(tiny *t, const char *technique, const espl_option *o)
{
    char key[ESPL__KEY_MAX];

    espl__option_key(o, key);
    switch (o->type) {
    case ESPL_OPTION_FLAG:
    case ESPL_OPTION_CHOICE:
        refuse(t, technique, key, "perhaps-not");
        break;
    case ESPL_OPTION_TEXT:
        refuse(t, technique, key, "[a, b]");
        break;
    case ESPL_OPTION_DURATION:
    case ESPL_OPTION_DURATIONS:
        refuse_number(t, technique, key, o, "ep");
        refuse(t, technique, key, "5");
        refuse(t, technique, key, "5weeks");
        break;
    default:
        refuse_number(t, technique, key, o, "");
    }
}

static void test_bad_options_are_refused_by_name(void **state)
{
    for (int i = 0; espl__technique_at(i); i++) {
        const espl_technique *technique = espl__technique_at(i);
        refuse(*state, technique->name, "no-such-option", "1");
        for (const espl_option *o = technique->options; o && o->name; o++)
            refuse_bad_values(*state, technique->name, o);
    }
}

/* ---- memory ---- */

/* A run around a net and data, without a folder, so that only memory can fail. */
static espl_status train_once(espl_context *ctx, void *argument)
{
    const char *const *names = argument; /* folder, technique */
    char path[160];
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_run *run = NULL;
    espl_status s;

    snprintf(path, sizeof path, "%s/pictures", names[0]);
    if (!(s = espl_data_open(ctx, path, NULL, &data))) {
        snprintf(path, sizeof path, "%s/color.yaml", names[0]);
        if (!(s = espl_net_open(ctx, path, NULL, &net)) &&
            !(s = espl_run_open(net, data, "epochs: 1, batch: 25", &run)) &&
            !(s = espl_run_attach(run, names[1], NULL)))
            s = espl_run_fit(run);
    }
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    return s;
}

/* Every technique asks for the memory that all of them do and a little of its own; each refuses other
 * allocations out of the many, all together refuse nearly every one. */
static void test_survives_each_failing_allocation(void **state)
{
    const tiny *t = *state;
    const espl_context_settings one = { .threads = 1 };

    for (int i = 0; espl__technique_at(i); i++) {
        const char *names[] = { t->folder, espl__technique_at(i)->name };
        for (long long n = 1 + i; failing_once(train_once, names, &one, n); n += 11)
            ;
    }
}

/* ---- pairs ---- */

static void train_pair(tiny *t, const espl_technique *a, const espl_technique *b)
{
    const char *const with[] = { a->name, b->name, NULL };
    const tiny_outcome o = tiny_do(t, &(tiny_job){ .with = with, .stop_at = STEPS_OF_PAIR });

    if (a->family == ESPL_SCHEDULE && b->family == ESPL_SCHEDULE) {
        assert_int_equal(o.status, ESPL_BAD_OPTION); /* with a sentence that names both */
        assert_non_null(strstr(t->message, a->name));
        assert_non_null(strstr(t->message, b->name));
        return;
    }
    if (o.status == ESPL_BAD_STATE && strstr(t->message, "another technique has brought a teacher"))
        return;
    /* a value that is not finite would have ended the run as diverged */
    if (o.status != ESPL_INTERRUPTED || o.result.steps != STEPS_OF_PAIR)
        fail_msg("%s with %s: %s: %s", a->name, b->name, espl_status_name(o.status), t->message);
}

static void test_every_pair_stays_finite(void **state)
{
    for (int i = 0; espl__technique_at(i); i++)
        for (int j = i + 1; espl__technique_at(j); j++)
            train_pair(*state, espl__technique_at(i), espl__technique_at(j));
}

/* ---- a technique of one's own, with everything a technique may keep ---- */

typedef struct keeper {
    double level;
    int64_t steps;
    float *history;
} keeper;

static const espl_option keeper_options[] = { ESPL_REAL(keeper, level, "0.5", 0, 1, "how much"), ESPL_OPTIONS_END };
static const espl_field keeper_kept[] = { ESPL_KEEP(keeper, steps), ESPL_KEEP_END };

static espl_status keeper_begin(void *self, espl_run *run)
{
    return espl_run_keep_tensor(run, "history", 8, &((keeper *)self)->history);
}

static espl_status keeper_step(void *self, espl_run *run)
{
    keeper *k = self;

    k->history[k->steps++ % 8] += (float)espl_run_step(run);
    espl_run_set_rate(run, espl_run_base_rate(run) / (1 + (double)(k->history[0] + k->history[1]) / 10));
    return ESPL_OK;
}

/* Weights are drawn to the mean of all their earlier values. */
static void keeper_after(void *self, const espl_block *block)
{
    const float level = (float)((const keeper *)self)->level;

    for (int64_t i = 0; i < block->count; i++) {
        block->kept[0][i] += level * (block->value[i] - block->kept[0][i]);
        block->value[i] = 0.9f * block->value[i] + 0.1f * block->kept[0][i];
    }
}

static const espl_technique keeper_technique = {
    .name = "keeper",
    .summary = "keeps all it can",
    .family = ESPL_AVERAGE,
    .size = sizeof(keeper),
    .options = keeper_options,
    .kept = keeper_kept,
    .kept_per_parameter = 1,
    .after_update = keeper_after,
    .on = { [ESPL_RUN_BEGIN] = keeper_begin, [ESPL_STEP_BEGIN] = keeper_step },
};

static espl_status keep(tiny *t, const char *out, int64_t stop_at, bool resume, uint64_t *hash)
{
    espl_context *ctx = NULL;
    espl_run *run = NULL;
    char folder[160];
    const espl_run_settings settings = { .folder = folder, .resume = resume };

    snprintf(folder, sizeof folder, "%s/%s", t->folder, out);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl_run_load(ctx, t->recipe, &settings, &run), ESPL_OK);
    assert_int_equal(espl_run_attach_own(run, &keeper_technique, "level: 2"), ESPL_BAD_OPTION);
    assert_int_equal(espl_run_attach_own(run, &keeper_technique, "level: 0.25"), ESPL_OK);
    tiny_watcher watcher = { ctx, stop_at };
    espl_run_watch(run, tiny_watch, &watcher);
    const espl_status s = espl_run_fit(run);
    *hash = espl_run_result(run)->hash;
    if (s && s != ESPL_INTERRUPTED)
        fail_msg("%s", espl_message(ctx));
    espl_run_free(run);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return s;
}

static void test_what_is_kept_comes_back(void **state)
{
    tiny *t = *state;
    uint64_t hash = 0, again = 0, without;

    assert_int_equal(keep(t, "run", 0, false, &hash), ESPL_OK);
    without = tiny_hash(t, &(tiny_job){ .out = "without" });
    assert_true(hash != without);
    for (int64_t stop = 1; stop < 8; stop++) {
        assert_int_equal(keep(t, "stopped", stop, false, &again), ESPL_INTERRUPTED);
        assert_int_equal(keep(t, "stopped", 0, true, &again), ESPL_OK);
        assert_true(again == hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_are_whole),
        COLOR_TEST(test_repeats_and_resumes_bit_for_bit),
        COLOR_TEST(test_resumes_in_the_middle_of_cycles),
        COLOR_TEST(test_bad_options_are_refused_by_name),
        COLOR_TEST(test_survives_each_failing_allocation),
        COLOR_TEST(test_every_pair_stays_finite),
        COLOR_TEST(test_what_is_kept_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
