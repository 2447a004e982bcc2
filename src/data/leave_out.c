/* Leaving out pictures that stand in a list, such as check-data writes. */
#include "data/picture_files.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_LIST ((size_t)1 << 30)

typedef struct lines {
    char **line; /* sorted */
    size_t count;
} lines;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts the text at its line ends; empty lines do not count. */
static espl_status cut(espl_context *ctx, char *text, lines *l)
{
    size_t most = 1;
    espl_status s;

    for (const char *c = text; *c; c++)
        most += *c == '\n';
    if ((s = espl__allocate(ctx, most, sizeof *l->line, &l->line)))
        return s;
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        line[strcspn(line, "\r")] = '\0';
        if (*line)
            l->line[l->count++] = line;
        line = end ? end + 1 : NULL;
    }
    qsort(l->line, l->count, sizeof *l->line, compare);
    return ESPL_OK;
}

static void drop(espl__picture_files *files, const lines *l)
{
    char label[ESPL__LONGEST_PATH], *key = label;
    int64_t kept = 0;

    for (int64_t i = 0; i < files->listing.count; i++) {
        espl__picture_files_label(files, i, label);
        if (l->count && bsearch(&key, l->line, l->count, sizeof *l->line, compare)) {
            files->counts[files->class[i]]--;
            continue;
        }
        files->class[kept] = files->class[i];
        files->listing.item[kept++] = files->listing.item[i];
    }
    files->listing.count = kept;
}

espl_status espl__picture_files_leave_out(espl__picture_files *files, const char *list)
{
    espl_context *ctx = files->listing.ctx;
    lines l = { 0 };
    char *text = NULL;
    size_t bytes = 0;
    espl_status s = espl__file_read(ctx, list, LONGEST_LIST, &text, &bytes);

    if (!s)
        s = cut(ctx, text, &l);
    if (!s)
        drop(files, &l);
    espl__release(ctx, l.line);
    espl__release(ctx, text);
    return s;
}
