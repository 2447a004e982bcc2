/* The tables of a command written out: as help on the screen, as a man page, for shell completion. */
#ifndef ESPL_CLI_HELP_H
#define ESPL_CLI_HELP_H

#include "cli.h"

void cli_help_program(FILE *out);
void cli_help_command(const cli_command *command, FILE *out);
/* One of the rows of "exit codes", in order; false past the end. */
bool cli_exit_code_at(int index, int *code, const char **meaning);
/* "--out DIR", "-o, --out DIR" */
void cli_option_heading(const cli_option *option, char *text, size_t size);
/* "train [options] RECIPE" */
void cli_synopsis(const cli_command *command, char *text, size_t size);

void cli_man_program(FILE *out);
void cli_man_command(const cli_command *command, FILE *out);
void cli_completion_bash(FILE *out);

#endif
