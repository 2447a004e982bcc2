/* One augmentation, opened as a run opens it, acting on one sample that the test made. Include
 * after cmocka.h. */
#ifndef ESPL_AUGMENT_RIG_H
#define ESPL_AUGMENT_RIG_H

#include "data/parts.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_CAPACITY (3 * 64 * 64)

typedef struct rig {
    espl_context *ctx;
    espl_run run;
    espl_data data;
    float memory[2][2 * RIG_CAPACITY];
    float neutral[4];
    espl_sample sample;
} rig;

/* A run over samples of that shape with this one technique; what it says about its options. */
static inline espl_status rig_try(rig *r, const char *name, const char *options, int64_t channels,
                                  int64_t height, int64_t width)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(espl_context_open(NULL, &r->ctx), ESPL_OK);
    r->run.ctx = r->ctx;
    r->run.data = &r->data;
    r->data.shape[0] = channels;
    r->data.shape[1] = height;
    r->data.shape[2] = width;
    const espl_status status = espl_run_attach(&r->run, name, options);
    return status ? status : espl__moment(&r->run, ESPL_NET_READY);
}

/* On the heap, for its size; ended by rig_close. */
static inline rig *rig_open(const char *name, const char *options, int64_t channels, int64_t height,
                            int64_t width)
{
    rig *r = malloc(sizeof *r);

    assert_non_null(r);
    if (rig_try(r, name, options, channels, height, width))
        fail_msg("%s", espl_message(r->ctx));
    assert_non_null(r->run.members[0].technique->augment);
    return r;
}

static inline void rig_close(rig *r)
{
    espl__members_free(&r->run);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
    free(r);
}

static inline void rig_refuses(const char *name, const char *options, int64_t channels,
                               int64_t height, int64_t width, const char *words)
{
    rig *r = malloc(sizeof *r);

    assert_non_null(r);
    if (rig_try(r, name, options, channels, height, width) != ESPL_BAD_OPTION ||
        !strstr(espl_message(r->ctx), words))
        fail_msg("%s {%s}: %s", name, options, espl_message(r->ctx));
    rig_close(r);
}

/* A new sample whose value at (channel, y, x) is what `value` says. */
static inline void rig_fill(rig *r, float (*value)(int64_t c, int64_t y, int64_t x))
{
    const int64_t *shape = r->data.shape;

    r->sample = (espl_sample){ .values = r->memory[0],
                               .spare = r->memory[1],
                               .capacity = 2 * shape[0] * shape[1] * shape[2],
                               .channels = shape[0],
                               .height = shape[1],
                               .width = shape[2],
                               .neutral = r->neutral };
    for (int64_t c = 0; c < shape[0]; c++)
        for (int64_t y = 0; y < shape[1]; y++)
            for (int64_t x = 0; x < shape[2]; x++)
                r->memory[0][(c * shape[1] + y) * shape[2] + x] = value(c, y, x);
}

static inline espl_draw rig_draw(uint64_t index)
{
    return (espl_draw){ espl__random_at(espl__stream_of(7, "augment/rig/0"), 3, index) };
}

/* Acts on the sample with the draws of that index. The state must not change. */
static inline void rig_act(rig *r, uint64_t index)
{
    const espl__member *member = &r->run.members[0];
    const size_t size = member->technique->size;
    espl_draw draw = rig_draw(index);
    char before[256];

    assert_true(size <= sizeof before);
    memcpy(before, member->self, size);
    member->technique->augment(member->self, &r->sample, &draw);
    assert_memory_equal(before, member->self, size);
    assert_int_equal(r->sample.channels, r->data.shape[0]);
    assert_int_equal(r->sample.height, r->data.shape[1]);
    assert_int_equal(r->sample.width, r->data.shape[2]);
    assert_true(r->sample.values != r->sample.spare);
}

static inline float rig_at(const rig *r, int64_t c, int64_t y, int64_t x)
{
    return r->sample.values[(c * r->sample.height + y) * r->sample.width + x];
}

/* A sum of n values each within 0..1 with mean `mean` and deviation `deviation`: within five of its
 * own. */
static inline void rig_check_mean(double sum, int64_t n, double mean, double deviation)
{
    if (!(fabs(sum / (double)n - mean) < 5 * deviation / sqrt((double)n)))
        fail_msg("the mean of %lld draws is %g, expected %g", (long long)n, sum / (double)n, mean);
}

/* A number of its own for every place. */
static inline float rig_place(int64_t c, int64_t y, int64_t x)
{
    return (float)(1 + c * 10000 + y * 100 + x);
}

#endif
