/* espalier bench: how fast a net is on this machine. */
#include "cli_text.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"
#include "terminal.h"

#include <espalier/report.h>

#include <stdlib.h>
#include <string.h>

typedef struct bench_options {
    int64_t batch;
    double seconds;
    bool train, layers, json;
    int precision;
    cli_words set;
    cli_machine machine;
} bench_options;

static const cli_option options[] = {
    { "train", 0, CLI_FLAG, offsetof(bench_options, train), NULL, 0, 0,
      "time a whole training step; without it, the forward pass" },
    { "batch", 0, CLI_COUNT, offsetof(bench_options, batch), "N", 1, 65536,
      "samples at a time; without it, the recipe's in training, else 1 forward and 128 in training" },
    { "seconds", 0, CLI_REAL, offsetof(bench_options, seconds), "S", 0.01, 3600,
      "how long to measure; without it, 3" },
    { "layers", 0, CLI_FLAG, offsetof(bench_options, layers), NULL, 0, 0,
      "show the time of every layer, dearest first" },
    CLI_PRECISION_OPTION(bench_options, precision),
    NET_SET_OPTION(bench_options, set),
    CLI_MACHINE_OPTIONS(bench_options, machine),
    CLI_JSON_OPTION(bench_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE, "a net file (.safetensors), a description or recipe (.yaml), or a name such as resnet-20" },
    CLI_ARGUMENTS_END
};

static json_t *layers_as_json(const espl_bench *bench)
{
    json_t *all = json_array();

    for (int i = 0; i < bench->layer_count; i++) {
        json_t *one = json_object();
        json_put_text(one, "node", bench->layers[i].node);
        json_put_text(one, "role", bench->layers[i].role);
        json_put_text(one, "kernel", bench->layers[i].kernel);
        json_put_real(one, "ms", bench->layers[i].milliseconds);
        json_put_real(one, "gflops", bench->layers[i].gflops);
        json_array_append_new(all, one);
    }
    return all;
}

static void write_json(const espl_bench *bench, const bench_options *o, const char *net)
{
    json_t *line = json_object();

    json_put_text(line, "net", net);
    json_put_text(line, "what", o->train ? "train" : "forward");
    json_put_real(line, "median_ms", bench->median_ms);
    json_put_real(line, "min_ms", bench->min_ms);
    json_put_real(line, "max_ms", bench->max_ms);
    json_put_real(line, "first_ms", bench->first_ms);
    json_put_real(line, "images_per_second", bench->images_per_second);
    json_put_count(line, "threads", bench->threads);
    json_put_count(line, "batch", bench->batch);
    json_put_real(line, "gflops", bench->gflops);
    json_put_count(line, "planned_bytes", (int64_t)bench->planned_bytes);
    if (o->layers)
        json_object_set_new(line, "layers", layers_as_json(bench));
    json_write(line);
}

static int dearest_first(const void *a, const void *b)
{
    const double x = ((const espl_bench_layer *)a)->milliseconds, y = ((const espl_bench_layer *)b)->milliseconds;

    return (x < y) - (x > y);
}

static void show_layers(espl_bench *bench)
{
    cli_table *table = table_open(">ms|>share|>GFLOP/s|layer|role|kernel");
    double sum = 0;

    for (int i = 0; i < bench->layer_count; i++)
        sum += bench->layers[i].milliseconds;
    qsort(bench->layers, (size_t)bench->layer_count, sizeof *bench->layers, dearest_first);
    for (int i = 0; i < bench->layer_count; i++) {
        const espl_bench_layer *l = &bench->layers[i];
        table_cell(table, "%.3f", l->milliseconds);
        table_cell(table, "%.1f %%", sum > 0 ? 100 * l->milliseconds / sum : 0);
        if (l->gflops > 0)
            table_cell(table, "%.1f", l->gflops);
        else
            table_cell(table, "%s", "");
        table_cell(table, "%s", l->node);
        table_cell(table, "%s", l->role);
        table_cell(table, "%s", l->kernel);
    }
    putchar('\n');
    table_close(table, stdout);
}

static void show(espl_bench *bench, const bench_options *o, const char *net)
{
    printf("%s%s%s, %s, batch %s, %d thread%s\n", terminal_bold(stdout), net, terminal_plain(stdout),
           o->train ? "training step" : "forward", figure_count(bench->batch).text, bench->threads,
           bench->threads == 1 ? "" : "s");
    printf("median    %s%.3f ms%s (%.3f to %.3f, the first %.3f)\n", terminal_bold(stdout), bench->median_ms,
           terminal_plain(stdout), bench->min_ms, bench->max_ms, bench->first_ms);
    printf("speed     %s images/s, %.1f GFLOP/s\n", figure_rate(bench->images_per_second).text, bench->gflops);
    printf("memory    %s planned\n", figure_bytes((double)bench->planned_bytes).text);
    if (o->layers)
        show_layers(bench);
}

/* The batch that a recipe trains with. */
static int64_t batch_of_recipe(espl_run *run)
{
    const char *text = NULL;

    if (!run || espl_run_resolved(run, &text))
        return 0;
    const char *line = strncmp(text, "batch:", 6) == 0 ? text : strstr(text, "\nbatch:");
    return line ? strtoll(strchr(line, ':') + 1, NULL, 10) : 0;
}

static espl_status bench(espl_context *ctx, const bench_options *o, const char *name)
{
    espl_bench_settings settings = { .batch = o->batch, .train = o->train, .seconds = o->seconds };
    net_source source = { 0 };
    espl_bench result = { 0 };
    espl_status status = net_source_open(ctx, name, &o->set, &source);

    if (!status && !settings.batch && o->train)
        settings.batch = batch_of_recipe(source.run);
    if (!status && o->precision)
        espl_net_set_precision(source.net, ESPL_BF16);
    if (!status)
        status = espl_bench_net(source.net, &settings, &result);
    if (!status && o->json)
        write_json(&result, o, espl_net_name(source.net));
    else if (!status)
        show(&result, o, espl_net_name(source.net));
    espl_bench_free(&result);
    net_source_close(&source);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const bench_options *o = given;
    espl_context *ctx = NULL;
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    const int result = session_report(ctx, bench(ctx, o, words->item[0]));
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_bench = {
    .name = "bench",
    .summary = "time a net on this machine",
    .description = "Times the forward pass or a whole training step of a net on random inputs: the median, "
                   "the fastest and the slowest of many runs. Other programs that work at the same time make "
                   "the figures worthless.",
    .examples = "  espalier bench resnet-20\n"
                "  espalier bench resnet-20 --train --batch 128 --threads 2 --layers\n"
                "  espalier bench recipe.yaml --train --json",
    .size = sizeof(bench_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
