/* The series of rates, smoothing, and the known rules for reading a rate off a curve; see rate_curve.h. */
#include "train/rate_curve.h"

#include <math.h>

#define DIVERGED 4 /* times the least loss (fastai) */
#define POINTS_LEAST 10

void espl__rates_spread(double low, double high, int count, double *rate)
{
    for (int i = 0; i < count; i++)
        rate[i] = low * pow(high / low, count > 1 ? (double)i / (count - 1) : 0);
}

void espl__smooth(const double *loss, int count, double memory, double *smooth)
{
    double mean = 0, weight = 0; /* weight = 1 - memory^(i + 1) */

    for (int i = 0; i < count; i++) {
        mean = memory * mean + (1 - memory) * loss[i];
        weight = memory * weight + (1 - memory);
        smooth[i] = mean / weight;
    }
}

void espl__smooth_still(const double *loss, int count, double memory, double *smooth)
{
    double mean = 0, weight = 0;

    espl__smooth(loss, count, memory, smooth);
    for (int i = count - 1; i >= 0; i--) {
        mean = memory * mean + (1 - memory) * loss[i];
        weight = memory * weight + (1 - memory);
        smooth[i] = 0.5 * (smooth[i] + mean / weight);
    }
}

bool espl__has_diverged(const double *smooth, int count)
{
    return count >= POINTS_LEAST && smooth[count - 1] > DIVERGED * smooth[espl__lowest(smooth, count)];
}

int espl__lowest(const double *smooth, int count)
{
    int lowest = count > 0 ? 0 : -1;

    for (int i = 1; i < count; i++)
        if (smooth[i] < smooth[lowest])
            lowest = i;
    return lowest;
}

int espl__steepest(const double *rate, const double *smooth, int count)
{
    double least = 0;
    int steepest = -1;

    for (int i = 0; i + 1 < count; i++) {
        const double slope = (smooth[i + 1] - smooth[i]) / (log(rate[i + 1]) - log(rate[i]));
        if (slope < least) {
            least = slope;
            steepest = i;
        }
    }
    return steepest;
}

/* The longest strictly falling subsequence, of points that need not be neighbours. */
int espl__valley(const double *smooth, int count)
{
    int length[ESPL_RATE_POINTS_MAX], begin[ESPL_RATE_POINTS_MAX], end = -1;

    for (int i = 0; i < count; i++) {
        length[i] = 1;
        begin[i] = i;
        for (int j = 0; j < i; j++)
            if (smooth[j] > smooth[i] && length[j] + 1 > length[i]) {
                length[i] = length[j] + 1;
                begin[i] = begin[j];
            }
        if (length[i] > 1 && (end < 0 || length[i] > length[end]))
            end = i;
    }
    if (end < 0)
        return -1;
    return begin[end] + (end - begin[end]) / 3 + (end - begin[end]) / 6;
}
