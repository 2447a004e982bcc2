/* espalier help: the help of the program or of one command, also as a man page; shell completion. */
#include "cli_help.h"
#include "nearest_name.h"

typedef struct help_options {
    bool man, completion;
} help_options;

static const cli_option options[] = {
    { "man", 0, CLI_FLAG, offsetof(help_options, man), NULL, 0, 0, "write it as a man page" },
    { "completion", 0, CLI_FLAG, offsetof(help_options, completion), NULL, 0, 0,
      "write the completion of commands and options for bash instead" },
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "COMMAND", CLI_AT_MOST_ONE, "the command to tell about; without it, the whole program" },
    CLI_ARGUMENTS_END
};

static int complain_unknown(const char *name)
{
    cli_nearest nearest = { .wanted = name };

    for (int i = 0; cli_command_at(i); i++)
        cli_nearest_offer(&nearest, cli_command_at(i)->name);
    if (nearest.name)
        cli_complain("help: there is no command \"%s\"; did you mean %s?", name, nearest.name);
    else
        cli_complain("help: there is no command \"%s\"; \"espalier help\" shows those there are", name);
    return CLI_WRONG_USE;
}

static int run(const void *given, const cli_words *words)
{
    const help_options *o = given;
    const cli_command *command = words->count ? cli_command_named(words->item[0]) : NULL;

    if (words->count && !command)
        return complain_unknown(words->item[0]);
    if (o->completion)
        cli_completion_bash(stdout);
    else if (o->man && command)
        cli_man_command(command, stdout);
    else if (o->man)
        cli_man_program(stdout);
    else if (command)
        cli_help_command(command, stdout);
    else
        cli_help_program(stdout);
    return CLI_DONE;
}

const cli_command cli_command_help = {
    .name = "help",
    .summary = "show help, for the program or for one command",
    .description = "Shows what the program or one command does and which options it has. The man pages "
                   "and the completion for bash are made by this command when espalier is built.",
    .examples = "  espalier help train\n"
                "  espalier help --man train | man -l -\n"
                "  source <(espalier help --completion)",
    .size = sizeof(help_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
