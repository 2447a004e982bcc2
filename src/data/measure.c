/* Mean and standard deviation of each channel, over the training samples as they come from the
 * source. */
#include "data/parts.h"
#include "data/reading.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define MOST_SAMPLES 10000
#define GROUPS 4 /* channels with figures of their own; more channels than that share one group */

typedef struct moments {
    double count, mean, deviations; /* the last: sum of squared deviations from the mean */
} moments;

typedef struct measuring {
    espl_data *data;
    int64_t samples, groups, size;
    double scale;
    moments *each; /* samples x groups */
    atomic_int failed;
    espl_status status;
    char message[512];
} measuring;

static moments moments_of(const float *values, int64_t count, double scale)
{
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    const double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (moments){ (double)count, mean * scale, squares * scale * scale };
}

static moments merge(moments a, moments b)
{
    if (!a.count)
        return b;
    const double count = a.count + b.count, apart = b.mean - a.mean;

    return (moments){ count, a.mean + apart * b.count / count,
                      a.deviations + b.deviations + apart * apart * a.count * b.count / count };
}

static espl_status measure_one(measuring *m, int64_t sample_number, espl_sample *sample,
                               espl__reading *reading)
{
    const int64_t count = espl_data_count(m->data, ESPL_TRAIN), part = m->size / m->groups;
    const int64_t index = (int64_t)((double)sample_number * (double)count / (double)m->samples);
    const espl_status status = espl__data_read(m->data, ESPL_TRAIN, index, sample, reading);

    for (int64_t g = 0; g < m->groups && !status; g++)
        m->each[sample_number * m->groups + g] = moments_of(sample->values + g * part, part,
                                                            m->scale);
    return status;
}

/* One worker: every sample is measured alone, so that the result does not depend on who did it. */
static void measure_some(void *argument, int worker, int workers)
{
    measuring *m = argument;
    espl__reading reading = { .ctx = m->data->ctx };
    espl_sample sample = { .capacity = 2 * m->size };
    espl_status status = ESPL_OK;

    sample.values = espl__allocate_quietly(m->data->ctx, 4 * (size_t)m->size, sizeof(float));
    if (!sample.values)
        status = espl__reading_fail(&reading, ESPL_NO_MEMORY,
                                    "not enough memory for a sample of %lld values",
                                    (long long)m->size);
    else
        sample.spare = sample.values + 2 * m->size;
    for (int64_t i = worker; i < m->samples && !status && !atomic_load(&m->failed); i += workers)
        status = measure_one(m, i, &sample, &reading);
    if (status && !atomic_exchange(&m->failed, 1)) {
        m->status = status;
        memcpy(m->message, reading.message, sizeof m->message);
    }
    espl__release(m->data->ctx, sample.values < sample.spare ? sample.values : sample.spare);
    espl__reading_end(&reading);
}

espl_status espl__data_measure(espl_data *data, double scale, double mean[4], double deviation[4])
{
    const int64_t count = espl_data_count(data, ESPL_TRAIN);
    measuring m = { .data = data,
                    .samples = count < MOST_SAMPLES ? count : MOST_SAMPLES,
                    .scale = scale };
    espl_status status;

    m.groups = data->shape[0] > GROUPS ? 1 : data->shape[0];
    m.size = data->shape[0] * data->shape[1] * data->shape[2];
    status = espl__allocate(data->ctx, (size_t)(m.samples * m.groups), sizeof *m.each, &m.each);
    if (status)
        return status;
    espl__workers_run(data->ctx, measure_some, &m);
    if (m.status)
        status = espl__fail(data->ctx, m.status, "%s", m.message);
    for (int g = 0; g < GROUPS && !status; g++) {
        moments all = { 0 };
        for (int64_t i = 0; i < m.samples; i++)
            all = merge(all, m.each[i * m.groups + (g < m.groups ? g : 0)]);
        mean[g] = all.mean;
        deviation[g] = sqrt(all.deviations / all.count);
        /* what varies by less than a float can tell is constant and carries nothing; keep it finite
         */
        if (!(deviation[g] > 1e-7 * fabs(mean[g])))
            deviation[g] = 1;
    }
    espl__release(data->ctx, m.each);
    return status;
}
