/* The promise that everything else rests on, with a real net: two epochs of ResNet-20 with dropout and
 * augmentation end with the same bits for 1, 2, 3 and 4 workers, and when the run is killed at twenty
 * moments and goes on each time with another number of workers. On a reduced set of made-up pictures.
 * label: slow */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/train/tiny_run.h"
#include "unit/train/tiny_pictures.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define KILLS 20
#define SIDE 32
#define COUNT 160 /* batches of 48: the last of an epoch is not full */

/* nets/resnet.yaml with a dropout in front of its last layer. */
static void write_net(const tiny *t)
{
    static char text[16384], whole[16600];
    FILE *file = fopen(ESPL__SOURCE_DIR "/nets/resnet.yaml", "rb");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *last = strstr(text, "  - dense: classes");
    assert_non_null(last);
    snprintf(whole, sizeof whole, "%.*s  - dropout: 0.3\n%s", (int)(last - text), text, last);
    tiny_write(t, "net.yaml", whole);
}

static int open_all(void **state)
{
    if (tiny_open(state))
        return -1;
    const tiny *t = *state;
    write_net(t);
    tiny_make_pictures(t, "pictures", SIDE, COUNT, 30);
    tiny_write(t, "recipe.yaml", "net: {net.yaml: {depth: 20}}\ndata: pictures\nepochs: 2\nbatch: 48\nseed: 11\n"
                                 "optimizer: {sgd: {rate: 0.05, decay: 5e-4, nesterov: yes}}\n"
                                 "techniques:\n  - augment-crop\n  - augment-flip\n  - augment-cutout\n"
                                 "  - clip-gradients: {norm: 2}\n  - schedule-cosine: {warm-up: 2st}\n");
    return 0;
}

/* ---- in processes of their own: what is killed must not be the test, and teams of workers do not survive
 * a fork ---- */

typedef struct answer {
    int status;
    uint64_t hash;
} answer;

static pid_t start(tiny *t, const tiny_job *job, answer *result)
{
    const pid_t child = fork();

    if (child)
        return child;
    const tiny_outcome o = tiny_do(t, job);
    *result = (answer){ (int)o.status, o.result.hash };
    _exit(0);
}

static answer *shared_answer(void)
{
    answer *a = mmap(NULL, sizeof *a, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(a != MAP_FAILED);
    *a = (answer){ -1, 0 };
    return a;
}

static uint64_t finish(tiny *t, const tiny_job *job)
{
    answer *a = shared_answer();

    waitpid(start(t, job, a), NULL, 0);
    const answer got = *a;
    munmap(a, sizeof *a);
    assert_int_equal(got.status, ESPL_OK);
    return got.hash;
}

static void test_any_number_of_workers(void **state)
{
    tiny *t = *state;
    const uint64_t hash = finish(t, &(tiny_job){ .threads = 1 });

    for (int threads = 2; threads <= 4; threads++)
        if (finish(t, &(tiny_job){ .out = "other", .threads = threads }) != hash)
            fail_msg("%d workers end with other bits than one", threads);
}

static double seconds_of_a_run(tiny *t)
{
    const double began = espl__now();

    finish(t, &(tiny_job){ .out = "timed", .threads = 2 });
    return espl__now() - began;
}

/* Each process lives for a random part of what a run takes, about a tenth, so that kills fall into opening,
 * steps, scoring and writing. */
static void test_killed_twenty_times(void **state)
{
    tiny *t = *state;
    const char *const set[] = { "checkpoint-every=1st", NULL };
    const uint64_t hash = finish(t, &(tiny_job){ .threads = 1 });
    const double whole = seconds_of_a_run(t);
    espl__random random = espl__random_at(espl__stream_of(5, "kill"), 0, 0);

    for (int i = 0; i < KILLS; i++) {
        answer *a = shared_answer();
        const tiny_job job = { .out = "killed", .threads = 1 + i % 4, .resume = i > 0, .set = set };
        const pid_t child = start(t, &job, a);
        usleep((useconds_t)(1e6 * whole * (0.02 + 0.2 * (double)espl__random_uniform(&random))));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        munmap(a, sizeof *a);
    }
    assert_true(finish(t, &(tiny_job){ .out = "killed", .threads = 3, .resume = true, .set = set }) == hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_number_of_workers, open_all, tiny_close),
        cmocka_unit_test_setup_teardown(test_killed_twenty_times, open_all, tiny_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
