/* espalier list: what this build offers, and the options of one thing of it. */
#include "cli_text.h"
#include "json_line.h"
#include "nearest_name.h"
#include "session.h"
#include "terminal.h"

#include <espalier/report.h>

#include <string.h>

typedef struct list_options {
    bool json;
} list_options;

static const cli_option options[] = {
    CLI_JSON_OPTION(list_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "WHAT", CLI_AT_MOST_ONE,
      "techniques, ops, nets, optimizers, sources, formats, kernels or features; or the name of one of "
      "these, to see its options; without it, all names" },
    CLI_ARGUMENTS_END
};

/* The library's word for a kind, and the one for many of it. */
static const struct {
    const char *kind, *kinds;
} kinds[] = {
    { "technique", "techniques" },
    { "op", "ops" },
    { "net", "nets" },
    { "optimizer", "optimizers" },
    { "source", "sources" },
    { "format", "formats" },
    { "kernel", "kernels" },
    { "feature", "features" },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void write_json(const espl_listed *listed)
{
    json_t *line = json_object();

    json_put_text(line, "kind", listed->kind);
    json_put_text(line, "name", listed->name);
    json_put_text(line, "summary", listed->summary);
    json_put_text(line, "paper", listed->paper);
    json_write(line);
}

static void list_kind(int k, bool json)
{
    cli_table *table = json ? NULL : table_open("name|summary");
    espl_listed listed;

    for (int i = 0; espl_listed_at(kinds[k].kind, i, &listed); i++)
        if (json) {
            write_json(&listed);
        } else {
            table_cell(table, "%s", listed.name);
            table_cell(table, "%s", listed.summary ? listed.summary : "");
        }
    if (table)
        table_close(table, stdout);
}

/* All names of a kind in one paragraph, as wide as the screen. */
static void list_names(int k)
{
    const int width = terminal_width(stdout);
    espl_listed listed;
    int column = 2;

    printf("%s%s%s\n ", terminal_bold(stdout), kinds[k].kinds, terminal_plain(stdout));
    for (int i = 0; espl_listed_at(kinds[k].kind, i, &listed); i++) {
        const int length = text_columns(listed.name) + 1;
        if (i && column + length > width) {
            printf("\n ");
            column = 2;
        }
        printf(" %s", listed.name);
        column += length;
    }
    putchar('\n');
}

/* Offers every name there is to `nearest`; finds the one that is meant. */
static bool find(const char *name, espl_listed *found, cli_nearest *nearest)
{
    for (int k = 0; k < KINDS; k++) {
        cli_nearest_offer(nearest, kinds[k].kinds);
        for (int i = 0; espl_listed_at(kinds[k].kind, i, found); i++) {
            if (strcmp(found->name, name) == 0)
                return true;
            cli_nearest_offer(nearest, found->name);
        }
    }
    return false;
}

static int complain_unknown(const char *name, const cli_nearest *nearest)
{
    if (nearest->name)
        cli_complain("list: nothing is called \"%s\"; did you mean %s?", name, nearest->name);
    else
        cli_complain("list: nothing is called \"%s\"; \"espalier list\" shows all names", name);
    return CLI_WRONG_USE;
}

/* The lines of an option table as objects: name, type, default, range, help, parted by tabs. */
static json_t *options_as_json(const char *text)
{
    static const char *const fields[] = { "name", "type", "default", "range", "help" };
    json_t *all = json_array();

    while (*text) {
        json_t *one = json_object();
        for (int f = 0; f < 5; f++) {
            char field[512];
            const size_t length = strcspn(text, f < 4 ? "\t\n" : "\n");
            snprintf(field, sizeof field, "%.*s", (int)length, text);
            json_put_text(one, fields[f], field);
            text += length + (text[length] == '\t');
        }
        json_array_append_new(all, one);
        text += *text == '\n';
    }
    return all;
}

static void show_options(const char *text)
{
    cli_table *table = table_open("option|type|default|range|help");

    while (*text) {
        for (int f = 0; f < 5; f++) {
            const size_t length = strcspn(text, f < 4 ? "\t\n" : "\n");
            table_cell(table, "%.*s", (int)length, text);
            text += length + (text[length] == '\t');
        }
        text += *text == '\n';
    }
    putchar('\n');
    table_close(table, stdout);
}

static void show(const espl_listed *listed, const char *text, bool json)
{
    if (json) {
        json_t *line = json_object();
        json_put_text(line, "kind", listed->kind);
        json_put_text(line, "name", listed->name);
        json_put_text(line, "summary", listed->summary);
        json_put_text(line, "paper", listed->paper);
        json_object_set_new(line, "options", options_as_json(text ? text : ""));
        json_write(line);
        return;
    }
    printf("%s%s%s: %s\n", terminal_bold(stdout), listed->name, terminal_plain(stdout),
           listed->summary ? listed->summary : listed->kind);
    if (listed->paper)
        printf("%s\n", listed->paper);
    if (text && *text)
        show_options(text);
}

static int show_named(const char *name, bool json)
{
    cli_nearest nearest = { .wanted = name };
    espl_context *ctx = NULL;
    espl_listed listed;
    char *text = NULL;

    if (!find(name, &listed, &nearest))
        return complain_unknown(name, &nearest);
    const int code = session_open(&(cli_machine){ 0 }, NULL, &ctx);
    if (code)
        return code;
    const espl_status status = espl_options_text(ctx, listed.kind, name, &text);
    if (!status || status == ESPL_BAD_OPTION) /* not every kind has options */
        show(&listed, text, json);
    const int result = status == ESPL_BAD_OPTION ? CLI_DONE : session_report(ctx, status);
    espl_text_free(ctx, text);
    espl_context_free(ctx);
    return result;
}

static int run(const void *given, const cli_words *words)
{
    const list_options *o = given;
    const char *what = words->count ? words->item[0] : NULL;

    for (int k = 0; k < KINDS; k++)
        if (what && (strcmp(what, kinds[k].kinds) == 0 || strcmp(what, kinds[k].kind) == 0)) {
            list_kind(k, o->json);
            return CLI_DONE;
        }
    if (what)
        return show_named(what, o->json);
    for (int k = 0; k < KINDS; k++)
        if (o->json)
            list_kind(k, true);
        else
            list_names(k);
    return CLI_DONE;
}

const cli_command cli_command_list = {
    .name = "list",
    .summary = "show what this build offers, and the options of each",
    .description = "Shows the techniques, ops, nets, optimizers, data sources, file formats, kernels and "
                   "optional features of this build. With the name of one of them, its options are shown, "
                   "each with type, default, range and meaning.",
    .examples = "  espalier list techniques\n"
                "  espalier list schedule-cosine\n"
                "  espalier list --json",
    .size = sizeof(list_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
