/* The nearest name, by the number of letters to change, add, drop or swap with a neighbour. */
#include "nearest_name.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 47

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: the last three rows of the table of distances between all beginnings. */
static int distance(const char *a, const char *b)
{
    int rows[3][LENGTH_MAX + 1];
    const int m = (int)strlen(a), n = (int)strlen(b);

    if (m > LENGTH_MAX || n > LENGTH_MAX)
        return LENGTH_MAX;
    for (int j = 0; j <= n; j++)
        rows[0][j] = j;
    for (int i = 1; i <= m; i++) {
        int *now = rows[i % 3];
        const int *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= n; j++) {
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

void cli_nearest_offer(cli_nearest *nearest, const char *name)
{
    const size_t length = strlen(nearest->wanted);
    const bool begins = length >= 2 && strncmp(nearest->wanted, name, length) == 0;
    const int found = begins ? 1 : distance(nearest->wanted, name);
    /* A third of the letters may be wrong; more is another word. */
    const int allowed = length < 3 ? 1 : (int)(length + 2) / 3;

    if (found <= allowed && (!nearest->name || found < nearest->distance)) {
        nearest->name = name;
        nearest->distance = found;
    }
}
