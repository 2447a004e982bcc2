/* espalier help: the help of the program or of one command, also as a man page; shell completion. */
#include "cli_help.h"
#include "json_line.h"
#include "nearest_name.h"

typedef struct help_options {
    bool man, completion, json;
} help_options;

static const cli_option options[] = {
    { "man", 0, CLI_FLAG, offsetof(help_options, man), NULL, 0, 0, "write it as a man page" },
    { "completion", 0, CLI_FLAG, offsetof(help_options, completion), NULL, 0, 0,
      "write the completion of commands and options for bash instead" },
    CLI_JSON_OPTION(help_options, json),
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

static json_t *options_as_json(const cli_command *command)
{
    static const char *const types[] = { "flag", "count", "count", "real", "text", "texts", "choice" };
    json_t *all = json_array();

    for (const cli_option *o = command->options; o->name; o++) {
        json_t *one = json_object();
        json_put_text(one, "name", o->name);
        json_put_text(one, "type", types[o->type]);
        json_put_text(one, "value", o->value);
        json_put_text(one, "help", o->help);
        json_array_append_new(all, one);
    }
    return all;
}

static void write_json(const cli_command *command)
{
    json_t *line = json_object(), *all = json_array();

    json_put_text(line, "command", command->name);
    json_put_text(line, "summary", command->summary);
    for (const cli_argument *a = command->arguments; a->name; a++) {
        json_t *one = json_object();
        json_put_text(one, "name", a->name);
        json_put_text(one, "help", a->help);
        json_array_append_new(all, one);
    }
    json_object_set_new(line, "arguments", all);
    json_object_set_new(line, "options", options_as_json(command));
    json_write(line);
}

static int run(const void *given, const cli_words *words)
{
    const help_options *o = given;
    const cli_command *command = words->count ? cli_command_named(words->item[0]) : NULL;

    if (words->count && !command)
        return complain_unknown(words->item[0]);
    if (o->json && command)
        write_json(command);
    else if (o->json)
        for (int i = 0; cli_command_at(i); i++)
            write_json(cli_command_at(i));
    else if (o->completion)
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
