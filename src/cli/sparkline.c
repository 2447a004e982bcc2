/* Sparklines: eight heights of a block (Tufte, Beautiful Evidence, 2006). */
#include "sparkline.h"
#include "terminal.h"

#include <math.h>

#define HEIGHTS 8

static double mean_of(const double *values, int from, int to)
{
    double sum = 0;
    int n = 0;

    for (int i = from; i < to; i++)
        if (isfinite(values[i])) {
            sum += values[i];
            n++;
        }
    return n ? sum / n : NAN;
}

static void put(FILE *out, int height)
{
    static const char *const bars[HEIGHTS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

    if (height < 0)
        fputc(' ', out);
    else if (terminal_is_utf8())
        fputs(bars[height], out);
    else
        fputc('0' + height, out);
}

void sparkline(FILE *out, const double *values, int count, int columns)
{
    double least = INFINITY, largest = -INFINITY;

    columns = columns < count ? columns : count;
    for (int i = 0; i < count; i++)
        if (isfinite(values[i])) {
            least = fmin(least, values[i]);
            largest = fmax(largest, values[i]);
        }
    for (int c = 0; c < columns; c++) {
        const double value = mean_of(values, c * count / columns, (c + 1) * count / columns);
        const double share = largest > least ? (value - least) / (largest - least) : 0;
        put(out, isfinite(value) ? (int)fmin(share * HEIGHTS, HEIGHTS - 1) : -1);
    }
}
