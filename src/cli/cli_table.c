/* Tables: cells are kept until all are there, since the widest decides. */
#include "cli_text.h"
#include "terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 12
#define GAP 2
#define LAST_MIN 12 /* a last column of text may be cut to this */

struct cli_table {
    int columns, cells, capacity;
    int shown; /* columns that fit */
    bool right[COLUMNS_MAX];
    char **cell; /* headings first */
};

static void add(cli_table *table, const char *text)
{
    if (table->cells == table->capacity) {
        const int larger = table->capacity ? 2 * table->capacity : 64;
        char **cell = cli_allocate((size_t)larger, sizeof *cell);
        if (table->cells)
            memcpy(cell, table->cell, (size_t)table->cells * sizeof *cell);
        free(table->cell);
        table->cell = cell;
        table->capacity = larger;
    }
    table->cell[table->cells++] = cli_copy(text);
}

cli_table *table_open(const char *headings)
{
    cli_table *table = cli_allocate(1, sizeof *table);

    for (const char *h = headings; *h && table->columns < COLUMNS_MAX;) {
        char name[64];
        const bool right = *h == '>';
        h += right;
        const size_t length = strcspn(h, "|");
        snprintf(name, sizeof name, "%.*s", (int)length, h);
        table->right[table->columns++] = right;
        add(table, name);
        h += length + (h[length] == '|');
    }
    return table;
}

void table_cell(cli_table *table, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(table, text);
}

/* As many characters of `text` as fit in so many columns. */
static int bytes_within(const char *text, int columns)
{
    char begin[512];
    int bytes = (int)strlen(text);

    for (; bytes > 0; bytes--) {
        snprintf(begin, sizeof begin, "%.*s", bytes, text);
        if (((unsigned char)text[bytes] & 0xc0) != 0x80 && text_columns(begin) <= columns)
            break;
    }
    return bytes;
}

static void write_cell(const cli_table *table, FILE *out, int column, const char *text, int width, int room)
{
    const int fill = width - text_columns(text), last = column == table->shown - 1;

    if (table->right[column])
        fprintf(out, "%*s%s", fill, "", text);
    else if (last)
        fprintf(out, "%.*s", bytes_within(text, room), text);
    else
        fprintf(out, "%s%*s", text, fill, "");
    if (!last)
        fprintf(out, "%*s", GAP, "");
}

/* On a terminal, columns that do not fit are left out from the right; of the last that is shown, `*room`
 * says how much. Elsewhere everything is shown. */
static void fit(cli_table *table, const int *width, FILE *out, int *room)
{
    int left = terminal_is_live(out) ? terminal_width(out) : 1 << 20;

    for (table->shown = 0; table->shown < table->columns; table->shown++) {
        const int c = table->shown, needed = table->right[c] || width[c] < LAST_MIN ? width[c] : LAST_MIN;
        if (c > 0 && needed > left)
            return;
        *room = left;
        left -= width[c] + GAP;
    }
}

static void measure(const cli_table *table, int *width)
{
    for (int i = 0; i < table->cells; i++) {
        const int columns = text_columns(table->cell[i]);
        if (columns > width[i % table->columns])
            width[i % table->columns] = columns;
    }
}

void table_close(cli_table *table, FILE *out)
{
    int width[COLUMNS_MAX] = { 0 }, room = 0;

    measure(table, width);
    fit(table, width, out, &room);
    for (int i = 0; i + table->columns <= table->cells; i += table->columns) {
        fputs(i ? "" : terminal_bold(out), out);
        for (int c = 0; c < table->shown; c++)
            write_cell(table, out, c, table->cell[i + c], width[c], room);
        fprintf(out, "%s\n", i ? "" : terminal_plain(out));
    }
    for (int i = 0; i < table->cells; i++)
        free(table->cell[i]);
    free(table->cell);
    free(table);
}
