/* What a command is, and what all commands share. A command is one file and one line in commands.def;
 * its tables are the only description of it: parsing, --help, the man page and shell completion are
 * all made from them. Commands use nothing of the library but its public headers. */
#ifndef ESPL_CLI_H
#define ESPL_CLI_H

#include "cli_options.h"

#include <stdio.h>

enum {
    CLI_DONE = 0,
    CLI_COULD_NOT = 1,
    CLI_WRONG_USE = 2, /* of the command line or in a recipe */
    CLI_BAD_INPUT = 3, /* a file that is missing or broken */
    CLI_INTERRUPTED = 130
};

typedef struct cli_command {
    const char *name;
    const char *summary;     /* one line, begins with a verb */
    const char *description; /* paragraphs, an empty line between */
    const char *examples;    /* lines, each "command  # what it does"; NULL: none */
    size_t size;             /* of its options, which begin as zeros */
    const cli_option *options;
    const cli_argument *arguments;
    int (*run)(const void *options, const cli_words *words); /* returns an exit code */
} cli_command;

const cli_command *cli_command_at(int index);           /* commands.def in order, NULL past the end */
const cli_command *cli_command_named(const char *name); /* NULL: there is none */

/* Writes "espalier: ", the sentence and a newline to stderr. */
void cli_complain(const char *format, ...) CLI_PRINTF(1, 2);

/* calloc that ends the program with a sentence when memory is gone; for small things only. */
void *cli_allocate(size_t count, size_t size);
char *cli_copy(const char *text);

#endif
