/* A run that is stopped and goes on, for any number of workers, ends with the same bits as one that never
 * stopped; a checkpoint of something else is refused with what differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#include <signal.h>
#include <sys/wait.h>

#define RECIPE TINY_RECIPE("tiny.yaml", "techniques:\n  - schedule-cosine: {warm-up: 1ep}\n  - clip-gradients: {norm: 0.8}\n")
#define ADAM "net: tiny.yaml\ndata: data\nepochs: 3\nbatch: 8\noptimizer: {adam: {rate: 0.01}}\n"

static void test_repeats_for_any_number_of_workers(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });

    for (int threads = 1; threads <= 4; threads++)
        assert_true(tiny_hash(t, &(tiny_job){ .out = "other", .threads = threads }) == hash);
    const char *const set[] = { "seed=1", NULL };
    assert_true(tiny_hash(t, &(tiny_job){ .out = "other", .set = set }) != hash);
}

static void check_interrupted(tiny *t, const char *recipe)
{
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = recipe });
    const int64_t stops[] = { 1, 3, 7, 8, 13, 14, 20 }; /* 7 steps an epoch */

    for (int i = 0; i < ESPL__COUNT(stops); i++) {
        tiny_job job = { .out = "stopped", .threads = 1 + i % 3, .stop_at = stops[i] };
        assert_int_equal(tiny_do(t, &job).status, ESPL_INTERRUPTED);
        job = (tiny_job){ .out = "stopped", .threads = 1 + (i + 1) % 4, .resume = true };
        if (tiny_hash(t, &job) != hash)
            fail_msg("stopped after step %d, the end is another one", (int)stops[i]);
    }
}

static void test_resumes_bit_for_bit(void **state)
{
    check_interrupted(*state, RECIPE);
}

static void test_resumes_adam_bit_for_bit(void **state)
{
    check_interrupted(*state, ADAM);
}

static void test_resumes_accumulated_bit_for_bit(void **state)
{
    check_interrupted(*state, TINY_RECIPE("tiny.yaml", "accumulate: 3\n"));
}

static void test_resumes_bf16_bit_for_bit(void **state)
{
    if (espl__bf16_here())
        check_interrupted(*state, TINY_RECIPE("tiny.yaml", "precision: bf16\n"));
    else
        tiny_refuses(*state, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "precision: bf16\n") }, ESPL_UNSUPPORTED,
                     "recipe.yaml:6:12: precision: bf16");
}

static void test_stopped_again_and_again(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });
    tiny_outcome outcome = { .status = ESPL_INTERRUPTED };
    int times = 0;

    for (; outcome.status == ESPL_INTERRUPTED && times < 100; times++)
        outcome = tiny_do(t, &(tiny_job){ .out = "stopped", .resume = times > 0, .stop_at = 2 * times + 1 });
    assert_int_equal(outcome.status, ESPL_OK);
    assert_int_equal(times, 12); /* after 1, 3, ... 21, the last before its epoch is scored, and the rest */
    assert_true(outcome.result.hash == hash);
}

static void test_resuming_what_is_done_changes_nothing(void **state)
{
    tiny *t = *state;
    const tiny_outcome first = tiny_do(t, &(tiny_job){ .text = RECIPE });
    const tiny_outcome again = tiny_do(t, &(tiny_job){ .resume = true });

    assert_int_equal(again.status, ESPL_OK);
    assert_true(again.result.hash == first.result.hash);
    assert_true(again.result.top1 == first.result.top1);
    assert_true(again.result.loss == first.result.loss);
    assert_int_equal(again.result.steps, 21);
}

static void test_resume_without_a_checkpoint_begins(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });

    assert_true(tiny_hash(t, &(tiny_job){ .out = "fresh", .resume = true }) == hash);
}

/* ---- killed without warning ---- */

static void run_until_killed(tiny *t, bool resume)
{
    const char *const set[] = { "checkpoint-every=2st", NULL };

    tiny_do(t, &(tiny_job){ .out = "killed", .resume = resume, .set = set });
    _exit(0);
}

static void test_killed_at_any_moment(void **state)
{
    tiny *t = *state;
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .text = RECIPE });
    const char *const set[] = { "checkpoint-every=2st", NULL };

    for (int i = 0; i < 12; i++) {
        const pid_t child = fork();
        if (child == 0)
            run_until_killed(t, i > 0);
        usleep((useconds_t)(1500 * (i % 5) + 700));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    assert_true(tiny_hash(t, &(tiny_job){ .out = "killed", .resume = true, .set = set }) == hash);
}

/* ---- what does not belong together ---- */

static void stop_early(tiny *t)
{
    assert_int_equal(tiny_do(t, &(tiny_job){ .text = RECIPE, .stop_at = 4 }).status, ESPL_INTERRUPTED);
}

static void refuse_with(tiny *t, const char *change, const char *words)
{
    const char *const set[] = { change, NULL };

    tiny_refuses(t, &(tiny_job){ .resume = true, .set = set }, ESPL_BAD_STATE, words);
}

