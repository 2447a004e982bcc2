/* The net that is kept is the best one whatever happens on the way: epochs so short that several share a checkpoint,
 * stops and resumes, layers that begin to train after the best epoch, a folder or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#define EPOCHS 6
#define STEPS 7 /* of an epoch */
/* A rate that rises until it destroys what the first epochs have learned: the best one is not the last. */
#define RECIPE(more)                                                                                                  \
    "net: tiny.yaml\ndata: data\nepochs: 6\nbatch: 8\nkeep: best\noptimizer: {sgd: {rate: 1, momentum: 0.9}}\n" \
    "techniques: [schedule-constant: {warm-up: 5ep}" more "]\n"

typedef struct kept {
    uint64_t hash;
    char origin[512]; /* with the epoch and its score */
    int64_t epochs;
} kept;

static kept kept_of(const espl_net *net)
{
    kept k = { .hash = espl_net_hash(net) };
    const char *epochs = strstr(net->origin, "\"epochs\": ");

    assert_non_null(epochs);
    k.epochs = strtoll(epochs + strlen("\"epochs\": "), NULL, 10);
    snprintf(k.origin, sizeof k.origin, "%s", net->origin);
    return k;
}

static kept read_kept(const tiny *t, const char *name)
{
    char path[160];
    espl_context *ctx = NULL;
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    const kept k = kept_of(net);
    espl_net_free(net);
    espl_context_free(ctx);
    return k;
}

/* What a run without a folder leaves in the net. */
static uint64_t hash_without_folder(const tiny *t)
{
    espl_context *ctx = NULL;
    espl_run *run = NULL;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    if (espl_run_load(ctx, t->recipe, NULL, &run) || espl_run_fit(run))
        fail_msg("%s", espl_message(ctx));
    const uint64_t hash = espl_net_hash(run->net);
    espl_run_free(run);
    espl_context_free(ctx);
    return hash;
}

static void check(tiny *t, const char *recipe)
{
    tiny_hash(t, &(tiny_job){ .text = recipe });
    const kept whole = read_kept(t, "run/net.safetensors");

    assert_true(whole.epochs < EPOCHS);
    assert_true(read_kept(t, "run/last.safetensors").epochs == EPOCHS);
    assert_true(hash_without_folder(t) == whole.hash);
    for (int64_t stop = STEPS + 1; stop < EPOCHS * STEPS; stop += 4) {
        assert_int_equal(tiny_do(t, &(tiny_job){ .out = "stopped", .stop_at = stop }).status, ESPL_INTERRUPTED);
        const bool is_past = stop > whole.epochs * STEPS;
        if (is_past != (read_kept(t, "stopped/net.safetensors").hash == whole.hash))
            fail_msg("stopped after step %d, the file holds another net", (int)stop);
        tiny_hash(t, &(tiny_job){ .out = "stopped", .resume = true });
        const kept after = read_kept(t, "stopped/net.safetensors");
        if (after.hash != whole.hash || strcmp(after.origin, whole.origin) != 0)
            fail_msg("resumed after step %d, it keeps another net", (int)stop);
    }
}

static void test_the_best_is_kept(void **state)
{
    check(*state, RECIPE(""));
}

/* The copy holds what trained then, the rest is as it was: layers let go later must not get into it. */
static void test_the_best_is_kept_through_stages(void **state)
{
    check(*state, RECIPE(", transfer-unfreeze: {every: 2ep}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_the_best_is_kept),
        TINY_TEST_OF(test_the_best_is_kept_through_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
