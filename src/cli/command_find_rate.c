/* espalier find-rate: the learning rate for a recipe, by a range test that leaves no trace. */
#include "cli_text.h"
#include "json_line.h"
#include "recipe_options.h"
#include "session.h"
#include "sparkline.h"
#include "terminal.h"

#include <espalier/find_rate.h>

#include <stdlib.h>

typedef struct find_rate_options {
    double low, high;
    int64_t points, repeats;
    const char *plot;
    bool json;
    recipe_options recipe;
} find_rate_options;

static const cli_option options[] = {
    { "low", 0, CLI_REAL, offsetof(find_rate_options, low), "RATE", 1e-12, 1e6,
      "begin with RATE; without it, a ten thousandth of the optimizer's default" },
    { "high", 0, CLI_REAL, offsetof(find_rate_options, high), "RATE", 1e-12, 1e6,
      "end with RATE; without it, the hundredfold of the optimizer's default" },
    { "points", 0, CLI_COUNT, offsetof(find_rate_options, points), "N", 10, ESPL_RATE_POINTS_MAX,
      "try N rates; without it, 70 to 100, by how many steps an epoch has" },
    { "repeats", 0, CLI_COUNT, offsetof(find_rate_options, repeats), "N", 1, ESPL_RATE_REPEATS_MAX,
      "do it N times with other batches; without it, up to 3" },
    { "plot", 0, CLI_TEXT, offsetof(find_rate_options, plot), "FILE", 0, 0, "draw the curve as an SVG picture" },
    RECIPE_OPTIONS(find_rate_options, recipe),
    CLI_MACHINE_OPTIONS(find_rate_options, recipe.machine),
    CLI_JSON_OPTION(find_rate_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RECIPE", CLI_ONE, "a recipe in YAML" },
    CLI_ARGUMENTS_END
};

static json_t *points_as_json(const espl_rates *rates)
{
    json_t *all = json_array();

    for (int i = 0; i < rates->count; i++) {
        json_t *one = json_object();
        json_put_real(one, "rate", rates->points[i].rate);
        json_put_real(one, "loss", rates->points[i].loss);
        json_put_real(one, "smooth", rates->points[i].smooth);
        json_put_real(one, "training", rates->points[i].training);
        json_array_append_new(all, one);
    }
    return all;
}

static void write_json(const espl_rates *rates)
{
    json_t *line = json_object();

    json_put_real(line, "rate", rates->rate);
    json_put_real(line, "low", rates->low);
    json_put_real(line, "high", rates->high);
    json_put_real(line, "base", rates->base);
    json_put_real(line, "maximum", rates->maximum);
    json_put_flag(line, "trusted", rates->trusted);
    json_put_text(line, "reason", rates->reason);
    json_put_real(line, "steepest", rates->steepest);
    json_put_real(line, "valley", rates->valley);
    json_put_real(line, "tenth", rates->tenth);
    json_put_count(line, "repeats", rates->repeats);
    json_put_count(line, "steps", rates->steps);
    json_put_count(line, "samples", rates->samples);
    json_put_real(line, "seconds", rates->seconds);
    json_put_hash(line, "before", rates->before);
    json_put_hash(line, "after", rates->after);
    json_object_set_new(line, "points", points_as_json(rates));
    json_write(line);
}

static void show_curve(const espl_rates *rates)
{
    double loss[ESPL_RATE_POINTS_MAX];

    for (int i = 0; i < rates->count; i++)
        loss[i] = rates->points[i].smooth;
    fputs("loss      ", stdout);
    sparkline(stdout, loss, rates->count, 60);
    printf("\n          rates from %.2g to %.2g; %s steps, %s\n", rates->points[0].rate,
           rates->points[rates->count - 1].rate, figure_count(rates->steps).text, figure_time(rates->seconds).text);
}

static void show(const espl_rates *rates)
{
    show_curve(rates);
    if (rates->trusted)
        printf("rate      %s%.2g%s, between %.2g and %.2g\ncyclical  from %.2g to %.2g\n", terminal_bold(stdout),
               rates->rate, terminal_plain(stdout), rates->low, rates->high, rates->base, rates->maximum);
    printf("reason    %s\n", rates->reason);
}

static espl_status find(espl_context *ctx, const find_rate_options *o, espl_run *run)
{
    const espl_rates_settings settings = { .low = o->low, .high = o->high, .points = o->points, .repeats = o->repeats };
    espl_rates *rates = cli_allocate(1, sizeof *rates);
    espl_status status = espl_run_find_rate(run, &settings, rates);

    if (!status && o->plot)
        status = espl_rates_plot(ctx, rates, o->plot);
    if (!status && o->json)
        write_json(rates);
    else if (!status)
        show(rates);
    free(rates);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const find_rate_options *o = given;
    espl_context *ctx = NULL;
    espl_run *r = NULL;
    int code = recipe_options_open(&o->recipe, words->item[0], &ctx, &r);

    if (!code)
        code = session_report(ctx, find(ctx, o, r));
    recipe_options_close(ctx, r);
    return code;
}

const cli_command cli_command_find_rate = {
    .name = "find-rate",
    .summary = "find the learning rate for a recipe",
    .description =
        "Trains a few steps with rates that grow from far too small to far too large, watches the loss of "
        "samples that stay the same, and reads off the curve which rate suits the net, its data and its optimizer, "
        "with an interval, and two ends for cyclical rates. Where the curve does not support a choice it says so, and "
        "why. Nothing is kept: a training that follows is what it would have been.\n\n"
        "`rate: find` in a recipe does the same at the beginning of the training.",
    .examples = "  espalier find-rate recipe.yaml\n"
                "  espalier find-rate recipe.yaml --plot rates.svg --set batch=128\n"
                "  espalier find-rate recipe.yaml --json",
    .size = sizeof(find_rate_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
