/* A teacher in a run: the net comes to answer as it does, scores stay those of the labels, a stop leaves no trace,
 * and teachers that do not fit are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "train/answers.h"
#include "unit/train/tiny_run.h"

#define WITH(options) \
    (const char *const[]) { "distill: {" options "}", NULL }
/* An ensemble teaches; its file is found beside the recipe. */
#define TAUGHT WITH("teacher: teacher/ensemble.safetensors, temperature: 1, share: 1")

/* Trained so little that its answers are not sure. */
static void train_teacher(tiny *t)
{
    tiny_hash(t, &(tiny_job){ .out = "teacher",
                              .text = TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-warm-restarts: {cycles: 3}\n"
                                                               "  - ensemble-snapshot\n"),
                              .set = (const char *const[]){ "optimizer.sgd.rate=0.005", NULL } });
    tiny_write(t, "recipe.yaml", TINY_RECIPE("plain.yaml", ""));
}

static void take(const tiny *t, espl_context *ctx, const char *name, espl__answers *answers)
{
    char path[200];
    espl_net *net = NULL;
    espl_data *data = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl__answers_take(net, data, ESPL_TRAIN, answers), ESPL_OK);
    espl_data_free(data);
    espl_net_free(net);
}

/* Mean of the squared distances between probabilities. */
static double distance(const tiny *t, const char *a, const char *b)
{
    espl_context *ctx = NULL;
    espl__answers of_a, of_b;
    double sum = 0;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    take(t, ctx, a, &of_a);
    take(t, ctx, b, &of_b);
    for (int64_t i = 0; i < of_a.samples * of_a.classes; i++)
        sum += pow((double)of_a.probability[i] - (double)of_b.probability[i], 2) / (double)of_a.samples;
    espl__answers_free(ctx, &of_a);
    espl__answers_free(ctx, &of_b);
    espl_context_free(ctx);
    return sum;
}

static void test_answers_as_the_teacher(void **state)
{
    const char *const long_run[] = { "epochs=20", NULL };
    tiny *t = *state;

    train_teacher(t);
    tiny_hash(t, &(tiny_job){ .out = "taught", .with = TAUGHT, .set = long_run });
    tiny_hash(t, &(tiny_job){ .out = "alone", .set = long_run });
    const double taught = distance(t, "taught/net.safetensors", "teacher/ensemble.safetensors");
    const double alone = distance(t, "alone/net.safetensors", "teacher/ensemble.safetensors");
    if (!(taught < 0.5 * alone))
        fail_msg("taught it is %g from the teacher, alone %g", taught, alone);
}

static void test_stopped_is_the_same(void **state)
{
    tiny *t = *state;

    train_teacher(t);
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .with = TAUGHT });
    assert_true(tiny_hash(t, &(tiny_job){ .out = "alone" }) != hash);
    for (int64_t stop = 3; stop < 21; stop += 8) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .with = TAUGHT, .stop_at = stop, .threads = 2 }).status,
                         ESPL_INTERRUPTED);
        assert_true(tiny_hash(t, &(tiny_job){ .out = "stopped", .with = TAUGHT, .resume = true }) == hash);
    }
    const tiny_outcome o = tiny_do(t, &(tiny_job){ .with = TAUGHT, .set = (const char *const[]){ "accumulate=2", NULL } });
    assert_int_equal(o.status, ESPL_OK);
    assert_int_equal(o.result.step_allocations, 0);
}

/* Its own first state as the teacher holds the net back. */
static void test_holds_to_the_start(void **state)
{
    tiny *t = *state;

    train_teacher(t);
    tiny_write(t, "recipe.yaml", TINY_RECIPE("teacher/net.safetensors", ""));
    const char *const fast[] = { "optimizer.sgd.rate=0.3", NULL };
    tiny_hash(t, &(tiny_job){ .out = "held", .set = fast, .with = WITH("share: 0.9, temperature: 1") });
    tiny_hash(t, &(tiny_job){ .out = "free", .set = fast });
    assert_true(distance(t, "held/net.safetensors", "teacher/net.safetensors") <
                distance(t, "free/net.safetensors", "teacher/net.safetensors"));
}

static void test_refuses_teachers(void **state)
{
    tiny *t = *state;

    tiny_write(t, "recipe.yaml", TINY_RECIPE("tiny.yaml", ""));
    tiny_refuses(t, &(tiny_job){ .with = WITH("teacher: none.safetensors") }, ESPL_NO_FILE, "none.safetensors");
    tiny_write(t, "two.yaml", "name: two\ninput: {channels: 1, height: 8, width: 8}\nlayers:\n  - flatten\n  - dense: 2\n");
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    char path[200];
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/two.yaml", t->folder);
    assert_int_equal(espl_net_open(ctx, path, NULL, &net), ESPL_OK);
    snprintf(path, sizeof path, "%s/two.safetensors", t->folder);
    assert_int_equal(espl_net_save(net, path), ESPL_OK);
    espl_net_free(net);
    espl_context_free(ctx);
    tiny_refuses(t, &(tiny_job){ .with = WITH("teacher: two.safetensors") }, ESPL_BAD_SHAPE, "tells 2 classes apart");
    const char *const both[] = { "distill", "distill: {share: 0.1}", NULL };
    tiny_refuses(t, &(tiny_job){ .with = both }, ESPL_BAD_STATE, "another technique has brought a teacher");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_answers_as_the_teacher),
        TINY_TEST_OF(test_stopped_is_the_same),
        TINY_TEST_OF(test_holds_to_the_start),
        TINY_TEST_OF(test_refuses_teachers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
