/* From options to the overrides of a recipe. */
#include "recipe_options.h"
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>

void recipe_settings_make(const recipe_options *options, recipe_settings *result)
{
    int count = 0;

    *result = (recipe_settings){ .settings.with = options->with.item };
    result->set = cli_allocate((size_t)options->set.count + RECIPE_MORE_MAX + 2, sizeof *result->set);
    for (; count < options->set.count; count++)
        result->set[count] = options->set.item[count];
    if (options->machine.seed.given) {
        snprintf(result->seed, sizeof result->seed, "seed=%" PRId64, options->machine.seed.value);
        result->set[count] = result->seed;
    }
    result->settings.set = result->set;
    result->count = count + options->machine.seed.given;
}

void recipe_settings_add(recipe_settings *settings, const char *key, int64_t value)
{
    char *text = settings->more[settings->more_count++];

    snprintf(text, sizeof settings->more[0], "%s=%" PRId64, key, value);
    settings->set[settings->count++] = text;
}

void recipe_settings_free(recipe_settings *settings)
{
    free(settings->set);
}

int recipe_options_open(const recipe_options *options, const char *recipe, espl_context **ctx, espl_run **run)
{
    const int code = session_open(&options->machine, NULL, ctx);
    recipe_settings changes;

    *run = NULL;
    if (code)
        return code;
    recipe_settings_make(options, &changes);
    const espl_status status = espl_run_load(*ctx, recipe, &changes.settings, run);
    recipe_settings_free(&changes);
    return session_report(*ctx, status);
}

void recipe_options_close(espl_context *ctx, espl_run *run)
{
    espl_run_free(run);
    espl_context_free(ctx);
}
