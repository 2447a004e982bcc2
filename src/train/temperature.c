/* Softmax with a temperature, and the temperature that suits; see temperature.h. */
#include "train/temperature.h"

#include <math.h>

#define HALVINGS 50 /* of an interval of 9.2 in ln(temperature) */

/* Around the largest logit, so that nothing overflows. */
static double largest_of(const float *logits, int classes)
{
    double largest = (double)logits[0];

    for (int k = 1; k < classes; k++)
        largest = fmax(largest, (double)logits[k]);
    return largest;
}

void espl__temper(float *logits, int classes, double temperature)
{
    const double largest = largest_of(logits, classes);
    double sum = 0;

    for (int k = 0; k < classes; k++)
        sum += exp(((double)logits[k] - largest) / temperature);
    for (int k = 0; k < classes; k++)
        logits[k] = (float)(exp(((double)logits[k] - largest) / temperature) / sum);
}

double espl__tempered_loss(const float *logits, int classes, int label, double temperature)
{
    const double largest = largest_of(logits, classes);
    double sum = 0;

    for (int k = 0; k < classes; k++)
        sum += exp(((double)logits[k] - largest) / temperature);
    return log(sum) - ((double)logits[label] - largest) / temperature;
}

/* The derivative of the mean loss by b = 1 / temperature, sum_k p_k z_k - z_label. The loss is convex in b, so this
 * grows with b. */
static double slope(const float *logits, const int32_t *label, int64_t samples, int classes, double b)
{
    double total = 0;

    for (int64_t n = 0; n < samples; n++) {
        const float *z = logits + n * classes;
        const double largest = largest_of(z, classes);
        double sum = 0, weighted = 0;
        if (label[n] < 0 || label[n] >= classes)
            continue;
        for (int k = 0; k < classes; k++) {
            const double p = exp(b * ((double)z[k] - largest));
            sum += p;
            weighted += p * ((double)z[k] - largest);
        }
        total += weighted / sum - ((double)z[label[n]] - largest);
    }
    return total;
}

bool espl__find_temperature(const float *logits, const int32_t *label, int64_t samples, int classes, double *result)
{
    double low = 1 / ESPL__TEMPERATURE_MAX, high = ESPL__TEMPERATURE_MAX;

    *result = 1;
    if (!(slope(logits, label, samples, classes, low) < 0) || !(slope(logits, label, samples, classes, high) > 0))
        return false;
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = sqrt(low * high);
        if (slope(logits, label, samples, classes, middle) < 0)
            low = middle;
        else
            high = middle;
    }
    *result = 1 / sqrt(low * high);
    return true;
}
