/* Counting hits; see tally.h. A net whose answers are no numbers hits nothing. */
#include "train/tally.h"

#include <math.h>

int espl__answer(const float *values, int count)
{
    int best = 0;

    if (count == 1)
        return isnan(values[0]) ? -1 : values[0] > 0;
    for (int i = 0; i < count; i++) {
        if (isnan(values[i]))
            return -1;
        if (values[i] > values[best])
            best = i;
    }
    return best;
}

int espl__rank(const float *values, int count, int label)
{
    int before = 0;

    for (int i = 0; i < count; i++) {
        if (isnan(values[i]))
            return count;
        before += values[i] > values[label] || (i < label && values[i] == values[label]);
    }
    return before;
}

static int rank_of(const float *values, int count, int label)
{
    if (count == 1) /* one logit for two classes: the first guess or the second */
        return espl__answer(values, 1) == label ? 0 : 1;
    return label >= 0 && label < count ? espl__rank(values, count, label) : count;
}

void espl__sums_add(espl__sums *sums, const float *values, int count, int label, double loss, double weight)
{
    const int rank = rank_of(values, count, label);

    sums->samples++;
    sums->top1 += rank == 0;
    sums->top5 += rank < 5 && (rank < count || (count == 1 && !isnan(values[0])));
    sums->loss += loss;
    sums->weight += weight;
}

double espl__sums_loss(const espl__sums *sums)
{
    return sums->weight > 0 ? sums->loss / sums->weight : 0;
}

double espl__sums_top1(const espl__sums *sums)
{
    return sums->samples ? (double)sums->top1 / (double)sums->samples : 0;
}

double espl__sums_top5(const espl__sums *sums)
{
    return sums->samples ? (double)sums->top5 / (double)sums->samples : 0;
}
