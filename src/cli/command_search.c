/* espalier search: which values suit a recipe, by trials of which the better ones are trained on. */
#include "cli_text.h"
#include "interrupts.h"
#include "json_line.h"
#include "progress.h"
#include "recipe_options.h"
#include "session.h"
#include "terminal.h"

#include <espalier/search.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct search_options {
    const char *out;
    int64_t trials, grid, keep;
    bool json;
    recipe_options recipe;
} search_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(search_options, out), "DIR", 0, 0,
      "keep the trials in DIR; without it, in runs/ under the recipe's name and \"-search\"" },
    { "trials", 0, CLI_COUNT, offsetof(search_options, trials), "N", 1, ESPL_SEARCH_TRIALS_MAX,
      "try N random draws; without it, 16, or every combination where all values are listed" },
    { "grid", 0, CLI_COUNT, offsetof(search_options, grid), "N", 1, ESPL_SEARCH_TRIALS_MAX,
      "try every combination, with N values of each range" },
    { "keep-one-of", 0, CLI_COUNT, offsetof(search_options, keep), "N", 1, ESPL_SEARCH_TRIALS_MAX,
      "train on one of N trials after each round; 1: train all to the end; without it, 3" },
    RECIPE_OPTIONS(search_options, recipe),
    CLI_MACHINE_OPTIONS(search_options, recipe.machine),
    CLI_JSON_OPTION(search_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RECIPE", CLI_ONE, "a recipe in YAML with a line such as search: {rate: log 1e-3..1}" },
    CLI_ARGUMENTS_END
};

static void watch(void *user, const espl_news *news)
{
    progress_training(user, news, "trial ");
}

/* ---- what came out ---- */

static void write_trial(const espl_search *search, int trial)
{
    const espl_trial *t = espl_search_trial(search, trial);
    json_t *line = json_object(), *values = json_object();

    json_put_text(line, "event", "trial");
    json_put_count(line, "trial", trial + 1);
    json_put_count(line, "epochs", t->epochs);
    json_put_real(line, "top1", t->top1);
    json_put_real(line, "loss", t->loss);
    json_put_flag(line, "diverged", t->diverged);
    json_put_text(line, "folder", t->folder);
    for (int v = 0; v < espl_search_values(search); v++)
        json_put_text(values, espl_search_path(search, v), espl_search_text(search, trial, v));
    json_object_set_new(line, "values", values);
    json_write(line);
}

static void show_trials(const espl_search *search)
{
    const int values = espl_search_values(search);
    char headings[2048] = ">trial";
    size_t length = strlen(headings);

    for (int v = 0; v < values && length < sizeof headings; v++)
        length += (size_t)snprintf(headings + length, sizeof headings - length, "|>%s", espl_search_name(search, v));
    if (length < sizeof headings)
        snprintf(headings + length, sizeof headings - length, "|>epochs|>accuracy|>loss");
    cli_table *table = table_open(headings);
    for (int place = 0; place < espl_search_trials(search); place++) {
        const int trial = espl_search_ranked(search, place);
        const espl_trial *t = espl_search_trial(search, trial);
        table_cell(table, "%d", trial + 1);
        for (int v = 0; v < values; v++)
            table_cell(table, "%s", espl_search_text(search, trial, v));
        table_cell(table, "%s", figure_count(t->epochs).text);
        table_cell(table, "%s", t->diverged ? "diverged" : figure_percent(t->top1).text);
        table_cell(table, "%s", t->diverged ? "" : figure_loss(t->loss).text);
    }
    table_close(table, stdout);
}

/* The command that trains with the best values, also on what was held out for choosing. */
static void show_next(const espl_search *search, const char *recipe, const recipe_options *given)
{
    const int best = espl_search_ranked(search, 0);
    char *word = shell_word(recipe), setting[1024];

    printf("\n%sNext%s\n  espalier train %s --set search=", terminal_bold(stdout), terminal_plain(stdout), word);
    free(word);
    for (int i = 0; i < given->set.count; i++) {
        if (strncmp(given->set.item[i], "search", 6) == 0)
            continue;
        word = shell_word(given->set.item[i]);
        printf(" --set %s", word);
        free(word);
    }
    for (int i = 0; i < given->with.count; i++) {
        word = shell_word(given->with.item[i]);
        printf(" --with %s", word);
        free(word);
    }
    for (int v = 0; v < espl_search_values(search); v++) {
        snprintf(setting, sizeof setting, "%s=%s", espl_search_path(search, v), espl_search_text(search, best, v));
        word = shell_word(setting);
        printf(" --set %s", word);
        free(word);
    }
    putchar('\n');
}

