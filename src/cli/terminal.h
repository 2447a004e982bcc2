/* What can be known of the terminal behind a stream. */
#ifndef ESPL_TERMINAL_H
#define ESPL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* A terminal on which a line can be redrawn. */
bool terminal_is_live(FILE *stream);
/* Its columns now; 80 if it is none or does not tell. */
int terminal_width(FILE *stream);
/* Does it show UTF-8? By the locale, which main has set. */
bool terminal_is_utf8(void);

/* Codes around coloured text; "" unless the stream is a live terminal and NO_COLOR is unset. */
const char *terminal_bold(FILE *stream);
const char *terminal_faint(FILE *stream);
const char *terminal_red(FILE *stream);
const char *terminal_yellow(FILE *stream);
const char *terminal_green(FILE *stream);
const char *terminal_plain(FILE *stream);

#endif
