/* Completion for bash, from the same tables: commands first, then the options of the command, the
 * choices of an option, and file names for everything else. */
#include "cli_help.h"

static void choices(FILE *out, const cli_option *option)
{
    fprintf(out, "        *:--%s) words=\"", option->name);
    for (const char *c = option->value; *c; c++)
        fputc(*c == '|' ? ' ' : *c, out);
    fputs("\" ;;\n", out);
}

static void command_words(FILE *out, const cli_command *command)
{
    fprintf(out, "        %s) words=\"--help", command->name);
    for (const cli_option *o = command->options; o->name; o++)
        fprintf(out, " --%s", o->name);
    fputs("\" ;;\n", out);
}

void cli_completion_bash(FILE *out)
{
    fputs("# bash completion for espalier, made by \"espalier help --completion\"\n"
          "_espalier()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W \"--help --version",
          out);
    for (int i = 0; cli_command_at(i); i++)
        fprintf(out, " %s", cli_command_at(i)->name);
    fputs("\" -- \"$word\"))\n        return\n    fi\n"
          "    case $command:${COMP_WORDS[COMP_CWORD - 1]} in\n",
          out);
    for (int i = 0; cli_command_at(i); i++)
        for (const cli_option *o = cli_command_at(i)->options; o->name; o++)
            if (o->type == CLI_CHOICE)
                choices(out, o);
    fputs("    esac\n    if [ -z \"$words\" ] && [ \"${word#-}\" != \"$word\" ]; then\n"
          "        case $command in\n",
          out);
    for (int i = 0; cli_command_at(i); i++)
        command_words(out, cli_command_at(i));
    fputs("        esac\n    fi\n"
          "    [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\ncomplete -o default -F _espalier espalier\n",
          out);
}
