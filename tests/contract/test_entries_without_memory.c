/* Every public entry that allocates, with each of its allocations refused in turn. Those that read data,
 * nets and recipes have such a test beside their others; here are the ones that use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "unit/train/tiny_run.h"
#include <espalier/report.h>

#define NET "run/net.safetensors"

static const char *path_of(const tiny *t, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", t->folder, name);
    return path;
}

static espl_status open_data(espl_context *ctx, const tiny *t, espl_data **data)
{
    char path[256];

    return espl_data_open(ctx, path_of(t, "data", path), NULL, data);
}

static espl_status load_net(espl_context *ctx, const tiny *t, espl_net **net)
{
    char path[256];

    return espl_net_load(ctx, path_of(t, NET, path), net);
}

static espl_status score(espl_context *ctx, void *argument)
{
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_score result = { 0 };
    espl_status s;

    if (!(s = load_net(ctx, argument, &net)) && !(s = open_data(ctx, argument, &data)))
        s = espl_score_net(net, data, ESPL_HELD_OUT, 8, &result);
    espl_score_free(&result);
    espl_data_free(data);
    espl_net_free(net);
    return s;
}

static espl_status predict(espl_context *ctx, void *argument)
{
    static const float samples[2 * TINY_SIDE * TINY_SIDE];
    float probabilities[2 * TINY_CLASSES];
    espl_net *net = NULL;
    espl_status s;

    if (!(s = load_net(ctx, argument, &net)))
        s = espl_predict(net, samples, 2, probabilities);
    espl_net_free(net);
    return s;
}

static espl_status time_net(espl_context *ctx, void *argument)
{
    const espl_bench_settings settings = { .train = true, .batch = 4, .seconds = 1e-6 };
    espl_net *net = NULL;
    espl_bench result = { 0 };
    espl_status s;

    if (!(s = load_net(ctx, argument, &net)))
        s = espl_bench_net(net, &settings, &result);
    espl_bench_free(&result);
    espl_net_free(net);
    return s;
}

static espl_status fill_net(espl_context *ctx, void *argument)
{
    char net_path[256], tensors[256];
    espl_net *net = NULL;
    espl_status s;

    if (!(s = espl_net_open(ctx, path_of(argument, "tiny.yaml", net_path), NULL, &net)))
        s = espl_net_load_parameters(net, path_of(argument, NET, tensors));
    espl_net_free(net);
    return s;
}

static espl_status ask_run(espl_run *run)
{
    const char *text = NULL;
    espl_status s;

    if ((s = espl_run_attach(run, "schedule-cosine", "lowest: 1e-4")) || (s = espl_run_resolved(run, &text)) ||
        (s = espl_run_explained(run, &text)))
        return s;
    return espl_run_fit(run);
}

static espl_status run_by_hand(espl_context *ctx, void *argument)
{
    espl_net *net = NULL;
    espl_data *data = NULL;
    espl_run *run = NULL;
    espl_status s;

    if (!(s = load_net(ctx, argument, &net)) && !(s = open_data(ctx, argument, &data)) &&
        !(s = espl_run_open(net, data, "epochs: 1, batch: 25, optimizer: adam", &run)))
        s = ask_run(run);
    espl_run_free(run);
    espl_data_free(data);
    espl_net_free(net);
    return s;
}

static espl_status list_options(espl_context *ctx, void *argument)
{
    static const char *const things[][2] = { { "op", "conv2d" }, { "optimizer", "adam" }, { "technique", "augment-color" }, { "net", "wide-resnet-{depth}-{width}" } };
    espl_status s = ESPL_OK;

    (void)argument;
    for (int i = 0; i < ESPL__COUNT(things) && !s; i++) {
        char *text = NULL;
        s = espl_options_text(ctx, things[i][0], things[i][1], &text);
        espl_text_free(ctx, text);
    }
    return s;
}

static void test_each_allocation_may_fail(void **state)
{
    static const struct {
        const char *name;
        failing_work work;
        int stride, fewest;
    } entries[] = {
        { "score", score, 3, 100 },
        { "predict", predict, 3, 100 },
        { "time", time_net, 7, 100 },
        { "load parameters", fill_net, 3, 50 },
        { "run by hand", run_by_hand, 7, 100 },
        { "list options", list_options, 7, 20 },
    };
    const espl_context_settings one = { .threads = 1 };
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", "") });
    for (int i = 0; i < ESPL__COUNT(entries); i++) {
        const long long asked = failing_some(entries[i].work, t, &one, 20, entries[i].stride);
        if (asked < entries[i].fewest)
            fail_msg("%s: only %lld allocations", entries[i].name, asked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { TINY_TEST_OF(test_each_allocation_may_fail) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
