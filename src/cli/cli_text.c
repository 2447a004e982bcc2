/* Figures for people, and words for their shell. */
#include "cli_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <wchar.h>

cli_figure figure_count(int64_t value)
{
    char digits[24];
    cli_figure f = { "" };
    const int length = snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value);
    char *to = f.text;

    if (value < 0)
        *to++ = '-';
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return f;
}

static cli_figure scaled(double value, const char *const *units, double step)
{
    cli_figure f;
    int unit = 0;

    for (; units[unit + 1] && fabs(value) >= step * 0.9995; unit++)
        value /= step;
    const int decimals = unit == 0 || fabs(value) >= 99.95 ? 0 : fabs(value) >= 9.995 ? 1
                                                                                      : 2;
    snprintf(f.text, sizeof f.text, "%.*f%s%s", decimals, value, *units[unit] ? " " : "", units[unit]);
    return f;
}

cli_figure figure_short(double value)
{
    static const char *const units[] = { "", "k", "M", "G", "T", NULL };

    return scaled(value, units, 1000);
}

cli_figure figure_bytes(double bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", NULL };

    return scaled(bytes, units, 1000);
}

cli_figure figure_time(double seconds)
{
    cli_figure f;
    const long long whole = llround(fmin(fmax(seconds, 0), 1e12));

    if (seconds < 9.95)
        snprintf(f.text, sizeof f.text, "%.1f s", seconds);
    else if (whole < 60)
        snprintf(f.text, sizeof f.text, "%lld s", whole);
    else if (whole < 3600)
        snprintf(f.text, sizeof f.text, "%lld min %02lld s", whole / 60, whole % 60);
    else
        snprintf(f.text, sizeof f.text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
    return f;
}

cli_figure figure_clock(double seconds)
{
    cli_figure f;
    const long long whole = llround(fmin(fmax(seconds, 0), 3.6e8));

    if (whole < 3600)
        snprintf(f.text, sizeof f.text, "%lld:%02lld", whole / 60, whole % 60);
    else
        snprintf(f.text, sizeof f.text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    return f;
}

cli_figure figure_percent(double share)
{
    cli_figure f;

    if (isfinite(share))
        snprintf(f.text, sizeof f.text, "%.2f %%", 100 * share);
    else
        strcpy(f.text, "unknown");
    return f;
}

cli_figure figure_loss(double loss)
{
    cli_figure f;

    snprintf(f.text, sizeof f.text, loss > 0 && loss < 0.001 ? "%.1e" : "%.4f", loss);
    return f;
}

cli_figure figure_rate(double per_second)
{
    cli_figure f;

    if (per_second >= 99.95 && per_second < 1e15)
        return figure_count((int64_t)llround(per_second));
    snprintf(f.text, sizeof f.text, "%.3g", per_second);
    return f;
}

char *shell_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";

    if (*word && strspn(word, plain) == strlen(word))
        return cli_copy(word);
    char *quoted = cli_allocate(4 * strlen(word) + 3, 1), *to = quoted;
    *to++ = '\'';
    for (; *word; word++)
        if (*word == '\'')
            to = strcpy(to, "'\\''") + 4;
        else
            *to++ = *word;
    strcpy(to, "'");
    return quoted;
}

int text_columns(const char *text)
{
    const char *end = text + strlen(text);
    mbstate_t state = { 0 };
    int columns = 0;

    while (text < end) {
        wchar_t character;
        const size_t length = mbrtowc(&character, text, (size_t)(end - text), &state);
        if (length == 0 || length > (size_t)(end - text)) {
            memset(&state, 0, sizeof state);
            columns++;
            text++;
            continue;
        }
        const int width = wcwidth(character);
        columns += width < 0 ? 1 : width;
        text += length;
    }
    return columns;
}
