/* Tables as text: a row a sample, one column the class, every other column a number. Separated by
 * commas, semicolons or tabs, whichever the first line has most of; fields may be quoted. A first
 * line that has words where numbers belong is the header. Classes may be words or whole numbers;
 * they are sorted. */
#include "data/packed.h"
#include "data/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_FILE ((size_t)16 << 30)
#define MOST_COLUMNS 1000000
#define MOST_CLASSES 100000

typedef struct field {
    const char *text; /* unquoted, ended by a zero within the file's own memory */
    int line, column;
} field;

typedef struct table {
    espl__samples *samples;
    const char *path;
    char *at, *end;
    int line;
    char *line_start;
    char separator;
    field *fields;   /* of the row just read */
    int count, room; /* fields in it, fields there is room for */
    int columns;     /* of every row */
    int label;       /* column, from 0 */
    bool named;      /* the label column was found by its name in the first line */
    field *header;   /* of `columns` fields, or NULL */
    field *labels;   /* of each row */
    int64_t labels_room, numbers_room;
} table;

static espl_status fail_at(const table *t, const field *f, const char *what)
{
    char name[96] = "";
    const int64_t column = f - t->fields;

    if (t->header && column >= 0 && column < t->columns)
        snprintf(name, sizeof name, " (column \"%.60s\")", t->header[column].text);
    return espl__fail(t->samples->ctx, ESPL_BAD_FILE, "%s:%d:%d: \"%.60s\" %s%s", t->path, f->line,
                      f->column, f->text, what, name);
}

/* ---- rows ---- */

static espl_status add_field(table *t, const char *text, int line, int column)
{
    if (t->count == t->room) {
        const int larger = t->room ? t->room * 2 : 16;
        const espl_status status = espl__resize(t->samples->ctx, (size_t)t->count, (size_t)larger,
                                                sizeof *t->fields, &t->fields);
        if (status)
            return status;
        t->room = larger;
    }
    t->fields[t->count++] = (field){ text, line, column };
    return t->count <= MOST_COLUMNS
               ? ESPL_OK
               : espl__fail(t->samples->ctx, ESPL_BAD_FILE, "%s:%d: has more than %d columns",
                            t->path, line, MOST_COLUMNS);
}

static void next_line(table *t)
{
    t->line++;
    t->line_start = t->at;
}

/* Behind the opening quote: unquotes in place, up to the closing one. false: there is none. */
static bool unquote(table *t)
{
    char *to = t->at;

    for (; t->at < t->end; t->at++) {
        if (*t->at == '"' && t->at + 1 < t->end && t->at[1] == '"') {
            t->at++;
        } else if (*t->at == '"') {
            t->at++;
            *to = '\0';
            return true;
        }
        *to++ = *t->at;
        if (*t->at == '\n') {
            t->line++;
            t->line_start = t->at + 1;
        }
    }
    return false;
}

static bool ends_field(const table *t, char c)
{
    return c == t->separator || c == '\n' || c == '\r';
}

/* One field; the separator or the end of the line behind it is left at `at` but may be overwritten
 * by the zero, so it is returned ('\n' at the end of the file). */
static espl_status take_field(table *t, char *behind)
{
    const int line = t->line;
    espl_status status;

    while (t->at < t->end && *t->at == ' ')
        t->at++;
    const int column = (int)(t->at - t->line_start) + 1;
    char *text = t->at;
    if (t->at < t->end && *t->at == '"') {
        text = ++t->at;
        if (!unquote(t))
            return espl__fail(t->samples->ctx, ESPL_BAD_FILE,
                              "%s:%d:%d: this quote is never closed", t->path, line, column);
        while (t->at < t->end && *t->at == ' ')
            t->at++;
        if (t->at < t->end && !ends_field(t, *t->at))
            return espl__fail(t->samples->ctx, ESPL_BAD_FILE,
                              "%s:%d:%d: something follows the closing quote", t->path, t->line,
                              (int)(t->at - t->line_start) + 1);
    } else {
        while (t->at < t->end && !ends_field(t, *t->at))
            t->at++;
    }
    *behind = t->at < t->end ? *t->at : '\n';
    char *last = t->at;
    *last = '\0'; /* the file's memory has one byte more */
    while (last > text && last[-1] == ' ')
        *--last = '\0';
    status = add_field(t, text, line, column);
    return status;
}

