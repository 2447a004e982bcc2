/* What the targets of the data readers share: open, read some samples, measure, give everything
 * back. */
#ifndef ESPL_TESTS_FUZZ_DATA_H
#define ESPL_TESTS_FUZZ_DATA_H

#include "data/data.h"
#include "data/reading.h"
#include "fuzz.h"

#include <stdlib.h>

#define FUZZ_SAMPLES 4
#define FUZZ_LARGEST ((int64_t)1 << 22) /* larger samples are opened but not read, for speed */

static inline void fuzz_read(espl_context *ctx, espl_data *data)
{
    int64_t shape[3];
    double mean[4], deviation[4];
    espl__reading reading = { .ctx = ctx };

    espl_data_shape(data, shape);
    const int64_t size = shape[0] * shape[1] * shape[2];
    float *memory = size <= FUZZ_LARGEST ? malloc((size_t)size * 4 * sizeof(float)) : NULL;
    espl_sample sample = { .values = memory,
                           .spare = memory + (memory ? 2 * size : 0),
                           .capacity = 2 * size };
    for (int part = 0; part < 2 && memory; part++)
        for (int64_t i = 0; i < espl_data_count(data, (espl_part)part) && i < FUZZ_SAMPLES; i++) {
            char name[256];
            if (espl__data_read(data, (espl_part)part, i, &sample, &reading) && !*reading.message)
                abort();
            espl__data_sample_name(data, (espl_part)part, i, name);
            if (espl__data_label(data, (espl_part)part, i) >= espl_data_classes(data) || !*name)
                abort();
        }
    if (memory && espl_data_count(data, ESPL_TRAIN) <= 64)
        fuzz_status(ctx, espl__data_measure(data, 1, mean, deviation));
    espl__reading_end(&reading);
    free(memory);
}

static inline void fuzz_open(espl_context *ctx, const char *path,
                             const espl_data_settings *settings)
{
    espl_data *data = NULL;

    fuzz_status(ctx, espl_data_open(ctx, path, settings, &data));
    if (data)
        fuzz_read(ctx, data);
    espl_data_free(data);
    if (espl__bytes_now(ctx))
        abort();
}

/* Inputs of two files: the length of the first in two bytes, then both. */
static inline size_t fuzz_halves(const uint8_t *data, size_t bytes)
{
    const size_t first = bytes < 2 ? 0 : (size_t)data[0] | (size_t)data[1] << 8;

    return bytes < 2 ? 0 : first < bytes - 2 ? first
                                             : bytes - 2;
}

#endif
