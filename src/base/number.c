/* Numbers as text and back, the same in every locale: recipes and files must not depend on whether
 * the user's country writes a comma. */
#include "base/base.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More digits than anybody writes; a longer text is no number but an attack. */
#define LONGEST_NUMBER 400

static const char *skip_digits(const char *text, int *count)
{
    while (*text >= '0' && *text <= '9') {
        text++;
        ++*count;
    }
    return text;
}

static const char *skip_sign(const char *text)
{
    return *text == '-' || *text == '+' ? text + 1 : text;
}

/* Decimal only: strtod would also take "nan", "inf", "0x1p3" and leading blanks. */
static bool looks_real(const char *text)
{
    int digits = 0, exponent_digits = 0;
    const char *at = skip_digits(skip_sign(text), &digits);

    if (*at == '.')
        at = skip_digits(at + 1, &digits);
    if (!digits)
        return false;
    if (*at == 'e' || *at == 'E') {
        at = skip_digits(skip_sign(at + 1), &exponent_digits);
        if (!exponent_digits)
            return false;
    }
    return !*at && at - text <= LONGEST_NUMBER;
}

bool espl__text_to_real(const char *text, double *result)
{
    *result = 0;
    if (!looks_real(text))
        return false;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    const locale_t users = uselocale(plain); /* of this thread only */
    const double value = strtod(text, NULL);
    uselocale(users);
    freelocale(plain);
    if (!isfinite(value))
        return false;
    *result = value;
    return true;
}

bool espl__text_to_integer(const char *text, int64_t *result)
{
    int digits = 0;
    const char *end = skip_digits(skip_sign(text), &digits);

    *result = 0;
    if (!digits || *end)
        return false;
    const int before = errno;
    errno = 0;
    const long long value = strtoll(text, NULL, 10);
    const bool fits = errno != ERANGE;
    errno = before;
    if (fits)
        *result = value;
    return fits;
}

/* Writes `value` as d.ddde+xx with the fewest digits that read back as the same number. */
static void shortest_scientific(double value, char *text, size_t bytes)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t users = plain ? uselocale(plain) : (locale_t)0;

    for (int digits = 0; digits <= 16; digits++) {
        snprintf(text, bytes, "%.*e", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (plain) {
        uselocale(users);
        freelocale(plain);
    }
}

/* Digits d1 d2 ... times 10^exponent, with the point after d1, written without an exponent. */
static void write_plain(const char *digits, int count, int exponent, char *out)
{
    if (exponent < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = exponent + 1; i < 0; i++)
            *out++ = '0';
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i > 0 && i == exponent + 1)
            *out++ = '.';
        *out++ = i < count ? digits[i] : '0';
    }
    *out = 0;
}

/* "1.5e-07" as "1.5e-7", "2e+20" as "2e20". */
static void write_scientific(const char *scientific, char *out)
{
    while (*scientific != 'e')
        *out++ = *scientific++;
    *out++ = *scientific++;
    if (*scientific == '-')
        *out++ = '-';
    scientific++;
    while (*scientific == '0')
        scientific++;
    strcpy(out, scientific);
}

void espl__text_from_real(double value, char text[32])
{
    char scientific[32], digits[20];
    int count = 0;

    if (!isfinite(value)) {
        strcpy(text, isnan(value) ? "nan" : value < 0 ? "-inf"
                                                      : "inf");
        return;
    }
    shortest_scientific(fabs(value), scientific, sizeof scientific);
    const char *mark = strchr(scientific, 'e');
    const int exponent = atoi(mark + 1);
    for (const char *c = scientific; c < mark; c++)
        if (*c != '.')
            digits[count++] = *c;
    if (signbit(value))
        *text++ = '-';
    if (exponent >= -3 && exponent <= 15)
        write_plain(digits, count, exponent, text);
    else
        write_scientific(scientific, text);
}
