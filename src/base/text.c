/* Text: a buffer that grows, patterns over names, and the nearest name for a mistyped one. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

#define SMALLEST_BUFFER 64
#define LONGEST_NAME 63

/* Room for `more` bytes and the terminating zero. */
static espl_status make_room(espl_context *ctx, espl__text *text, size_t more)
{
    if (more > SIZE_MAX / 4 - text->length)
        return espl__fail(ctx, ESPL_NO_MEMORY, "a text of %zu and %zu more bytes is too long",
                          text->length, more);
    const size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return ESPL_OK;
    size_t capacity = text->capacity ? text->capacity : SMALLEST_BUFFER;
    while (capacity < needed)
        capacity *= 2;
    const espl_status status = espl__resize(ctx, text->length, capacity, 1, &text->data);
    if (!status)
        text->capacity = capacity;
    return status;
}

espl_status espl__text_add(espl_context *ctx, espl__text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return espl__fail(ctx, ESPL_BAD_STATE, "a text cannot be formatted by \"%s\"", format);
    const espl_status status = make_room(ctx, text, (size_t)length);
    if (status)
        return status;
    va_start(arguments, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
    return ESPL_OK;
}

espl_status espl__text_add_bytes(espl_context *ctx, espl__text *text, const void *bytes, size_t count)
{
    const espl_status status = make_room(ctx, text, count);

    if (status)
        return status;
    if (count)
        memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = 0;
    return ESPL_OK;
}

void espl__text_free(espl_context *ctx, espl__text *text)
{
    espl__release(ctx, text->data);
    *text = (espl__text){ 0 };
}

bool espl__text_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- patterns ---- */

/* The end of the set that begins at `set` ("[a-z]"), or NULL if it has none and "[" means itself. */
static const char *set_end(const char *set)
{
    const char *first = set[1] == '!' ? set + 2 : set + 1;

    return *first ? strchr(first + 1, ']') : NULL; /* a ] in first place is a member */
}

static bool set_holds(const char *set, const char *end, char wanted)
{
    const bool negated = set[1] == '!';
    const unsigned char c = (unsigned char)wanted;
    bool found = false;

    for (const char *at = set + (negated ? 2 : 1); at < end; at++) {
        const unsigned char low = (unsigned char)at[0];
        const bool range = at + 2 < end && at[1] == '-';
        const unsigned char high = range ? (unsigned char)at[2] : low;
        found = found || (c >= low && c <= high);
        at += range ? 2 : 0;
    }
    return found != negated;
}

/* Whether the one-character pattern at `pattern` takes `c`; `*after` is what follows it. */
static bool takes(const char *pattern, char c, const char **after)
{
    const char *end = *pattern == '[' ? set_end(pattern) : NULL;

    *after = (end ? end : pattern) + 1;
    if (end)
        return set_holds(pattern, end, c);
    return *pattern == '?' || *pattern == c;
}

bool espl__text_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL, *after = NULL;

    /* Only the last star is ever tried again: what an earlier one took can be taken by the later. */
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern && takes(pattern, *text, &after)) {
            pattern = after;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* ---- the nearest name ---- */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
static int edit_distance(const char *a, int a_length, const char *b, int b_length)
{
    int rows[3][LONGEST_NAME + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];

    for (int j = 0; j <= b_length; j++)
        last[j] = j;
    for (int i = 1; i <= a_length; i++) {
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            const int replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = smaller(replaced, smaller(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        int *const free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b_length];
}

/* "cosine" for "schedule-cosine": the shortest name that holds the whole of a word of some length. */
static const char *name_that_holds(const char *word, const char *const *names, int count)
{
    const char *found = NULL;

    if (strlen(word) < 4)
        return NULL;
    for (int i = 0; i < count; i++)
        if (strstr(names[i], word) && (!found || strlen(names[i]) < strlen(found)))
            found = names[i];
    return found;
}

const char *espl__text_nearest(const char *name, const char *const *names, int count)
{
    const size_t length = strlen(name);
    const char *nearest = NULL;

    if (!length || length > LONGEST_NAME)
        return NULL;
    int allowed = ((int)length + 2) / 3;
    for (int i = 0; i < count; i++) {
        const size_t other = strlen(names[i]);
        if (other > LONGEST_NAME)
            continue;
        const int distance = edit_distance(name, (int)length, names[i], (int)other);
        if (distance <= allowed && distance < (int)length && distance < (int)other) {
            nearest = names[i];
            allowed = distance - 1;
        }
    }
    return nearest ? nearest : name_that_holds(name, names, count);
}