/* The next row that is not empty; count is 0 at the end. */
static espl_status take_row(table *t)
{
    char behind = t->separator;

    t->count = 0;
    while (t->at < t->end && (*t->at == '\n' || *t->at == '\r')) {
        const bool ends = *t->at++ == '\n';
        if (ends)
            next_line(t);
    }
    while (t->at < t->end || (behind == t->separator && t->count)) {
        const espl_status status = take_field(t, &behind);
        if (status)
            return status;
        t->at += t->at < t->end;
        if (behind == '\r' && t->at < t->end && *t->at == '\n') {
            t->at++;
            behind = '\n';
        }
        if (behind != t->separator) {
            next_line(t);
            break;
        }
    }
    return ESPL_OK;
}

/* The one of the three that the first line has most of, outside quotes. */
static char find_separator(const char *at, const char *end)
{
    static const char candidates[] = ",;\t";
    int64_t count[3] = { 0 };
    bool quoted = false;
    int best = 0;

    for (; at < end && (quoted || *at != '\n'); at++) {
        quoted ^= *at == '"';
        for (int i = 0; i < 3; i++)
            count[i] += !quoted && *at == candidates[i];
    }
    for (int i = 1; i < 3; i++)
        best = count[i] > count[best] ? i : best;
    return candidates[best];
}

/* ---- numbers ---- */

/* Short whole numbers, most of what tables of pixels have, without the general way. */
static bool to_number(const char *text, double *result)
{
    int64_t value = 0;
    int digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 9; digits++)
        value = value * 10 + (text[digits] - '0');
    if (digits && !text[digits]) {
        *result = (double)value;
        return true;
    }
    return espl__text_to_real(text, result);
}

/* ---- header and label ---- */

/* Words where numbers belong; or the label column's name, which was asked for; or 0, 1, 2, ... with
 * a word for the label, which is what columns without names are called by some. */
static bool looks_like_header(const table *t)
{
    double number;
    int words = 0, numbers = 0, counted = 0;

    for (int i = 0; i < t->count; i++)
        if (i != t->label && *t->fields[i].text) {
            const bool is_number = to_number(t->fields[i].text, &number);
            words += !is_number;
            numbers += is_number;
            counted += is_number && number == counted;
        }
    const bool named = t->named || !to_number(t->fields[t->label].text, &number);
    return t->named || (words > 0 && numbers == 0) ||
           (named && counted == t->count - 1 && counted > 1);
}

static int column_named(const table *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (espl__text_equal(t->fields[i].text, name))
            return i;
    return -1;
}

/* A whole number is a position from 1, anything else a name; without either it is the last column.
 */
static espl_status find_label(table *t, const char *label)
{
    int64_t number = 0;
    const bool position = label && espl__text_to_integer(label, &number);

    t->columns = t->count;
    if (t->count < 2)
        return espl__fail(
            t->samples->ctx, ESPL_BAD_FILE,
            "%s:1: has one column only; at least one number and the class are needed in a row",
            t->path);
    if (position)
        t->label = number >= 1 && number <= t->count ? (int)number - 1 : -1;
    else
        t->label = label ? column_named(t, label) : t->count - 1;
    t->named = label && !position && t->label >= 0;
    if (t->label >= 0)
        return ESPL_OK;
    const char *names[64];
    const int known = t->count < 64 ? t->count : 64;
    for (int i = 0; i < known; i++)
        names[i] = t->fields[i].text;
    const char *nearest = espl__text_nearest(label, names, known);
    return espl__fail(t->samples->ctx, ESPL_BAD_OPTION,
                      "label: \"%s\" is neither a column's name in the first line of %s nor a "
                      "number within 1..%d%s%s%s",
                      label, t->path, t->count, nearest ? "; did you mean \"" : "",
                      nearest ? nearest : "", nearest ? "\"?" : "");
}

