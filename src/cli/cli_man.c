/* Man pages from the same tables as --help, in the man macros. The build runs "espalier help --man". */
#include "cli_help.h"

#include <espalier/base.h>

#include <ctype.h>
#include <string.h>

/* Text as roff: backslashes and dashes escaped, no line may begin with a control character. */
static void roff(FILE *out, const char *text)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        begins = *text == '\n';
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void paragraphs(FILE *out, const char *text)
{
    for (const char *begin = text; *text;) {
        const char *end = strstr(text, "\n\n");
        const size_t length = end ? (size_t)(end - text) : strlen(text);
        char one[2048];
        snprintf(one, sizeof one, "%.*s", (int)length, text);
        fputs(text == begin ? "" : ".PP\n", out);
        roff(out, one);
        fputc('\n', out);
        text += length;
        text += strspn(text, "\n");
    }
}

static void row(FILE *out, const char *heading, const char *text)
{
    fputs(".TP\n.B ", out);
    roff(out, heading);
    fputc('\n', out);
    roff(out, text);
    fputc('\n', out);
}

static void heading(FILE *out, const char *name, const char *summary)
{
    char upper[64];
    size_t i = 0;

    for (; name[i] && i + 1 < sizeof upper; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    upper[i] = '\0';
    fputs(".TH ", out);
    roff(out, upper);
    fprintf(out, " 1 \"\" \"espalier %s\" \"User Commands\"\n.nh\n.SH NAME\n", espl_version());
    roff(out, name);
    fputs(" \\- ", out);
    roff(out, summary);
    fputc('\n', out);
}

static void exit_codes(FILE *out)
{
    const char *meaning;

    fputs(".SH EXIT STATUS\n", out);
    for (int i = 0, code; cli_exit_code_at(i, &code, &meaning); i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", code);
        row(out, number, meaning);
    }
}

static void see_also(FILE *out, const char *except)
{
    const char *between = "";

    fputs(".SH SEE ALSO\n", out);
    if (except) {
        fputs(".BR espalier (1)", out);
        between = ",\n";
    }
    for (int i = 0; cli_command_at(i); i++)
        if (!except || strcmp(cli_command_at(i)->name, except) != 0) {
            fprintf(out, "%s.BR espalier\\-", between);
            roff(out, cli_command_at(i)->name);
            fputs(" (1)", out);
            between = ",\n";
        }
    fputc('\n', out);
}

static void option_rows(FILE *out, const cli_option *options)
{
    for (const cli_option *o = options; o->name; o++) {
        char text[256];
        cli_option_heading(o, text, sizeof text);
        row(out, text, o->help);
    }
    row(out, "-h, --help", "show a short help");
}

void cli_man_command(const cli_command *command, FILE *out)
{
    char text[256];

    snprintf(text, sizeof text, "espalier-%s", command->name);
    heading(out, text, command->summary);
    cli_synopsis(command, text, sizeof text);
    fputs(".SH SYNOPSIS\n.B espalier\n", out);
    roff(out, text);
    fputs("\n.SH DESCRIPTION\n", out);
    paragraphs(out, command->description);
    if (command->arguments->name)
        fputs(".SH ARGUMENTS\n", out);
    for (const cli_argument *a = command->arguments; a->name; a++)
        row(out, a->name, a->help);
    fputs(".SH OPTIONS\n", out);
    option_rows(out, command->options);
    if (command->examples) {
        fputs(".SH EXAMPLES\n.nf\n", out);
        roff(out, command->examples);
        fputs("\n.fi\n", out);
    }
    exit_codes(out);
    see_also(out, command->name);
}

void cli_man_program(FILE *out)
{
    heading(out, "espalier", "train, adapt and ship neural networks on ordinary CPUs");
    fputs(".SH SYNOPSIS\n.B espalier\nCOMMAND [arguments] [options]\n.SH DESCRIPTION\n", out);
    paragraphs(out, "Espalier trains neural networks from recipes, measures them, and says what is in "
                    "pictures, on the processor alone. A recipe is a YAML file that names a net, data, an "
                    "optimizer and techniques. A net is one safetensors file.\n\nResults go to standard "
                    "output, everything else to standard error. With --json every command writes one JSON "
                    "object a line.");
    fputs(".SH COMMANDS\n", out);
    for (int i = 0; cli_command_at(i); i++)
        row(out, cli_command_at(i)->name, cli_command_at(i)->summary);
    fputs(".SH OPTIONS\n", out);
    row(out, "-h, --help", "show a short help; after a command, the help of that command");
    row(out, "--version", "show the version");
    exit_codes(out);
    fputs(".SH ENVIRONMENT\n", out);
    row(out, "NO_COLOR", "if it is set and not empty, nothing is coloured");
    see_also(out, NULL);
}
