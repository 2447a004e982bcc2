/* The options of commands that read a recipe. */
#ifndef ESPL_RECIPE_OPTIONS_H
#define ESPL_RECIPE_OPTIONS_H

#include "cli.h"

#include <espalier/run.h>

typedef struct recipe_options {
    cli_words set, with;
    cli_machine machine;
} recipe_options;

/* clang-format off */
#define RECIPE_OPTIONS(holder, field)                                                               \
    { "set", 0, CLI_WORDS, offsetof(holder, field) + offsetof(recipe_options, set), "KEY=VALUE", 0, 0,  \
      "change one value of the recipe, such as epochs=3 or optimizer.sgd.rate=0.1; may be given again" }, \
    { "with", 0, CLI_WORDS, offsetof(holder, field) + offsetof(recipe_options, with), "TECHNIQUE", 0, 0, \
      "add a technique, such as 'average-ema: {decay: 0.999}'; may be given again" },               \
    CLI_SEED_OPTION(holder, field.machine)
/* clang-format on */

#define RECIPE_MORE_MAX 2

/* The recipe's overrides, --seed among them: lists that recipe_settings_free ends. */
typedef struct recipe_settings {
    espl_run_settings settings;
    const char **set;
    char seed[32], more[RECIPE_MORE_MAX][32];
    int count, more_count;
} recipe_settings;
void recipe_settings_make(const recipe_options *options, recipe_settings *result);
/* One more, RECIPE_MORE_MAX at most; it overrides those before it. */
void recipe_settings_add(recipe_settings *settings, const char *key, int64_t value);
void recipe_settings_free(recipe_settings *settings);

/* A context and the recipe's run in it. Returns an exit code, having said why if it is not CLI_DONE; what there is
 * must be closed in either case. */
int recipe_options_open(const recipe_options *options, const char *recipe, espl_context **ctx, espl_run **run);
void recipe_options_close(espl_context *ctx, espl_run *run); /* takes NULL */

#endif
