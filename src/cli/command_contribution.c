/* espalier contribution: what each part of a trained net gives to a task. */
#include "cli_text.h"
#include "interrupts.h"
#include "json_line.h"
#include "progress.h"
#include "recipe_options.h"
#include "session.h"

#include <espalier/contribution.h>

#include <math.h>
#include <string.h>

typedef struct contribution_options {
    const char *out;
    int64_t groups;
    double rate;
    int only;
    bool json;
    recipe_options recipe;
} contribution_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(contribution_options, out), "DIR", 0, 0,
      "keep the trainings in DIR; without it, in runs/ under the recipe's name and \"-contribution\"" },
    { "groups", 'g', CLI_COUNT, offsetof(contribution_options, groups), "N", 1, ESPL_CONTRIBUTION_GROUPS_MAX,
      "cut the layers in N groups by depth, the head among them; without it, up to 4" },
    { "only", 0, CLI_CHOICE, offsetof(contribution_options, only), "all|cuts|probes|resets", 0, 0,
      "measure one of the three; without it, all" },
    { "copied-rate", 0, CLI_REAL, offsetof(contribution_options, rate), "F", 1e-9, 1000,
      "where copied layers train on, multiply their rate by F; without it, 0.1" },
    RECIPE_OPTIONS(contribution_options, recipe),
    CLI_MACHINE_OPTIONS(contribution_options, recipe.machine),
    CLI_JSON_OPTION(contribution_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RECIPE", CLI_ONE, "a recipe in YAML whose net is a trained one" },
    CLI_ARGUMENTS_END
};

static void watch(void *user, const espl_news *news)
{
    progress_training(user, news, "net ");
}

/* ---- what came out ---- */

static void write_json(const espl_contribution *c, const char *picture, const char *page)
{
    json_t *line;

    for (int n = 0; n <= c->groups; n++) {
        const espl_contribution_cut *cut = &c->cut[n];
        line = json_object();
        json_put_text(line, "event", "cut");
        json_put_count(line, "copied", n);
        json_put_text(line, "layer", *cut->layer ? cut->layer : NULL);
        json_put_count(line, "parameters", cut->parameters);
        json_put_real(line, "frozen", cut->frozen);
        json_put_real(line, "trained", cut->trained);
        json_put_real(line, "probe", cut->probe);
        json_put_real(line, "reset", cut->reset);
        json_write(line);
    }
    line = json_object();
    json_put_text(line, "event", "done");
    json_put_count(line, "groups", c->groups);
    json_put_real(line, "whole", c->whole);
    json_put_count(line, "held_out", c->held_out);
    json_put_text(line, "folder", c->folder);
    json_put_text(line, "picture", picture);
    json_put_text(line, "page", page);
    json_write(line);
}

static void put_share(cli_table *table, double share)
{
    table_cell(table, "%s", isfinite(share) ? figure_percent(share).text : "");
}

static void show(const espl_contribution *c, const char *picture, const char *page)
{
    cli_table *table = table_open(">copied|up to layer|>its group|>frozen|>trained on|>linear|>group anew");

    for (int n = 0; n <= c->groups; n++) {
        const espl_contribution_cut *cut = &c->cut[n];
        table_cell(table, "%d", n);
        table_cell(table, "%s", *cut->layer ? cut->layer : "none");
        table_cell(table, "%s", n ? figure_count(cut->parameters).text : "");
        put_share(table, cut->frozen);
        put_share(table, cut->trained);
        put_share(table, cut->probe);
        put_share(table, cut->reset);
    }
    table_close(table, stdout);
    printf("\naccuracy  on %s held-out samples", figure_count(c->held_out).text);
    if (isfinite(c->whole))
        printf("; the net in which a group is drawn anew has %s", figure_percent(c->whole).text);
    printf("\ntrainings %s\npicture   %s\npage      %s\n", c->folder, picture, page);
}

static espl_status find(espl_context *ctx, const contribution_options *o, const char *recipe, interrupts *signals,
                        espl_contribution *result)
{
    static const int measures[] = { 0, ESPL_CONTRIBUTION_CUTS, ESPL_CONTRIBUTION_PROBES, ESPL_CONTRIBUTION_RESETS };
    recipe_settings changes;
    progress p;

    recipe_settings_make(&o->recipe, &changes);
    progress_begin(&p);
    const espl_contribution_settings settings = {
        .folder = o->out,
        .set = changes.settings.set,
        .with = changes.settings.with,
        .groups = (int)o->groups,
        .measures = measures[o->only],
        .rate = o->rate,
        .watch = watch,
        .user = &p,
    };
    interrupts_heed(signals, ctx);
    const espl_status status = espl_contribution_find(ctx, recipe, &settings, result);
    interrupts_ignore(signals);
    progress_clear(&p);
    recipe_settings_free(&changes);
    return status;
}

static espl_status contribution(espl_context *ctx, const contribution_options *o, const char *recipe,
                                interrupts *signals)
{
    espl_contribution result;
    char picture[1100], page[1100];
    espl_status status = find(ctx, o, recipe, signals, &result);

    if (status)
        return status;
    snprintf(picture, sizeof picture, "%s/contribution.svg", result.folder);
    snprintf(page, sizeof page, "%s/report.html", result.folder);
    if ((status = espl_contribution_plot(ctx, &result, picture)) ||
        (status = espl_contribution_report(ctx, &result, page)))
        return status;
    if (o->json)
        write_json(&result, picture, page);
    else
        show(&result, picture, page);
    return ESPL_OK;
}

static int run(const void *given, const cli_words *words)
{
    const contribution_options *o = given;
    espl_context *ctx = NULL;
    interrupts *signals = interrupts_open();
    int code = session_open(&o->recipe.machine, NULL, &ctx);

    if (!code)
        code = session_report(ctx, contribution(ctx, o, words->item[0], signals));
    espl_context_free(ctx);
    interrupts_close(signals);
    return code;
}

const cli_command cli_command_contribution = {
    .name = "contribution",
    .summary = "show what each part of a trained net gives to a task",
    .description =
        "Cuts the layers of a recipe's net in groups by depth and measures, for every cut, what the layers before it "
        "are worth. Cuts: they are copied and frozen, or train on more slowly, while all others are trained from "
        "first values as the recipe says (cut 0 is a training from scratch). Probes: a linear classifier is trained "
        "on the values at the cut. Resets: one group is drawn anew in the trained net, and nothing is trained.\n\n"
        "Every training is a run of the recipe with one technique more, and is kept; the same command goes on when "
        "it was stopped. Layers that are copied from a net for another task show how far its features carry; copied "
        "from a net for the same task they show which layers only work together.",
    .examples = "  espalier contribution recipe.yaml\n"
                "  espalier contribution recipe.yaml --groups 8 --only probes\n"
                "  espalier contribution recipe.yaml --set epochs=5 --json",
    .size = sizeof(contribution_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
