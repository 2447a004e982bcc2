/* Predictors: planned once they answer as a single call does, and what they keep in a folder changes no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/net.h"
#include <espalier/espalier.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIXELS = 3 * 32 * 32,
       CLASSES = 10,
       SAMPLES = 5 };

typedef struct rig {
    espl_context *ctx;
    espl_net *net;
    int warnings;
    char folder[40];
    float samples[SAMPLES * PIXELS], wanted[SAMPLES * CLASSES];
} rig;

static void count_warnings(void *user, espl_level level, const char *line)
{
    (void)line;
    ((rig *)user)->warnings += level == ESPL_WARNING;
}

static int setup(void **state)
{
    rig *r = calloc(1, sizeof *r);

    *state = r;
    strcpy(r->folder, "/tmp/espalier_predictor_XXXXXX");
    if (!mkdtemp(r->folder) ||
        espl_context_open(&(espl_context_settings){ .log = count_warnings, .user = r }, &r->ctx) ||
        espl_net_open(r->ctx, "resnet-8", NULL, &r->net))
        return -1;
    for (int i = 0; i < SAMPLES * PIXELS; i++)
        r->samples[i] = (float)((i * 37 + i / PIXELS * 11) % 256);
    return espl_predict(r->net, r->samples, 1, r->wanted);
}

/* Calls `see` with the path of every file that was kept; returns their number. */
static int each_kept(const rig *r, void (*see)(const char *path))
{
    DIR *folder = opendir(r->folder);
    int count = 0;

    for (struct dirent *e; (e = readdir(folder));) {
        char path[400];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", r->folder, e->d_name);
        if (see)
            see(path);
        count++;
    }
    closedir(folder);
    return count;
}

static void delete (const char *path)
{
    unlink(path);
}

static void cut(const char *path)
{
    assert_int_equal(truncate(path, 5000), 0);
}

static int teardown(void **state)
{
    rig *r = *state;

    espl_net_free(r->net);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
    each_kept(r, delete);
    rmdir(r->folder);
    free(r);
    return 0;
}

/* A predictor gives the answer that is wanted, twice. */
static void answers(rig *r, const char *cache)
{
    espl_predictor *predictor;
    float got[CLASSES];

    assert_int_equal(espl_predictor_open(r->net, &(espl_predictor_settings){ .cache = cache }, &predictor), ESPL_OK);
    for (int i = 0; i < 2; i++) {
        memset(got, 0, sizeof got);
        assert_int_equal(espl_predictor_run(predictor, r->samples, 1, got), ESPL_OK);
        assert_memory_equal(got, r->wanted, sizeof got);
    }
    espl_predictor_free(predictor);
}

static void one_predictor_answers_again_and_again(void **state)
{
    rig *r = *state;
    float single[CLASSES], together[SAMPLES * CLASSES];
    espl_predictor *predictor;

    answers(r, NULL);
    assert_int_equal(espl_predictor_open(r->net, &(espl_predictor_settings){ .batch = 2 }, &predictor), ESPL_OK);
    assert_int_equal(espl_predictor_run(predictor, r->samples, SAMPLES, together), ESPL_OK);
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(espl_predictor_run(predictor, r->samples + i * PIXELS, 1, single), ESPL_OK);
        assert_memory_equal(single, together + i * CLASSES, sizeof single);
    }
    assert_int_equal(espl_predictor_run(predictor, r->samples, 0, single), ESPL_BAD_OPTION);
    assert_int_equal(espl_predictor_file(predictor, "/nowhere.png", single), ESPL_NO_FILE);
    espl_predictor_free(predictor);
    assert_int_equal(espl_predictor_open(r->net, &(espl_predictor_settings){ .batch = 65 }, &predictor), ESPL_BAD_OPTION);
    assert_null(predictor);
    espl_predictor_free(NULL);
}

/* A machine whose kernels all take weights as they are has nothing to keep. */
static void answers_and_keeps(rig *r)
{
    answers(r, r->folder);
    if (!each_kept(r, NULL))
        skip();
}

static void packed_weights_are_kept_and_found(void **state)
{
    rig *r = *state;

    answers_and_keeps(r);
    assert_int_equal(each_kept(r, NULL), 1);
    answers(r, r->folder);
    assert_int_equal(each_kept(r, NULL), 1);
    each_kept(r, cut); /* made anew */
    answers(r, r->folder);
    answers(r, r->folder);
    assert_int_equal(each_kept(r, NULL), 1);
    assert_int_equal(r->warnings, 0);
}

static void another_net_finds_its_own(void **state)
{
    rig *r = *state;
    float *weight = r->net->parameters[0].value;

    answers_and_keeps(r);
    weight[0] += 1;
    assert_int_equal(espl_predict(r->net, r->samples, 1, r->wanted), ESPL_OK);
    answers(r, r->folder);
    answers(r, r->folder);
    assert_int_equal(each_kept(r, NULL), 2);
    weight[0] -= 1;
}

static void without_a_folder_it_only_warns(void **state)
{
    rig *r = *state;

    answers_and_keeps(r);
    answers(r, "/nowhere/at/all");
    assert_int_equal(r->warnings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_predictor_answers_again_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(packed_weights_are_kept_and_found, setup, teardown),
        cmocka_unit_test_setup_teardown(another_net_finds_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_folder_it_only_warns, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
