/* Tables of options and arguments, and the parser that fills a command's struct from them. */
#ifndef ESPL_CLI_OPTIONS_H
#define ESPL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLI_PRINTF(text, first)
#endif

/* Words as they were given, with a NULL behind the last. `item` is NULL if there is none. */
typedef struct cli_words {
    int count;
    const char **item;
} cli_words;

/* A number for which zero is not the same as nothing. */
typedef struct cli_given {
    int64_t value;
    bool given;
} cli_given;

typedef enum cli_type {
    CLI_FLAG,  /* bool */
    CLI_COUNT, /* int64_t */
    CLI_GIVEN, /* cli_given */
    CLI_REAL,  /* double */
    CLI_TEXT,  /* const char * */
    CLI_WORDS, /* cli_words: may be given again and again */
    CLI_CHOICE /* int, the index within "one|two|three" */
} cli_type;

typedef struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* for -o, or 0 */
    cli_type type;
    size_t offset;
    const char *value; /* what help calls the value; of a choice: the choices, "one|two" */
    double low, high;  /* of a count or real, both ends included */
    const char *help;  /* what it does, and what happens without it */
} cli_option;

/* clang-format off */
#define CLI_OPTIONS_END { NULL, 0, CLI_FLAG, 0, NULL, 0, 0, NULL }
/* clang-format on */

typedef enum cli_many { CLI_ONE,
                        CLI_AT_MOST_ONE,
                        CLI_ONE_OR_MORE } cli_many;

typedef struct cli_argument {
    const char *name; /* "NET" */
    cli_many many;    /* only the last argument may be something else than CLI_ONE */
    const char *help;
} cli_argument;

/* clang-format off */
#define CLI_ARGUMENTS_END { NULL, CLI_ONE, NULL }
/* clang-format on */

/* ---- options that several commands have ---- */

/* How the library works here: the threads and the seed of a context. */
typedef struct cli_machine {
    int64_t threads;
    bool oversubscribe;
    cli_given seed;
} cli_machine;

#define CLI_THREADS_MAX 256
/* clang-format off */
#define CLI__WITHIN(holder, field, member) (offsetof(holder, field) + offsetof(cli_machine, member))
#define CLI_MACHINE_OPTIONS(holder, field)                                                          \
    { "threads", 'j', CLI_COUNT, CLI__WITHIN(holder, field, threads), "N", 1, CLI_THREADS_MAX,      \
      "work with N threads; without it, one for each processor" },                                  \
    { "oversubscribe", 0, CLI_FLAG, CLI__WITHIN(holder, field, oversubscribe), NULL, 0, 0,          \
      "allow more threads than processors" }
#define CLI_SEED_OPTION(holder, field)                                                              \
    { "seed", 0, CLI_GIVEN, CLI__WITHIN(holder, field, seed), "N", 0, 9e18,                         \
      "seed of every random draw; without it, the recipe's, or 0" }
#define CLI_PRECISION_OPTION(holder, field)                                                         \
    { "precision", 0, CLI_CHOICE, offsetof(holder, field), "f32|bf16", 0, 0,                        \
      "what activations are kept and multiplied in; without it, f32" }
#define CLI_VIEWS_OPTION(holder, field)                                                             \
    { "views", 0, CLI_COUNT, offsetof(holder, field), "N", 1, 10,                                   \
      "take the mean over N views of each picture: 2, its mirror image too, or 10, both also moved by an eighth " \
      "in four directions; without it, 1" }
#define CLI_JSON_OPTION(holder, field)                                                              \
    { "json", 0, CLI_FLAG, offsetof(holder, field), NULL, 0, 0,                                     \
      "write results as JSON, one object a line" }
/* clang-format on */

/* ---- the parser ---- */

struct cli_command;

/* Fills `options` (zeros at first) and `words` from argv[0..count-1]. Returns -1 if the command may
 * run, else the exit code: after --help, or after a sentence about what is wrong. */
int cli_parse(const struct cli_command *command, int count, char **argv, void *options, cli_words *words);
/* Releases the lists in both. */
void cli_parse_free(const struct cli_command *command, void *options, cli_words *words);

#endif
