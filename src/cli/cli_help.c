/* Help on the screen, wrapped to its width. */
#include "cli_help.h"
#include "terminal.h"

#include <string.h>

#define COLUMN 24 /* where the right-hand texts begin */

static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    { CLI_DONE, "done" },
    { CLI_COULD_NOT, "it could not be done; the sentence on stderr says why" },
    { CLI_WRONG_USE, "wrong use of the command line, or a mistake in a recipe" },
    { CLI_BAD_INPUT, "an input file is missing or broken" },
    { CLI_INTERRUPTED, "interrupted; what was done so far is saved" },
};

bool cli_exit_code_at(int index, int *code, const char **meaning)
{
    if (index >= (int)(sizeof exit_codes / sizeof exit_codes[0]))
        return false;
    *code = exit_codes[index].code;
    *meaning = exit_codes[index].meaning;
    return true;
}

/* Prints `text` from the current column on, broken between words, further lines indented. */
static void wrap(FILE *out, const char *text, int column, int indent, int width)
{
    while (*text) {
        const int length = (int)strcspn(text, " \n");
        if (column + length > width && column > indent) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        fwrite(text, 1, (size_t)length, out);
        column += length;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "");
            column = indent;
            text++;
        } else if (*text == ' ') {
            const bool fits = column + 1 + (int)strcspn(text + 1, " \n") <= width;
            if (fits)
                fputc(' ', out);
            column += fits ? 1 : width;
            text++;
        }
    }
    fputc('\n', out);
}

/* A heading in the left column, its text in the right one or, on a narrow screen, below. */
static void row(FILE *out, const char *heading, const char *text, int width)
{
    const bool narrow = width < 60;
    const int column = narrow ? 8 : COLUMN, length = (int)strlen(heading) + 2;

    fprintf(out, "  %s%s%s", terminal_bold(out), heading, terminal_plain(out));
    if (length + 1 > column || narrow)
        fprintf(out, "\n%*s", column, "");
    else
        fprintf(out, "%*s", column - length, "");
    wrap(out, text, column, column, width);
}

static void title(FILE *out, const char *text)
{
    fprintf(out, "\n%s%s%s\n", terminal_bold(out), text, terminal_plain(out));
}

void cli_option_heading(const cli_option *option, char *text, size_t size)
{
    char letter[8] = "";

    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
}

void cli_synopsis(const cli_command *command, char *text, size_t size)
{
    int used = snprintf(text, size, "%s", command->name);

    for (const cli_argument *a = command->arguments; a->name && used < (int)size; a++)
        used += snprintf(text + used, size - (size_t)used, a->many == CLI_AT_MOST_ONE ? " [%s]" : " %s%s", a->name,
                         a->many == CLI_ONE_OR_MORE ? "..." : "");
    if (used < (int)size)
        snprintf(text + used, size - (size_t)used, " [options]");
}

void cli_help_command(const cli_command *command, FILE *out)
{
    const int width = terminal_width(out);
    char text[256];

    cli_synopsis(command, text, sizeof text);
    fprintf(out, "%sespalier %s%s\n\n", terminal_bold(out), text, terminal_plain(out));
    wrap(out, command->description, 0, 0, width);
    if (command->arguments->name)
        title(out, "Arguments");
    for (const cli_argument *a = command->arguments; a->name; a++)
        row(out, a->name, a->help, width);
    title(out, "Options");
    for (const cli_option *o = command->options; o->name; o++) {
        cli_option_heading(o, text, sizeof text);
        row(out, text, o->help, width);
    }
    row(out, "-h, --help", "show this help", width);
    if (command->examples) {
        title(out, "Examples");
        fprintf(out, "%s\n", command->examples);
    }
}

void cli_help_program(FILE *out)
{
    const int width = terminal_width(out);
    const char *meaning;

    fprintf(out, "%sespalier COMMAND [arguments] [options]%s\n\n", terminal_bold(out), terminal_plain(out));
    wrap(out, "Trains, adapts and ships neural networks on ordinary CPUs.", 0, 0, width);
    title(out, "Commands");
    for (int i = 0; cli_command_at(i); i++)
        row(out, cli_command_at(i)->name, cli_command_at(i)->summary, width);
    title(out, "Options");
    row(out, "-h, --help", "show this help; after a command, the help of that command", width);
    row(out, "--version", "show the version", width);
    title(out, "Exit codes");
    for (int i = 0, code; cli_exit_code_at(i, &code, &meaning); i++) {
        char heading[16];
        snprintf(heading, sizeof heading, "%d", code);
        row(out, heading, meaning, width);
    }
    fputc('\n', out);
    wrap(out, "Every command has a man page as well: man espalier-train.", 0, 0, width);
}
