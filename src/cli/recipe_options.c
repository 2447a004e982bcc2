/* From options to the overrides of a recipe. */
#include "recipe_options.h"

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