/* One picture for every value whose trials are numbers. */
static espl_status plot(espl_context *ctx, const espl_search *search, bool tell)
{
    char path[2048];

    for (int v = 0; v < espl_search_values(search); v++) {
        snprintf(path, sizeof path, "%s/%s.svg", espl_search_folder(search), espl_search_path(search, v));
        const espl_status status = espl_search_plot(ctx, search, v, path);
        if (status && status != ESPL_BAD_OPTION)
            return status;
        if (!status && tell)
            printf("picture   %s\n", path);
    }
    return ESPL_OK;
}

static espl_status tell(espl_context *ctx, const espl_search *search, const char *recipe, const search_options *o)
{
    if (o->json) {
        for (int place = 0; place < espl_search_trials(search); place++)
            write_trial(search, espl_search_ranked(search, place));
        return plot(ctx, search, false);
    }
    show_trials(search);
    printf("\ntrials    %s\n", espl_search_folder(search));
    const espl_status status = plot(ctx, search, true);
    if (!status && isfinite(espl_search_trial(search, espl_search_ranked(search, 0))->top1))
        show_next(search, recipe, &o->recipe);
    return status;
}

static espl_status search(espl_context *ctx, const search_options *o, const char *recipe, interrupts *signals)
{
    recipe_settings changes;
    espl_search *s = NULL;
    progress p;

    recipe_settings_make(&o->recipe, &changes);
    const espl_search_settings settings = {
        .folder = o->out,
        .set = changes.settings.set,
        .with = changes.settings.with,
        .trials = o->trials,
        .grid = o->grid,
        .keep = o->keep,
    };
    espl_status status = espl_search_open(ctx, recipe, &settings, &s);
    recipe_settings_free(&changes);
    if (status)
        return status;
    progress_begin(&p);
    espl_search_watch(s, watch, &p);
    interrupts_heed(signals, ctx);
    status = espl_search_run(s);
    interrupts_ignore(signals);
    progress_clear(&p);
    if (!status)
        status = tell(ctx, s, recipe, o);
    espl_search_free(s);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const search_options *o = given;
    espl_context *ctx = NULL;

    if (o->trials && o->grid) {
        cli_complain("search: --trials draws at random and --grid takes every combination: give one of them");
        return CLI_WRONG_USE;
    }
    interrupts *signals = interrupts_open();
    int code = session_open(&o->recipe.machine, NULL, &ctx);
    if (!code)
        code = session_report(ctx, search(ctx, o, words->item[0], signals));
    espl_context_free(ctx);
    interrupts_close(signals);
    return code;
}

const cli_command cli_command_search = {
    .name = "search",
    .summary = "find values for a recipe by trials",
    .description =
        "Trains a recipe with other values in every trial: those of its line `search`, a map from options to lists or "
        "ranges, such as search: {rate: log 1e-3..1, decay: [1e-4, 5e-4]}. Ranges with log are looked through evenly in "
        "their logarithm; ranges between whole numbers give whole numbers.\n\n"
        "All trials begin with a share of the epochs; after each round one of three goes on, until the rest has been "
        "trained to the end. Trials are compared by their accuracy on held-out data, which is taken from the training "
        "data, so that a test set stays one. The same seed gives the same trials, and a stopped search goes on when the "
        "command is given again.",
    .examples = "  espalier search recipe.yaml\n"
                "  espalier search recipe.yaml --set 'search={rate: log 1e-3..1, decay: [1e-4, 5e-4]}' --trials 30\n"
                "  espalier search recipe.yaml --grid 5 --keep-one-of 1 --json",
    .size = sizeof(search_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
