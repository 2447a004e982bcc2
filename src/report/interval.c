/* How much a share that was counted on a few samples says about all others. */
#include <espalier/report.h>

#include <math.h>

/* Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927). */
void espl_interval_95(double share, int64_t count, double *low, double *high)
{
    const double z = 1.959963984540054, n = (double)count;

    *low = 0;
    *high = 1;
    if (count < 1 || !isfinite(share))
        return;
    const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *low = fmax(0, middle - half);
    *high = fmin(1, middle + half);
}
