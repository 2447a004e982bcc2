/* Classes are the same where their names are: a net that learned others gets more of them, and is scored on any of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/train/tiny_run.h"

/* Clouds of points around three places, one class each. */
static void write_rows(const tiny *t, const char *name, const char *const classes[3], unsigned present)
{
    FILE *file = tiny_create(t, name);

    fprintf(file, "x,y,label\n");
    for (int i = 0; i < 60; i++)
        if (present >> i % 3 & 1)
            fprintf(file, "%g,%g,%s\n", (i % 3 == 0) + 0.01 * (i % 7), (i % 3 == 1) + 0.01 * (i % 5), classes[i % 3]);
    fclose(file);
}

#define TABLE(net, data, more)                                                                      \
    "net: " net "\ndata: {path: " data ", held-out: 0.3}\nepochs: 10\nbatch: 8\nkeep: last\n" more \
    "optimizer: {sgd: {rate: 0.5}}\n"

static espl_net *load(const tiny *t, espl_context *ctx, const char *name)
{
    espl_net *net = NULL;
    char path[200];

    snprintf(path, sizeof path, "%s/%s/net.safetensors", t->folder, name);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

static espl_score score_on(const tiny *t, espl_net *net, const char *name, bool within)
{
    espl_data *data = NULL;
    espl_score score;
    char path[200];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (espl_data_open(net->ctx, path, &(espl_data_settings){ .test = path }, &data) ||
        (within ? espl_score_within : espl_score_net)(net, data, ESPL_HELD_OUT, 0, &score))
        fail_msg("%s", espl_message(net->ctx));
    espl_data_free(data);
    return score;
}

/* Learns "m" and "z", then "m" and a class whose name comes before both, and knows all three by their names. */
static void test_adds_classes(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;

    tiny_write(t, "table.yaml", "name: table\ninput: {channels: 2, height: 1, width: 1}\nlayers:\n  - flatten\n  - dense: 2\n");
    write_rows(t, "old.csv", (const char *const[]){ "m", "z", "a" }, 3);
    write_rows(t, "new.csv", (const char *const[]){ "m", "z", "a" }, 5);
    write_rows(t, "all.csv", (const char *const[]){ "m", "z", "a" }, 7);
    tiny_hash(t, &(tiny_job){ .out = "old", .text = TABLE("table.yaml", "old.csv", "") });
    tiny_hash(t, &(tiny_job){ .out = "new", .text = TABLE("old/net.safetensors", "new.csv", "head: {classes: added}\n") });
    tiny_hash(t, &(tiny_job){ .out = "all", .text = TABLE("new/net.safetensors", "all.csv", "") });
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    for (int i = 0; i < 2; i++) {
        espl_net *net = load(t, ctx, i ? "all" : "new");
        assert_int_equal(espl_net_classes(net), 3);
        assert_string_equal(espl_net_class_name(net, 0), "m");
        assert_string_equal(espl_net_class_name(net, 1), "z");
        assert_string_equal(espl_net_class_name(net, 2), "a");
        espl_score score = score_on(t, net, i ? "all.csv" : "new.csv", false);
        assert_float_equal(score.top1, 1, 1e-9);
        assert_int_equal(score.class_count, 3);
        assert_int_equal(score.classes[1].count, i ? 20 : 0);
        espl_score_free(&score);
        espl_net_free(net);
    }
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
}

/* Among two classes there are fewer mistakes, and a smaller loss, than among three. */
static void test_within(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;

    test_adds_classes(state);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    espl_net *net = load(t, ctx, "all");
    espl_score all = score_on(t, net, "old.csv", false), within = score_on(t, net, "old.csv", true);
    assert_true(within.loss > 0 && within.loss < all.loss);
    assert_true(within.top1 >= all.top1);
    net->parameters[1].value[2] = 100; /* the third class everywhere */
    espl_score_free(&all);
    espl_score_free(&within);
    all = score_on(t, net, "old.csv", false);
    within = score_on(t, net, "old.csv", true);
    assert_float_equal(all.top1, 0, 1e-9);
    assert_float_equal(within.top1, 1, 1e-9);
    espl_score_free(&all);
    espl_score_free(&within);
    espl_net_free(net);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_adds_classes),
        TINY_TEST_OF(test_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