static void test_another_recipe_is_refused_by_its_first_difference(void **state)
{
    tiny *t = *state;

    stop_early(t);
    refuse_with(t, "batch=16", "batch is 8 there and 16 here");
    refuse_with(t, "epochs=4", "epochs is 3 there and 4 here");
    refuse_with(t, "optimizer.sgd.rate=0.1", "optimizer.sgd.rate is 0.05 there and 0.1 here");
    refuse_with(t, "optimizer={adam: {}}", "optimizer.sgd");
    refuse_with(t, "seed=5", "seed is 0 there and 5 here");
    refuse_with(t, "net=plain.yaml", "net is tiny.yaml there and plain.yaml here");
    refuse_with(t, "techniques.schedule-cosine.lowest=0.01", "lowest is 0 there and 0.01 here");
    refuse_with(t, "techniques=[]", "techniques.0");
    refuse_with(t, "loss={softmax_cross_entropy: {label-smoothing: 0.1}}", "label-smoothing is 0 there and 0.1 here");
    const char *const with[] = { "schedule-step", NULL };
    tiny_refuses(t, &(tiny_job){ .resume = true, .with = with }, ESPL_BAD_OPTION, "one schedule");
}

static void test_how_often_checkpoints_are_written_may_change(void **state)
{
    tiny *t = *state;
    const char *const set[] = { "checkpoint-every=3st", NULL };
    const uint64_t hash = tiny_hash(t, &(tiny_job){ .out = "whole", .text = RECIPE });

    stop_early(t);
    assert_true(tiny_hash(t, &(tiny_job){ .resume = true, .set = set }) == hash);
}

static void test_other_data_is_refused(void **state)
{
    tiny *t = *state;

    stop_early(t);
    tiny_write_part(t, "data/train", 1, TINY_TRAIN);
    tiny_refuses(t, &(tiny_job){ .resume = true }, ESPL_BAD_STATE, "other data");
}

static void test_another_net_under_the_same_name_is_refused(void **state)
{
    tiny *t = *state;

    stop_early(t);
    tiny_write(t, "tiny.yaml", TINY_PLAIN_NET);
    tiny_refuses(t, &(tiny_job){ .resume = true }, ESPL_BAD_STATE, "another net");
}

/* ---- damaged files ---- */

static void damage(const tiny *t, long at, long cut)
{
    char path[256];

    snprintf(path, sizeof path, "%s/run/checkpoint.safetensors", t->folder);
    if (cut >= 0) {
        assert_int_equal(truncate(path, cut), 0);
        return;
    }
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    fputc(0xff, file);
    fclose(file);
}

static void test_damaged_checkpoints_are_refused(void **state)
{
    tiny *t = *state;
    const long cuts[] = { 0, 7, 100, 2000, 9000 };

    for (int i = 0; i < ESPL__COUNT(cuts); i++) {
        stop_early(t);
        damage(t, 0, cuts[i]);
        tiny_refuses(t, &(tiny_job){ .resume = true }, ESPL_BAD_FILE, "checkpoint.safetensors");
    }
    stop_early(t);
    damage(t, 3, -1);
    tiny_refuses(t, &(tiny_job){ .resume = true }, ESPL_BAD_FILE, "checkpoint.safetensors");
}

static void test_an_unwritable_folder_is_named(void **state)
{
    tiny *t = *state;

    tiny_write(t, "file", "not a folder");
    tiny_refuses(t, &(tiny_job){ .text = RECIPE, .out = "file/run" }, ESPL_WRITE_FAILED, "file");
}

static void test_a_fresh_run_keeps_the_old_checkpoint(void **state)
{
    tiny *t = *state;
    char *kept;

    stop_early(t);
    stop_early(t);
    kept = tiny_read(t, "run/checkpoint.previous.safetensors");
    assert_non_null(kept);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_repeats_for_any_number_of_workers),
        TINY_TEST_OF(test_resumes_bit_for_bit),
        TINY_TEST_OF(test_resumes_adam_bit_for_bit),
        TINY_TEST_OF(test_resumes_accumulated_bit_for_bit),
        TINY_TEST_OF(test_resumes_bf16_bit_for_bit),
        TINY_TEST_OF(test_stopped_again_and_again),
        TINY_TEST_OF(test_resuming_what_is_done_changes_nothing),
        TINY_TEST_OF(test_resume_without_a_checkpoint_begins),
        TINY_TEST_OF(test_killed_at_any_moment),
        TINY_TEST_OF(test_another_recipe_is_refused_by_its_first_difference),
        TINY_TEST_OF(test_how_often_checkpoints_are_written_may_change),
        TINY_TEST_OF(test_other_data_is_refused),
        TINY_TEST_OF(test_another_net_under_the_same_name_is_refused),
        TINY_TEST_OF(test_damaged_checkpoints_are_refused),
        TINY_TEST_OF(test_an_unwritable_folder_is_named),
        TINY_TEST_OF(test_a_fresh_run_keeps_the_old_checkpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
