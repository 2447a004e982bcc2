/* A .npy file begins with six bytes, a version, the length of the header, and the header: a Python
 * dictionary in text, such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Only
 * this form is understood. */
#include "data/npy_header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_HEADER 65536
#define MOST_VALUES ((int64_t)1 << 48)

typedef struct reading_text {
    const char *at;
    char message[160];
} reading_text;

static void skip_blanks(reading_text *t)
{
    while (*t->at == ' ' || *t->at == '\n')
        t->at++;
}

static bool take(reading_text *t, char c)
{
    skip_blanks(t);
    if (*t->at != c)
        return false;
    t->at++;
    return true;
}

/* A text in quotes; false if there is none or it is too long. */
static bool take_quoted(reading_text *t, char *text, size_t capacity)
{
    skip_blanks(t);
    const char quote = *t->at;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(t->at + 1, quote);
    if (!end || (size_t)(end - t->at) > capacity)
        return false;
    memcpy(text, t->at + 1, (size_t)(end - t->at - 1));
    text[end - t->at - 1] = '\0';
    t->at = end + 1;
    return true;
}

static bool take_shape(reading_text *t, espl__npy_header *h)
{
    if (!take(t, '('))
        return false;
    for (h->rank = 0; !take(t, ')'); h->rank++) {
        int64_t value = 0;
        if (h->rank == ESPL__NPY_DIMS || *t->at < '0' || *t->at > '9')
            return false;
        while (*t->at >= '0' && *t->at <= '9') {
            if (value > MOST_VALUES)
                return false;
            value = value * 10 + (*t->at++ - '0');
        }
        h->dim[h->rank] = value;
        if (!take(t, ',') && *t->at != ')')
            return false;
    }
    return true;
}

/* "<f4", "|u1": order of bytes, kind, size. */
static bool take_type(reading_text *t, espl__npy_header *h)
{
    char type[32] = "";

    if (!take_quoted(t, type, sizeof type)) {
        if (*t->at == '[')
            snprintf(t->message, sizeof t->message, "it holds records; save one array of numbers");
        return false;
    }
    h->kind = type[0] ? type[1] : '\0';
    h->bytes = h->kind && type[2] && !type[3] ? type[2] - '0' : 0;
    const bool known = (h->kind == 'f' && (h->bytes == 2 || h->bytes == 4 || h->bytes == 8)) ||
                       ((h->kind == 'i' || h->kind == 'u') &&
                        (h->bytes == 1 || h->bytes == 2 || h->bytes == 4 || h->bytes == 8)) ||
                       (h->kind == 'b' && h->bytes == 1);
    if (!known)
        snprintf(t->message, sizeof t->message,
                 "its numbers have the type \"%s\"; save them as whole numbers or floats, "
                 "a.astype(\"float32\")",
                 type);
    else if (type[0] == '>' && h->bytes > 1)
        snprintf(t->message, sizeof t->message,
                 "its bytes are in big endian order; save a.astype(\"<%s\")", type + 1);
    return !*t->message;
}

static bool take_order(reading_text *t)
{
    skip_blanks(t);
    if (!strncmp(t->at, "False", 5)) {
        t->at += 5;
        return true;
    }
    if (!strncmp(t->at, "True", 4))
        snprintf(t->message, sizeof t->message,
                 "it is in Fortran's order; save numpy.ascontiguousarray(a)");
    return false;
}

static bool take_dictionary(reading_text *t, espl__npy_header *h)
{
    bool type = false, order = false, shape = false;
    char key[32];

    if (!take(t, '{'))
        return false;
    while (!take(t, '}')) {
        if (!take_quoted(t, key, sizeof key) || !take(t, ':'))
            return false;
        if (!strcmp(key, "descr") && !type)
            type = take_type(t, h);
        else if (!strcmp(key, "fortran_order") && !order)
            order = take_order(t);
        else if (!strcmp(key, "shape") && !shape)
            shape = take_shape(t, h);
        else
            return false;
        if (*t->message || (!take(t, ',') && *t->at != '}'))
            return false;
    }
    return type && order && shape;
}

static bool count_values(espl__npy_header *h)
{
    h->count = 1;
    for (int d = 0; d < h->rank; d++) {
        if (h->dim[d] && h->count > MOST_VALUES / h->dim[d])
            return false;
        h->count *= h->dim[d];
    }
    return true;
}

/* The length of the text, behind the magic bytes and the version. */
static espl_status read_length(espl_context *ctx, espl__packed *file, size_t *length)
{
    uint8_t start[12];
    size_t got = 0;
    espl_status status = espl__packed_read(file, start, 10, &got);

    if (status)
        return status;
    if (got < 10 || memcmp(start, "\x93NUMPY", 6))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: is not a .npy file", espl__packed_name(file));
    if (start[6] < 1 || start[6] > 3)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: has version %d of the .npy format; 1 to 3 are read",
                          espl__packed_name(file), start[6]);
    *length = (size_t)start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        status = espl__packed_read(file, start + 10, 2, &got);
        *length |= got == 2 ? (size_t)start[10] << 16 | (size_t)start[11] << 24 : LONGEST_HEADER;
    }
    return status;
}

espl_status espl__npy_header_read(espl_context *ctx, espl__packed *file, espl__npy_header *h)
{
    char text[LONGEST_HEADER];
    reading_text t = { .at = text };
    size_t length = 0, got = 0;
    espl_status status = read_length(ctx, file, &length);

    if (!status && length >= sizeof text)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: its header is said to have %zu bytes; it has less than %d",
                          espl__packed_name(file), length, LONGEST_HEADER);
    if (!status)
        status = espl__packed_read(file, text, length, &got);
    if (status)
        return status;
    if (got < length)
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: ends within its header",
                          espl__packed_name(file));
    text[length] = '\0';
    if (!take_dictionary(&t, h))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: %s", espl__packed_name(file),
                          *t.message ? t.message
                                     : "its header cannot be understood; save it with numpy.save");
    if (!count_values(h))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: its header promises more values than can be",
                          espl__packed_name(file));
    return ESPL_OK;
}

/* ---- numbers ---- */

static double half_of(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const double fraction = (bits & 1023) / 1024.0, sign = bits >> 15 ? -1 : 1;

    if (exponent == 0)
        return sign * fraction * 0x1p-14;
    if (exponent == 31)
        return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (1 + fraction) * (double)(1ull << exponent) * 0x1p-15;
}

static double number_of(char kind, int bytes, uint64_t bits)
{
    if (kind == 'f' && bytes == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (kind == 'f' && bytes == 4) {
        const uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof value);
        return value;
    }
    if (kind == 'f')
        return half_of((uint16_t)bits);
    if (kind == 'i') {
        const uint64_t sign = 1ull << (8 * bytes - 1);
        return (double)(int64_t)((bits ^ sign) - sign);
    }
    return (double)bits;
}

void espl__npy_convert(const espl__npy_header *h, const uint8_t *data, int64_t count,
                       double *numbers)
{
    for (int64_t i = 0; i < count; i++, data += h->bytes) {
        uint64_t bits = 0;
        for (int b = h->bytes - 1; b >= 0; b--)
            bits = bits << 8 | data[b];
        numbers[i] = number_of(h->kind, h->bytes, bits);
    }
}
