/* From options to the overrides of a recipe. */
#include "recipe_options.h"

#include <inttypes.h>
#include <stdlib.h>

void recipe_settings_make(const recipe_options *options, recipe_settings *result)
{
    int count = 0;

    *result = (recipe_settings){ .settings.with = options->with.item };
    result->set = cli_allocate((size_t)options->set.count + 2, sizeof *result->set);
    for (; count < options->set.count; count++)
        result->set[count] = options->set.item[count];
    if (options->machine.seed.given) {
        snprintf(result->seed, sizeof result->seed, "seed=%" PRId64, options->machine.seed.value);
        result->set[count] = result->seed;
    }
    result->settings.set = result->set;
}

void recipe_settings_free(recipe_settings *settings)
{
    free(settings->set);
}
