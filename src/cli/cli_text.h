/* Figures, names and tables as people read them. */
#ifndef ESPL_CLI_TEXT_H
#define ESPL_CLI_TEXT_H

#include "cli.h"

typedef struct cli_figure {
    char text[32];
} cli_figure;

cli_figure figure_count(int64_t value);    /* 272,474 */
cli_figure figure_short(double value);     /* 40.8 M */
cli_figure figure_bytes(double bytes);     /* 1.2 MB, of 1000 kB */
cli_figure figure_time(double seconds);    /* 0.8 s, 43 s, 2 min 05 s, 3 h 20 min */
cli_figure figure_clock(double seconds);   /* 0:43, 2:05, 3:20:00 */
cli_figure figure_percent(double share);   /* 91.52 %; "unknown" of what is no number */
cli_figure figure_loss(double loss);       /* 0.2711, 5.6e-10 */
cli_figure figure_rate(double per_second); /* 1,234 or 7.31 */

/* `word` as a shell reads it back: quoted if need be. To be freed. */
char *shell_word(const char *word);

/* Columns on a terminal that a text takes; bytes that are no characters count as one. */
int text_columns(const char *text);

/* ---- tables: columns as wide as their widest cell ---- */

typedef struct cli_table cli_table;

/* Headings "name|>count|inputs"; '>' aligns to the right. */
cli_table *table_open(const char *headings);
/* The next cell, row by row. */
void table_cell(cli_table *table, const char *format, ...) CLI_PRINTF(2, 3);
/* Writes and frees it. On a terminal, what does not fit on the right is left out. */
void table_close(cli_table *table, FILE *out);

#endif
