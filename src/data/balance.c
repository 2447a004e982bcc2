/* Balanced sampling; see balance.h. A class of `size` samples that is due `quota` times comes whole as often
 * as that fits, and what is left over is drawn anew in each epoch. */
#include "data/balance.h"

#include "data/parts.h"

struct espl__balance {
    int64_t samples;
    int classes, present;           /* of the data; that have samples */
    int64_t *first;                 /* place in `member` of each class, and the end */
    int64_t *member, *list, *place; /* samples by class; draws of an epoch; of one class in a drawn order */
    espl__stream stream;
};

void espl__balance_free(espl_context *ctx, espl__balance *b)
{
    if (!b)
        return;
    espl__release(ctx, b->first);
    espl__release(ctx, b->member);
    espl__release(ctx, b->list);
    espl__release(ctx, b->place);
    espl__release(ctx, b);
}

static void sort_members(const espl_data *data, espl_part part, espl__balance *b)
{
    int64_t count = 0;

    for (int c = 0; c < b->classes; c++) {
        b->first[c] = count;
        for (int64_t i = 0; i < b->samples; i++)
            if (espl__data_label(data, part, i) == c)
                b->member[count++] = i;
        b->present += count > b->first[c];
    }
    b->first[b->classes] = count;
}

espl_status espl__balance_open(espl_data *data, espl_part part, uint64_t seed, espl__balance **result)
{
    espl_context *ctx = data->ctx;
    espl__balance *b = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(ctx, 1, sizeof *b, &b)))
        return s;
    b->samples = espl_data_count(data, part);
    b->classes = espl_data_classes(data);
    b->stream = espl__stream_of(seed, "balance");
    const size_t samples = (size_t)b->samples;
    if ((s = espl__allocate(ctx, (size_t)b->classes + 1, sizeof *b->first, &b->first)) ||
        (s = espl__allocate(ctx, samples, sizeof *b->member, &b->member)) ||
        (s = espl__allocate(ctx, samples, sizeof *b->list, &b->list)) ||
        (s = espl__allocate(ctx, samples, sizeof *b->place, &b->place))) {
        espl__balance_free(ctx, b);
        return s;
    }
    sort_members(data, part, b);
    *result = b;
    return ESPL_OK;
}

/* `quota` draws of one class. */
static void draw_class(espl__balance *b, int64_t epoch, int c, int64_t quota, int64_t *list)
{
    const int64_t *member = b->member + b->first[c], size = b->first[c + 1] - b->first[c];
    const int64_t whole = quota / size;
    espl__random random = espl__random_at(b->stream, (uint32_t)epoch, (uint64_t)c);

    for (int64_t i = 0; i < whole * size; i++)
        list[i] = member[i % size] + i / size * b->samples;
    espl__random_shuffle(&random, b->place, size);
    for (int64_t i = whole * size; i < quota; i++)
        list[i] = member[b->place[i - whole * size]] + whole * b->samples;
}

void espl__balance_map(espl__balance *b, int64_t epoch, int64_t *order)
{
    int64_t at = 0, number = epoch; /* who gets one of what is left over changes from epoch to epoch */

    for (int c = 0; c < b->classes; c++) {
        if (b->first[c] == b->first[c + 1])
            continue;
        const int64_t quota = b->samples / b->present + (number++ % b->present < b->samples % b->present);
        draw_class(b, epoch, c, quota, b->list + at);
        at += quota;
    }
    for (int64_t i = 0; i < b->samples; i++)
        order[i] = b->list[order[i]];
}
