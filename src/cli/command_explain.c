/* espalier explain: what a recipe will do - every default written out, and who acts when. */
#include "json_line.h"
#include "recipe_options.h"
#include "session.h"
#include "terminal.h"

#include <espalier/run.h>

#include <string.h>

typedef struct explain_options {
    bool json;
    recipe_options recipe;
} explain_options;

static const cli_option options[] = {
    RECIPE_OPTIONS(explain_options, recipe),
    CLI_JSON_OPTION(explain_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RECIPE", CLI_ONE, "a recipe in YAML" },
    CLI_ARGUMENTS_END
};

/* "step begin: schedule-cosine, prune-weights" as { moment, acts: [..] } */
static json_t *moments_as_json(const char *text)
{
    json_t *all = json_array();

    while (*text) {
        const size_t length = strcspn(text, "\n"), name = strcspn(text, ":\n");
        char moment[64], acts[1024];
        json_t *one = json_object();
        snprintf(moment, sizeof moment, "%.*s", (int)name, text);
        snprintf(acts, sizeof acts, "%.*s", (int)(length - name), text + name);
        json_put_text(one, "moment", moment);
        json_t *names = json_array();
        for (const char *a = acts + strspn(acts, ":, "); *a; a += strspn(a, ", ")) {
            json_array_append_new(names, json_stringn(a, strcspn(a, ",")));
            a += strcspn(a, ",");
        }
        json_object_set_new(one, "acts", names);
        json_array_append_new(all, one);
        text += length + (text[length] == '\n');
    }
    return all;
}

static bool ends_line(const char *text)
{
    return *text && text[strlen(text) - 1] == '\n';
}

static void show(const char *recipe, const char *moments, bool json)
{
    if (json) {
        json_t *line = json_object();
        json_put_text(line, "recipe", recipe);
        json_object_set_new(line, "moments", moments_as_json(moments));
        json_write(line);
        return;
    }
    printf("%s# The recipe with every default%s\n%s%s", terminal_bold(stdout), terminal_plain(stdout), recipe,
           ends_line(recipe) ? "" : "\n");
    printf("\n%s# Who acts when%s\n", terminal_bold(stdout), terminal_plain(stdout));
    while (*moments) { /* as comments, so that the whole output is a recipe */
        const size_t length = strcspn(moments, "\n");
        printf("#   %.*s\n", (int)length, moments);
        moments += length + (moments[length] == '\n');
    }
}

static espl_status explain(espl_run *run, bool json)
{
    const char *recipe = NULL, *moments = NULL;
    espl_status status = espl_run_resolved(run, &recipe);

    if (!status)
        status = espl_run_explained(run, &moments);
    if (!status)
        show(recipe, moments, json);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const explain_options *o = given;
    espl_context *ctx = NULL;
    espl_run *r = NULL;
    int code = recipe_options_open(&o->recipe, words->item[0], &ctx, &r);

    if (!code)
        code = session_report(ctx, explain(r, o->json));
    recipe_options_close(ctx, r);
    return code;
}

const cli_command cli_command_explain = {
    .name = "explain",
    .summary = "show what a recipe will do, every default written out",
    .description = "Reads a recipe, its net and its data, trains nothing, and shows the recipe with every "
                   "default written out and, moment by moment, which techniques act. What it prints is "
                   "itself a recipe.",
    .examples = "  espalier explain recipe.yaml\n"
                "  espalier explain recipe.yaml --with 'prune-weights: {sparsity: 0.9}'",
    .size = sizeof(explain_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
