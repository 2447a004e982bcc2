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
    bool train, layers, direct, json;
    int precision;
    const char *compare;
    cli_words set, other;
    cli_machine machine;
} bench_options;

static const cli_option options[] = {
    { "train", 0, CLI_FLAG, offsetof(bench_options, train), NULL, 0, 0,
      "time a whole training step; without it, the forward pass" },
    { "batch", 0, CLI_COUNT, offsetof(bench_options, batch), "N", 1, 65536,
      "samples at a time; without it, the recipe's in training, else 1 forward and 128 in training" },
    { "seconds", 0, CLI_REAL, offsetof(bench_options, seconds), "S", 0.01, 3600,
      "how long to measure, one run at least; without it, 3" },
    { "layers", 0, CLI_FLAG, offsetof(bench_options, layers), NULL, 0, 0,
      "show every layer, dearest first: time, share of the machine's peak, kernel, and the next best kernel" },
    { "direct", 0, CLI_FLAG, offsetof(bench_options, direct), NULL, 0, 0,
      "compute convolutions as plain sums, without Winograd's algorithm" },
    { "compare", 0, CLI_TEXT, offsetof(bench_options, compare), "OTHER", 0, 0,
      "time another net, or the same with other settings, in turn with NET, and show the ratio" },
    { "other", 0, CLI_WORDS, offsetof(bench_options, other), "SETTING", 0, 0,
      "what is different for OTHER: batch=N, threads=N, precision=f32|bf16 or algorithm=direct|auto; may be given again" },
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

static json_t *layer_as_json(const espl_bench_layer *layer)
{
    json_t *one = json_object();

    json_put_text(one, "node", layer->node);
    json_put_text(one, "role", layer->role);
    json_put_text(one, "kernel", layer->kernel);
    json_put_real(one, "ms", layer->milliseconds);
    json_put_real(one, "gflops", layer->gflops);
    json_put_real(one, "bytes", layer->bytes);
    json_put_real(one, "peak_share", layer->peak_share);
    json_put_text(one, "runner_up", *layer->runner_up ? layer->runner_up : NULL);
    json_put_real(one, "runner_up_ms", layer->runner_up_ms);
    return one;
}

static json_t *as_json(const espl_bench *bench, const char *net, bool train)
{
    json_t *line = json_object();

    json_put_text(line, "net", net);
    json_put_text(line, "what", train ? "train" : "forward");
    json_put_real(line, "median_ms", bench->median_ms);
    json_put_real(line, "min_ms", bench->min_ms);
    json_put_real(line, "max_ms", bench->max_ms);
    json_put_real(line, "first_ms", bench->first_ms);
    json_put_real(line, "processor_ms", bench->processor_ms);
    json_put_count(line, "runs", bench->runs);
    json_put_count(line, "disturbed", bench->disturbed);
    json_put_real(line, "images_per_second", bench->images_per_second);
    json_put_count(line, "threads", bench->threads);
    json_put_count(line, "batch", bench->batch);
    json_put_real(line, "gflops", bench->gflops);
    return line;
}

static void write_json(const espl_bench *bench, const bench_options *o, const char *net)
{
    json_t *line = as_json(bench, net, o->train), *layers = json_array();

    json_put_real(line, "peak_gflops", bench->peak_gflops);
    json_put_count(line, "planned_bytes", (int64_t)bench->planned_bytes);
    for (int i = 0; i < bench->layer_count; i++)
        json_array_append_new(layers, layer_as_json(&bench->layers[i]));
    if (o->layers)
        json_object_set(line, "layers", layers);
    json_decref(layers);
    json_write(line);
}

static int dearest_first(const void *a, const void *b)
{
    const double x = ((const espl_bench_layer *)a)->milliseconds, y = ((const espl_bench_layer *)b)->milliseconds;

    return (x < y) - (x > y);
}

/* Figures that a layer does not have are left out. */
static void figure_cell(cli_table *table, bool has, const char *text)
{
    table_cell(table, "%s", has ? text : "");
}

static void layer_row(cli_table *table, const espl_bench_layer *l, double sum)
{
    char text[128];

    table_cell(table, "%.3f", l->milliseconds);
    table_cell(table, "%.1f %%", sum > 0 ? 100 * l->milliseconds / sum : 0);
    snprintf(text, sizeof text, "%.1f", l->gflops);
    figure_cell(table, l->gflops > 0, text);
    snprintf(text, sizeof text, "%.0f %%", 100 * l->peak_share);
    figure_cell(table, l->gflops > 0, text);
    figure_cell(table, l->bytes > 0, figure_bytes(l->bytes).text);
    table_cell(table, "%s", l->node);
    table_cell(table, "%s", l->role);
    table_cell(table, "%s", l->kernel);
    snprintf(text, sizeof text, "%s %.3f", l->runner_up, l->runner_up_ms);
    figure_cell(table, *l->runner_up, text);
}

static void show_layers(espl_bench *bench)
{
    cli_table *table = table_open(">ms|>share|>GFLOP/s|>of peak|>memory|layer|role|kernel|next best, ms");
    double sum = 0;

    for (int i = 0; i < bench->layer_count; i++)
        sum += bench->layers[i].milliseconds;
    qsort(bench->layers, (size_t)bench->layer_count, sizeof *bench->layers, dearest_first);
    for (int i = 0; i < bench->layer_count; i++)
        layer_row(table, &bench->layers[i], sum);
    putchar('\n');
    table_close(table, stdout);
}

static void show_head(const espl_bench *bench, const bench_options *o, const char *net)
{
    printf("%s%s%s, %s, batch %s, %d thread%s\n", terminal_bold(stdout), net, terminal_plain(stdout),
           o->train ? "training step" : "forward", figure_count(bench->batch).text, bench->threads,
           bench->threads == 1 ? "" : "s");
    printf("median    %s%.3f ms%s (%.3f to %.3f, the first %.3f)\n", terminal_bold(stdout), bench->median_ms,
           terminal_plain(stdout), bench->min_ms, bench->max_ms, bench->first_ms);
    printf("speed     %s images/s, %.1f GFLOP/s", figure_rate(bench->images_per_second).text, bench->gflops);
    if (bench->peak_gflops > 0)
        printf(", %.0f %% of the %.0f that %d thread%s can do", 100 * bench->gflops / (bench->peak_gflops * bench->threads),
               bench->peak_gflops * bench->threads, bench->threads, bench->threads == 1 ? "" : "s");
    putchar('\n');
    if (bench->disturbed)
        printf("disturbed %d of %d runs: another program took a processor; not counted\n", bench->disturbed,
               bench->disturbed + bench->runs);
}

static void show(espl_bench *bench, const bench_options *o, const char *net)
{
    show_head(bench, o, net);
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

static espl_bench_settings settings_of(const bench_options *o, const net_source *source)
{
    espl_bench_settings settings = { .batch = o->batch, .train = o->train, .seconds = o->seconds, .direct = o->direct, .runners_up = o->layers };

    if (!settings.batch && o->train)
        settings.batch = batch_of_recipe(source->run);
    if (o->precision)
        espl_net_set_precision(source->net, ESPL_BF16);
    return settings;
}

static espl_status bench_one(const bench_options *o, const net_source *source)
{
    const espl_bench_settings settings = settings_of(o, source);
    espl_bench result = { 0 };
    const espl_status status = espl_bench_net(source->net, &settings, &result);

    if (!status && o->json)
        write_json(&result, o, espl_net_name(source->net));
    else if (!status)
        show(&result, o, espl_net_name(source->net));
    espl_bench_free(&result);
    return status;
}

/* ---- two in turn ---- */

static bool read_count(const char *text, int64_t most, int64_t *result)
{
    char *end;

    *result = strtoll(text, &end, 10);
    return *text && !*end && *result >= 1 && *result <= most;
}

/* "batch=64" into the options of the other one; an exit code. */
static int read_other(const cli_words *words, bench_options *other)
{
    for (int i = 0; i < words->count; i++) {
        const char *word = words->item[i], *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
        const size_t length = equals ? (size_t)(equals - word) : 0;
        bool good = false;
        if (length == 5 && strncmp(word, "batch", length) == 0)
            good = read_count(value, 65536, &other->batch);
        else if (length == 7 && strncmp(word, "threads", length) == 0)
            good = read_count(value, CLI_THREADS_MAX, &other->machine.threads);
        else if (length == 9 && strncmp(word, "algorithm", length) == 0)
            good = (other->direct = strcmp(value, "direct") == 0) || strcmp(value, "auto") == 0;
        else if (length == 9 && strncmp(word, "precision", length) == 0)
            good = (other->precision = strcmp(value, "bf16") == 0) || strcmp(value, "f32") == 0;
        if (good)
            continue;
        cli_complain("bench: --other wants batch=N, threads=N, precision=f32|bf16 or algorithm=direct|auto, not \"%s\"", word);
        return CLI_WRONG_USE;
    }
    return CLI_DONE;
}

static void show_comparison(const espl_comparison *c, const bench_options *o, const char *const names[2])
{
    json_t *line = json_object();

    if (o->json) {
        json_object_set_new(line, "first", as_json(&c->first, names[0], o->train));
        json_object_set_new(line, "second", as_json(&c->second, names[1], o->train));
        json_put_count(line, "rounds", c->rounds);
        json_put_real(line, "ratio", c->ratio);
        json_put_real(line, "ratio_min", c->ratio_min);
        json_put_real(line, "ratio_max", c->ratio_max);
        json_write(line);
        return;
    }
    json_decref(line);
    show_head(&c->first, o, names[0]);
    show_head(&c->second, o, names[1]);
    printf("ratio     the first is %s%.2f times%s as fast per image (%.2f to %.2f in %d round%s)\n", terminal_bold(stdout),
           c->ratio, terminal_plain(stdout), c->ratio_min, c->ratio_max, c->rounds, c->rounds == 1 ? "" : "s");
}

static espl_status compare(const bench_options *o, const bench_options *of_other, const net_source *source, const net_source *other)
{
    const espl_bench_settings first = settings_of(o, source), second = settings_of(of_other, other);
    espl_comparison result;
    const espl_status status = espl_bench_compare(source->net, &first, other->net, &second, &result);

    if (!status)
        show_comparison(&result, o, (const char *const[]){ espl_net_name(source->net), espl_net_name(other->net) });
    return status;
}

/* The other net lives in a context of its own, since that decides on the threads. */
static int bench_two(espl_context *ctx, const bench_options *o, const net_source *source)
{
    bench_options of_other = *o;
    net_source other = { 0 };
    espl_context *second = NULL;
    int code = read_other(&o->other, &of_other);

    if (code || (code = session_open(&of_other.machine, NULL, &second)))
        return code;
    code = session_report(second, net_source_open(second, o->compare, &o->set, &other));
    if (!code)
        code = session_report(ctx, compare(o, &of_other, source, &other));
    net_source_close(&other);
    espl_context_free(second);
    return code;
}

static int run(const void *given, const cli_words *words)
{
    const bench_options *o = given;
    espl_context *ctx = NULL;
    net_source source = { 0 };
    int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    code = session_report(ctx, net_source_open(ctx, words->item[0], &o->set, &source));
    if (!code)
        code = o->compare ? bench_two(ctx, o, &source) : session_report(ctx, bench_one(o, &source));
    net_source_close(&source);
    espl_context_free(ctx);
    return code;
}

const cli_command cli_command_bench = {
    .name = "bench",
    .summary = "time a net on this machine",
    .description = "Times the forward pass or a whole training step of a net on random inputs: the median, "
                   "the fastest and the slowest of many runs. Runs in which another program took a processor are "
                   "left out if there are enough others. A layer's share of the peak counts every product of the "
                   "plain sum, so an algorithm that saves some may pass 100 %.",
    .examples = "  espalier bench resnet-20\n"
                "  espalier bench resnet-20 --train --batch 128 --threads 2 --layers\n"
                "  espalier bench resnet-20 --batch 32 --compare resnet-20 --other algorithm=direct\n"
                "  espalier bench small.safetensors --compare large.safetensors\n"
                "  espalier bench recipe.yaml --train --json",
    .size = sizeof(bench_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
