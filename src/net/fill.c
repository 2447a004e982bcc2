/* First values of parameters. Every parameter draws from a stream of its own, in chunks with
 * coordinates of their own, so that any number of workers draws the same values and a layer begins the
 * same whatever is added to the net around it. */
#include "net/net.h"

#include <math.h>
#include <stdio.h>

#define CHUNK 4096

/* Box and Muller in single precision, taking both numbers of each pair: a large net draws hundreds of
 * millions. The largest number is 5.9 deviations. */
static void draw(float *values, int64_t count, espl__stream stream, int64_t chunk, float deviation)
{
    uint32_t word[4];

    for (int64_t i = 0; i < count; i += 4) {
        float four[4];
        espl__random_words(stream, 0, (uint64_t)chunk, (uint32_t)(i / 4), word);
        for (int k = 0; k < 4; k += 2) {
            const float uniform = ((float)(word[k] >> 8) + 0.5f) * 0x1p-24f; /* in (0,1) */
            const float angle = 6.2831853f * 0x1p-24f * (float)(word[k + 1] >> 8);
            const float radius = deviation * sqrtf(-2.0f * logf(uniform));
            four[k] = radius * cosf(angle);
            four[k + 1] = radius * sinf(angle);
        }
        for (int k = 0; k < 4 && i + k < count; k++)
            values[i + k] = four[k];
    }
}

static void set(float *values, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
}

static void fill_chunk(float *values, int64_t count, const espl__parameter_spec *spec, espl__stream stream,
                       int64_t chunk)
{
    switch (spec->fill) {
    case ESPL__FILL_ZERO:
        set(values, count, 0);
        break;
    case ESPL__FILL_ONE:
        set(values, count, 1);
        break;
    case ESPL__FILL_CONSTANT:
        set(values, count, (float)spec->constant);
        break;
    case ESPL__FILL_HE:
        draw(values, count, stream, chunk, (float)sqrt(2.0 / (double)spec->fan_in));
        break;
    }
}

typedef struct filling {
    espl_net *net;
    uint64_t seed;
    int first, end; /* parameters */
} filling;

/* Chunks are dealt out in turn over all parameters. */
static void fill_share(void *argument, int worker, int workers)
{
    const filling *f = argument;
    const espl__graph *graph = f->net->graph;
    int64_t dealt = 0;

    for (int p = f->first; p < f->end; p++) {
        const int64_t count = f->net->parameters[p].count;
        char name[512];
        if (f->net->parameters[p].frozen)
            continue;
        snprintf(name, sizeof name, "fill/%s", graph->parameters[p].name);
        const espl__stream stream = espl__stream_of(f->seed, name);
        for (int64_t chunk = 0; chunk * CHUNK < count; chunk++, dealt++) {
            const int64_t first = chunk * CHUNK;
            if (dealt % workers == worker)
                fill_chunk(f->net->parameters[p].value + first, count - first < CHUNK ? count - first : CHUNK,
                           &graph->parameters[p].spec, stream, chunk);
        }
    }
}

void espl__net_fill(espl_net *net, uint64_t seed)
{
    espl__workers_run(net->ctx, fill_share, &(filling){ net, seed, 0, net->graph->parameter_count });
}

void espl__net_fill_parameter(espl_net *net, int parameter, uint64_t seed)
{
    espl__workers_run(net->ctx, fill_share, &(filling){ net, seed, parameter, parameter + 1 });
}
