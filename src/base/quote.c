/* Texts as a recipe writes them. What libyaml reads back must be the same bytes, whatever they are. */
#include "base/base.h"

#include <string.h>

/* The code point at `text` and its length in bytes; 0 if this is not UTF-8. */
static int decode(const char *text, uint32_t *point)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char first = (unsigned char)*text;
    const int length = first < 0x80 ? 1 : first >> 5 == 6 ? 2
                                      : first >> 4 == 14  ? 3
                                      : first >> 3 == 30  ? 4
                                                          : 0;

    *point = length == 1 ? first : first & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        const unsigned char next = (unsigned char)text[i]; /* the final zero is no continuation */
        if (next >> 6 != 2)
            return 0;
        *point = *point << 6 | (next & 0x3fu);
    }
    const bool surrogate = *point >> 11 == 0x1b;
    return length > 1 && (*point < smallest[length] || *point > 0x10ffff || surrogate) ? 0 : length;
}

static int encode(uint32_t point, char bytes[4])
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0 };
    const int length = point < 0x80 ? 1 : point < 0x800 ? 2
                                                        : 3;

    for (int i = length - 1; i > 0; i--, point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3f));
    bytes[0] = (char)(lead[length] | point);
    return length;
}

bool espl__text_is_utf8(const char *text)
{
    uint32_t point = 0;
    int length = 1;

    for (; *text && length; text += length)
        length = decode(text, &point);
    return length != 0;
}

/* Plain text is what no YAML reader can take for anything else, wherever it stands. */
static bool is_plain(const char *text)
{
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/0123456789.-+";

    return *text && !strchr(".-+", *text) && text[strspn(text, inner)] == 0;
}

/* What YAML forbids, takes for a line break, or swallows at the beginning of a text. */
static bool must_escape(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
           point == 0xfeff || point == 0xfffe || point == 0xffff;
}

espl_status espl__text_add_quoted(espl_context *ctx, espl__text *text, const char *value)
{
    if (is_plain(value))
        return espl__text_add(ctx, text, "%s", value);
    espl_status status = espl__text_add(ctx, text, "\"");
    while (*value && !status) {
        uint32_t point = 0;
        const int length = decode(value, &point);
        if (!length)
            return espl__fail(ctx, ESPL_BAD_STATE, "a text is not written in UTF-8");
        if (must_escape(point))
            status = espl__text_add(ctx, text, "\\u%04X", (unsigned)point);
        else
            status = espl__text_add(ctx, text, "%s%.*s", point == '"' || point == '\\' ? "\\" : "", length,
                                    value);
        value += length;
    }
    return status ? status : espl__text_add(ctx, text, "\"");
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* The character behind a backslash; returns how many bytes spell it, 0 if nothing we write. */
static int take_escape(const char *at, char bytes[4], int *count)
{
    uint32_t point = 0;

    *count = 1;
    bytes[0] = *at;
    if (*at == '"' || *at == '\\')
        return 1;
    if (*at != 'u')
        return 0;
    for (int i = 1; i <= 4; i++) {
        const int digit = hex_digit(at[i]);
        if (digit < 0)
            return 0;
        point = point * 16 + (uint32_t)digit;
    }
    *count = encode(point, bytes);
    return point ? 5 : 0;
}

espl_status espl__text_add_unquoted(espl_context *ctx, espl__text *text, const char *quoted)
{
    const char *at = quoted + 1;
    espl_status status = espl__text_add(ctx, text, "%s", *quoted == '"' ? "" : quoted);

    if (status || *quoted != '"')
        return status;
    while (*at && *at != '"' && !status) {
        char bytes[4] = { *at };
        int count = 1, taken = 0;
        if (*at == '\\') {
            taken = take_escape(at + 1, bytes, &count);
            if (!taken)
                break;
        }
        status = espl__text_add_bytes(ctx, text, bytes, (size_t)count);
        at += 1 + taken;
    }
    if (!status && (at[0] != '"' || at[1]))
        return espl__fail(ctx, ESPL_BAD_OPTION, "%s is not a text in double quotes", quoted);
    return status;
}

espl_status espl__text_add_escaped(espl_context *ctx, espl__text *text, const char *value)
{
    espl_status status = ESPL_OK;

    for (; *value && !status; value++) {
        const char *code = *value == '&' ? "&amp;" : *value == '<' ? "&lt;"
                                                 : *value == '"'   ? "&quot;"
                                                                   : NULL;
        status = code ? espl__text_add(ctx, text, "%s", code) : espl__text_add_bytes(ctx, text, value, 1);
    }
    return status;
}
