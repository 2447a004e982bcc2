/* One JSON object on one line of standard output. */
#ifndef ESPL_JSON_LINE_H
#define ESPL_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Fields in the order in which they are put. What is no number becomes null, what is no UTF-8 in a
 * text (file names may be anything) becomes the replacement character. */
void json_put_text(json_t *line, const char *name, const char *text); /* NULL becomes null */
void json_put_real(json_t *line, const char *name, double value);
void json_put_count(json_t *line, const char *name, int64_t value);
void json_put_flag(json_t *line, const char *name, bool value);
/* 16 hexadecimal digits, since a number of 64 bits does not survive every reader. */
void json_put_hash(json_t *line, const char *name, uint64_t hash);

/* Writes the line, flushes it, and ends the object. */
void json_write(json_t *line);

#endif