static espl_status keep_header(table *t)
{
    const espl_status status = espl__allocate(t->samples->ctx, (size_t)t->count, sizeof *t->header,
                                              &t->header);

    if (!status)
        memcpy(t->header, t->fields, (size_t)t->count * sizeof *t->header);
    return status;
}

/* ---- samples ---- */

static espl_status make_room(table *t)
{
    espl__samples *s = t->samples;
    const int64_t features = t->columns - 1, numbers = s->count * features;
    espl_status status = ESPL_OK;

    if (s->count == t->labels_room) {
        const int64_t larger = t->labels_room ? t->labels_room * 2 : 64;
        status = espl__resize(s->ctx, (size_t)s->count, (size_t)larger, sizeof *t->labels,
                              &t->labels);
        t->labels_room = status ? t->labels_room : larger;
    }
    if (!status && numbers + features > t->numbers_room) {
        const int64_t larger = numbers + features > 2 * t->numbers_room ? (numbers + features) * 2
                                                                        : 2 * t->numbers_room;
        status = espl__resize(s->ctx, (size_t)numbers, (size_t)larger, sizeof *s->numbers,
                              &s->numbers);
        t->numbers_room = status ? t->numbers_room : larger;
    }
    return status;
}

static espl_status add_row(table *t)
{
    espl__samples *s = t->samples;
    espl_status status = ESPL_OK;

    if (t->count != t->columns)
        return espl__fail(s->ctx, ESPL_BAD_FILE, "%s:%d: has %d columns, the first line has %d",
                          t->path, t->fields[0].line, t->count, t->columns);
    status = make_room(t);
    float *to = status ? NULL : s->numbers + s->count * (t->columns - 1);
    for (int i = 0; i < t->count && !status; i++) {
        double number = 0;
        if (i == t->label)
            t->labels[s->count] = t->fields[i];
        else if (!to_number(t->fields[i].text, &number) || !isfinite((float)number))
            status = fail_at(t, &t->fields[i],
                             *t->fields[i].text
                                 ? "is not a number"
                                 : "is empty, a number is expected; fill what is missing");
        else
            *to++ = (float)number;
        if (!status && i == t->label && !*t->fields[i].text)
            status = fail_at(t, &t->fields[i], "is empty, the class is expected");
    }
    s->count += !status;
    return status;
}

static espl_status read_rows(table *t, const char *label)
{
    espl_status status = take_row(t);

    if (status)
        return status;
    if (!t->count)
        return espl__fail(t->samples->ctx, ESPL_BAD_FILE, "%s: has no rows", t->path);
    status = find_label(t, label);
    if (!status && looks_like_header(t)) {
        status = keep_header(t);
        if (!status)
            status = take_row(t);
    }
    while (!status && t->count) {
        status = add_row(t);
        if (!status)
            status = take_row(t);
    }
    if (!status && !t->samples->count)
        return espl__fail(t->samples->ctx, ESPL_BAD_FILE, "%s: has a header but no rows", t->path);
    return status;
}

/* ---- classes ---- */

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "2" before "10"; equal numbers written differently stay apart. */
static int compare_numbers(const void *a, const void *b)
{
    int64_t x = 0, y = 0;

    espl__text_to_integer(*(const char *const *)a, &x);
    espl__text_to_integer(*(const char *const *)b, &y);
    return x < y ? -1 : x > y ? 1
                              : compare_words(a, b);
}

static espl_status name_classes(table *t, const char **sorted, int64_t different)
{
    espl__samples *s = t->samples;
    espl_status status = ESPL_OK;

    if (different > MOST_CLASSES)
        return espl__fail(s->ctx, ESPL_BAD_FILE,
                          "%s: column %d has %lld different classes; is it really the column of "
                          "the class? Say which with label",
                          t->path, t->label + 1, (long long)different);
    s->classes = (int)different;
    for (int c = 0; c < s->classes && !status; c++)
        status = espl__samples_set_name(s, c, sorted[c], strlen(sorted[c]));
    return status;
}

