/* The parser: options anywhere on the line as --name value, --name=value or -n value; "--" ends them.
 * Every complaint names the command, the option, what was given and what was expected. */
#include "cli.h"
#include "cli_help.h"
#include "nearest_name.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One line being read. */
typedef struct line {
    const cli_command *command;
    char **argv;
    int count, at;
    char *options;
    cli_words *words;
} line;

static const cli_option *option_named(const cli_command *command, const char *name, size_t length)
{
    for (const cli_option *o = command->options; o->name; o++)
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static const cli_option *option_lettered(const cli_command *command, char letter)
{
    for (const cli_option *o = command->options; o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

static int complain_unknown(const cli_command *command, const char *given, size_t length)
{
    char name[64];
    cli_nearest nearest = { .wanted = name };

    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), given);
    for (const cli_option *o = command->options; o->name; o++)
        cli_nearest_offer(&nearest, o->name);
    cli_nearest_offer(&nearest, "help");
    if (nearest.name)
        cli_complain("%s: there is no option --%s; did you mean --%s?", command->name, name, nearest.name);
    else
        cli_complain("%s: there is no option --%s; \"espalier %s --help\" shows those there are",
                     command->name, name, command->name);
    return CLI_WRONG_USE;
}

static void add_word(cli_words *words, int most, const char *word)
{
    if (!words->item)
        words->item = cli_allocate((size_t)most + 1, sizeof *words->item);
    words->item[words->count++] = word;
}

/* A whole number with nothing behind it. */
static bool read_count(const char *text, int64_t *value)
{
    char *end = NULL;

    errno = 0;
    const long long number = strtoll(text, &end, 10);
    *value = number;
    return end != text && !*end && !errno;
}

static bool read_real(const char *text, double *value)
{
    char *end = NULL;

    *value = strtod(text, &end);
    return end != text && !*end && isfinite(*value);
}

static bool within(const cli_option *option, double value)
{
    return value >= option->low && value <= option->high;
}

static bool read_choice(const char *choices, const char *text, int *value)
{
    const size_t length = strlen(text);
    int index = 0;

    for (const char *c = choices; c; index++) {
        const char *bar = strchr(c, '|');
        const size_t size = bar ? (size_t)(bar - c) : strlen(c);
        if (size == length && strncmp(c, text, size) == 0) {
            *value = index;
            return true;
        }
        c = bar ? bar + 1 : NULL;
    }
    return false;
}

/* "one|two|three" as "one or two or three" */
static void spell_choices(const char *choices, char *text, size_t size)
{
    size_t used = 0;

    for (const char *c = choices; *c && used + 5 < size; c++)
        if (*c == '|')
            used += (size_t)snprintf(text + used, size - used, " or ");
        else
            text[used++] = *c;
    text[used] = '\0';
}

static int complain_value(const line *l, const cli_option *option, const char *given)
{
    char expected[128];

    if (option->type == CLI_CHOICE)
        spell_choices(option->value, expected, sizeof expected);
    else if (option->high < 1e15)
        snprintf(expected, sizeof expected, "a %snumber from %g to %g", option->type == CLI_REAL ? "" : "whole ",
                 option->low, option->high);
    else
        snprintf(expected, sizeof expected, "a %snumber, %g or more", option->type == CLI_REAL ? "" : "whole ",
                 option->low);
    cli_complain("%s: --%s wants %s, not \"%s\"", l->command->name, option->name, expected, given);
    return CLI_WRONG_USE;
}

static int store(const line *l, const cli_option *option, const char *text)
{
    void *place = l->options + option->offset;
    bool good = true;

    switch (option->type) {
    case CLI_FLAG: /* set_flag */
        break;
    case CLI_COUNT:
        good = read_count(text, place) && within(option, (double)*(int64_t *)place);
        break;
    case CLI_GIVEN:
        good = read_count(text, &((cli_given *)place)->value) && within(option, (double)((cli_given *)place)->value);
        ((cli_given *)place)->given = true;
        break;
    case CLI_REAL:
        good = read_real(text, place) && within(option, *(double *)place);
        break;
    case CLI_TEXT:
        *(const char **)place = text;
        break;
    case CLI_WORDS:
        add_word(place, l->count, text);
        break;
    case CLI_CHOICE:
        good = read_choice(option->value, text, place);
        break;
    }
    return good ? -1 : complain_value(l, option, text);
}

static int set_flag(const line *l, const cli_option *option)
{
    *(bool *)(l->options + option->offset) = true;
    return -1;
}

/* The word after the option; what begins with two dashes was meant as the next option. */
static int store_next(line *l, const cli_option *option)
{
    if (option->type == CLI_FLAG)
        return set_flag(l, option);
    if (l->at + 1 < l->count && strncmp(l->argv[l->at + 1], "--", 2) != 0)
        return store(l, option, l->argv[++l->at]);
    cli_complain("%s: --%s wants a value: --%s %s", l->command->name, option->name, option->name,
                 option->value);
    return CLI_WRONG_USE;
}

static int read_long(line *l, const char *given)
{
    const size_t length = strcspn(given, "=");
    const cli_option *option = option_named(l->command, given, length);

    if (length == 4 && strncmp(given, "help", 4) == 0) {
        cli_help_command(l->command, stdout);
        return CLI_DONE;
    }
    if (!option)
        return complain_unknown(l->command, given, length);
    if (!given[length])
        return store_next(l, option);
    if (option->type == CLI_FLAG) {
        cli_complain("%s: --%s takes no value", l->command->name, option->name);
        return CLI_WRONG_USE;
    }
    return store(l, option, given + length + 1);
}

/* -o value, -ovalue; letters of flags are not run together, so there is one reading only. */
static int read_short(line *l, const char *given)
{
    const cli_option *option = option_lettered(l->command, given[0]);

    if (strcmp(given, "h") == 0) {
        cli_help_command(l->command, stdout);
        return CLI_DONE;
    }
    if (!option) {
        cli_complain("%s: there is no option -%s; \"espalier %s --help\" shows those there are",
                     l->command->name, given, l->command->name);
        return CLI_WRONG_USE;
    }
    return given[1] && option->type != CLI_FLAG ? store(l, option, given + 1) : store_next(l, option);
}

static int check_words(const line *l)
{
    const cli_argument *argument = l->command->arguments;
    int wanted = 0;

    for (; argument->name; argument++, wanted++)
        if (wanted >= l->words->count && argument->many != CLI_AT_MOST_ONE) {
            cli_complain("%s: %s is missing: %s; \"espalier %s --help\" tells more", l->command->name,
                         argument->name, argument->help, l->command->name);
            return CLI_WRONG_USE;
        }
    if (l->words->count > wanted && !(wanted && argument[-1].many == CLI_ONE_OR_MORE)) {
        cli_complain("%s: \"%s\" is one argument too many; \"espalier %s --help\" tells more",
                     l->command->name, l->words->item[wanted], l->command->name);
        return CLI_WRONG_USE;
    }
    return -1;
}

int cli_parse(const cli_command *command, int count, char **argv, void *options, cli_words *words)
{
    line l = { .command = command, .argv = argv, .count = count, .options = options, .words = words };
    bool only_words = false;
    int code = -1;

    for (; l.at < count && code < 0; l.at++) {
        const char *word = argv[l.at];
        if (only_words || word[0] != '-' || !word[1])
            add_word(words, count, word);
        else if (strcmp(word, "--") == 0)
            only_words = true;
        else
            code = word[1] == '-' ? read_long(&l, word + 2) : read_short(&l, word + 1);
    }
    return code < 0 ? check_words(&l) : code;
}

void cli_parse_free(const cli_command *command, void *options, cli_words *words)
{
    for (const cli_option *o = command->options; o->name; o++)
        if (o->type == CLI_WORDS)
            free(((cli_words *)((char *)options + o->offset))->item);
    free(words->item);
}
