/* Terminals: colours only where somebody looks and nobody asked for none (https://no-color.org). */
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is_live(FILE *stream)
{
    const char *kind = getenv("TERM");

    return isatty(fileno(stream)) && kind && *kind && strcmp(kind, "dumb") != 0;
}

int terminal_width(FILE *stream)
{
    struct winsize size;

    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

bool terminal_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static const char *code(FILE *stream, const char *text)
{
    const char *without = getenv("NO_COLOR");

    return terminal_is_live(stream) && !(without && *without) ? text : "";
}

const char *terminal_bold(FILE *stream)
{
    return code(stream, "\033[1m");
}

const char *terminal_faint(FILE *stream)
{
    return code(stream, "\033[2m");
}

const char *terminal_red(FILE *stream)
{
    return code(stream, "\033[31m");
}

const char *terminal_yellow(FILE *stream)
{
    return code(stream, "\033[33m");
}

const char *terminal_green(FILE *stream)
{
    return code(stream, "\033[32m");
}

const char *terminal_plain(FILE *stream)
{
    return code(stream, "\033[0m");
}
