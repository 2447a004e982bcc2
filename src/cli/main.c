/* The program: finds the command, reads its options, runs it and sees that what it wrote has arrived. */
#include "cli.h"
#include "cli_help.h"
#include "nearest_name.h"
#include "terminal.h"

#include <espalier/base.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLI_COMMAND(name) extern const cli_command cli_command_##name;
#include "commands.def"
#undef CLI_COMMAND

static const cli_command *const commands[] = {
#define CLI_COMMAND(name) &cli_command_##name,
#include "commands.def"
#undef CLI_COMMAND
    NULL
};

const cli_command *cli_command_at(int index)
{
    return index < (int)(sizeof commands / sizeof commands[0]) ? commands[index] : NULL;
}

const cli_command *cli_command_named(const char *name)
{
    for (int i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

void cli_complain(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%sespalier: %s", terminal_red(stderr), terminal_plain(stderr));
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void *cli_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory) {
        cli_complain("not enough memory for %zu items of %zu bytes", count, size);
        exit(CLI_COULD_NOT);
    }
    return memory;
}

char *cli_copy(const char *text)
{
    return strcpy(cli_allocate(strlen(text) + 1, 1), text);
}

/* A file opened later must not become stdin, stdout or stderr because somebody closed those. */
static void fill_standard_files(void)
{
    for (int file = open("/dev/null", O_RDWR); file >= 0 && file <= STDERR_FILENO; file = open("/dev/null", O_RDWR))
        if (file == STDERR_FILENO)
            return;
}

/* Has the reader of a pipe gone? */
static bool reader_has_gone(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* Were the results written? Who closes the pipe early has read enough: that is no failure. */
static int finish(int code)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_has_gone())
        return code;
    cli_complain("the results cannot be written: %s", errno ? strerror(errno) : "an earlier write failed");
    return code ? code : CLI_COULD_NOT;
}

static int run(const cli_command *command, int count, char **argv)
{
    void *options = cli_allocate(1, command->size);
    cli_words words = { 0 };
    int code = cli_parse(command, count, argv, options, &words);

    if (code < 0)
        code = command->run(options, &words);
    cli_parse_free(command, options, &words);
    free(options);
    return code;
}

static int complain_option(const char *name)
{
    cli_nearest nearest = { .wanted = name };

    cli_nearest_offer(&nearest, "--help");
    cli_nearest_offer(&nearest, "--version");
    if (nearest.name)
        cli_complain("there is no option %s; did you mean %s?", name, nearest.name);
    else
        cli_complain("there is no option %s in front of the command; \"espalier --help\" tells more", name);
    return CLI_WRONG_USE;
}

static int complain_command(const char *name)
{
    cli_nearest nearest = { .wanted = name };

    for (int i = 0; commands[i]; i++)
        cli_nearest_offer(&nearest, commands[i]->name);
    if (nearest.name)
        cli_complain("there is no command \"%s\"; did you mean %s?", name, nearest.name);
    else
        cli_complain("there is no command \"%s\"; \"espalier --help\" shows those there are", name);
    return CLI_WRONG_USE;
}

static int begin(int count, char **argv)
{
    if (count < 2) {
        cli_help_program(stderr);
        return CLI_WRONG_USE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_help_program(stdout);
        return CLI_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("espalier %s\n", espl_version());
        return CLI_DONE;
    }
    if (argv[1][0] == '-')
        return complain_option(argv[1]);
    const cli_command *command = cli_command_named(argv[1]);
    return command ? run(command, count - 2, argv + 2) : complain_command(argv[1]);
}

int main(int count, char **argv)
{
    fill_standard_files();
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "");
    return finish(begin(count, argv));
}
