/* JSON lines, by jansson. */
#include "json_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 9 /* of a real: more than any of our figures means */

/* The length of the UTF-8 character that begins here, 0 if there is none. Too long forms, surrogates
 * and values beyond the last plane are none. */
static size_t character_length(const unsigned char *s)
{
    const size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                                        : (s[0] & 0xf0) == 0xe0         ? 3
                                        : s[0] >= 0xf0 && s[0] < 0xf5   ? 4
                                                                        : 0;

    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return length;
}

static json_t *repaired(const char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    char *whole = malloc(3 * strlen(text) + 1), *to = whole;

    if (!whole)
        return json_null();
    while (*from) {
        const size_t length = character_length(from);
        memcpy(to, length ? (const char *)from : "\xef\xbf\xbd", length ? length : 3);
        to += length ? length : 3;
        from += length ? length : 1;
    }
    *to = '\0';
    json_t *result = json_string(whole);
    free(whole);
    return result;
}

void json_put_text(json_t *line, const char *name, const char *text)
{
    json_object_set_new(line, name, text ? repaired(text) : json_null());
}

void json_put_real(json_t *line, const char *name, double value)
{
    json_object_set_new(line, name, isfinite(value) ? json_real(value) : json_null());
}

void json_put_count(json_t *line, const char *name, int64_t value)
{
    json_object_set_new(line, name, json_integer(value));
}

void json_put_flag(json_t *line, const char *name, bool value)
{
    json_object_set_new(line, name, json_boolean(value));
}

void json_put_hash(json_t *line, const char *name, uint64_t hash)
{
    char text[17];

    snprintf(text, sizeof text, "%016" PRIx64, hash);
    json_object_set_new(line, name, json_string(text));
}

void json_write(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}