static espl_status find_classes(table *t)
{
    espl__samples *s = t->samples;
    const char **sorted = NULL;
    int64_t different = 0, number;
    bool numbers = true;
    espl_status status = espl__allocate(s->ctx, (size_t)s->count, sizeof *s->labels, &s->labels);

    if (!status)
        status = espl__allocate(s->ctx, (size_t)s->count, sizeof *sorted, &sorted);
    for (int64_t i = 0; i < s->count && !status; i++) {
        sorted[i] = t->labels[i].text;
        numbers &= espl__text_to_integer(sorted[i], &number);
    }
    if (!status) {
        int (*compare)(const void *, const void *) = numbers ? compare_numbers : compare_words;
        qsort(sorted, (size_t)s->count, sizeof *sorted, compare);
        for (int64_t i = 0; i < s->count; i++)
            if (!different || strcmp(sorted[different - 1], sorted[i]))
                sorted[different++] = sorted[i];
        for (int64_t i = 0; i < s->count; i++) {
            const char *text = t->labels[i].text;
            const char **found = bsearch(&text, sorted, (size_t)different, sizeof *sorted, compare);
            s->labels[i] = (int32_t)(found - sorted);
        }
        status = name_classes(t, sorted, different);
    }
    espl__release(s->ctx, sorted);
    return status;
}

/* ---- the source ---- */

static espl_status read_file(espl_context *ctx, const char *path, char **data, size_t *bytes)
{
    const size_t limit = espl__memory_limit(ctx) < LARGEST_FILE ? espl__memory_limit(ctx)
                                                                : LARGEST_FILE;
    espl__packed *file = NULL;
    espl_status status = espl__packed_open(ctx, path, &file);

    if (!status)
        status = espl__packed_take_all(file, limit, data, bytes);
    espl__packed_free(file);
    const char *zero = status ? NULL : memchr(*data, '\0', *bytes);
    if (zero)
        status = espl__fail(ctx, ESPL_BAD_FILE, "%s: byte %lld is zero; this is no text", path,
                            (long long)(zero - *data));
    return status;
}

static espl_status fill(espl__samples *s, const char *path, const espl_data_settings *settings)
{
    table t = { .samples = s, .path = path, .line = 1 };
    char *data = NULL;
    size_t bytes = 0;
    espl_status status = read_file(s->ctx, path, &data, &bytes);

    if (!status) {
        const bool marked = bytes >= 3 && !memcmp(data, "\xef\xbb\xbf",
                                                  3); /* the mark some editors put in front */
        t.at = t.line_start = data + (marked ? 3 : 0);
        t.end = data + bytes;
        t.separator = find_separator(t.at, t.end);
        status = read_rows(&t, settings->label);
    }
    if (!status) {
        s->stored[0] = t.columns - 1;
        s->stored[1] = s->stored[2] = 1;
        status = find_classes(&t);
    }
    if (!status)
        status = espl__fitting_make(s->ctx, settings, s->stored, &s->fitting);
    espl__release(s->ctx, t.fields);
    espl__release(s->ctx, t.header);
    espl__release(s->ctx, t.labels);
    espl__release(s->ctx, data);
    return status;
}

static espl_status open_csv(espl_context *ctx, const char *path, const espl_data_settings *settings,
                            bool test, void **state)
{
    espl__samples *s = NULL;
    espl_status status = espl__samples_make(ctx, &s);

    (void)test;
    if (status)
        return status;
    status = espl__copy_text(ctx, espl__path_file(path), &s->origin);
    if (!status)
        status = fill(s, path, settings);
    if (status)
        espl__samples_free(ctx, s);
    else
        *state = s;
    return status;
}

static bool fits(const char *path)
{
    static const char *const endings[] = { ".csv", ".csv.gz", ".tsv", ".tsv.gz" };

    for (int i = 0; i < ESPL__COUNT(endings); i++)
        if (espl__path_ends(path, endings[i]))
            return espl__path_kind(path) == ESPL__PATH_FILE;
    return false;
}

static bool has_test(const char *path, const void *state)
{
    (void)path, (void)state;
    return false;
}

const espl__source espl__source_csv = {
    .name = "csv",
    .summary = "a table as text: numbers and one column with the class",
    .fits = fits,
    .has_test = has_test,
    .open = open_csv,
    ESPL__SAMPLES_FUNCTIONS,
};
