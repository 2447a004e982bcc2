/* Holding samples out, class by class, and using only some of them. */
#include "data/parts.h"

#include <math.h>

/* How many to hold out of each class: share * size, rounded down, and what is missing to the total
 * goes to the largest remainders (the lower class first where they are equal). */
static void apportion(const int64_t *size, int classes, double share, int64_t total, int64_t *quota)
{
    int64_t given = 0;

    for (int c = 0; c < classes; c++) {
        quota[c] = (int64_t)floor(share * (double)size[c]);
        if (quota[c] >= size[c])
            quota[c] = size[c] ? size[c] - 1 : 0;
        given += quota[c];
    }
    while (given < total) {
        int best = -1;
        double most = -INFINITY;
        for (int c = 0; c < classes; c++) {
            const double missing = share * (double)size[c] - (double)quota[c];
            if (quota[c] + 1 < size[c] && missing > most) {
                most = missing;
                best = c;
            }
        }
        if (best < 0)
            return; /* every class is down to one sample */
        quota[best]++;
        given++;
    }
}

/* Draws quota[c] samples of each class: `member` lists the samples class after class. */
static void draw_members(const int64_t *size, const int64_t *quota, int classes, uint64_t seed,
                         const int64_t *member, int64_t *order, bool *held)
{
    const espl__stream stream = espl__stream_of(seed, "split");

    for (int c = 0; c < classes; c++) {
        espl__random random = espl__random_at(stream, (uint32_t)c, 0);
        espl__random_shuffle(&random, order, size[c]);
        for (int64_t i = 0; i < quota[c]; i++)
            held[member[order[i]]] = true;
        member += size[c];
    }
}

/* Lists the samples class after class in `member`, and says how many there are of each. */
static void sort_by_class(const int32_t *labels, int64_t count, int classes, int64_t *size,
                          int64_t *place, int64_t *member)
{
    int64_t before = 0;

    for (int64_t i = 0; i < count; i++)
        size[labels[i]]++;
    for (int c = 0; c < classes; c++) {
        place[c] = before;
        before += size[c];
    }
    for (int64_t i = 0; i < count; i++)
        member[place[labels[i]]++] = i;
}

espl_status espl__split(espl_context *ctx, const int32_t *labels, int64_t count, int classes,
                        double share, uint64_t seed, bool *held)
{
    int64_t *size = NULL, *member = NULL;
    espl_status status = espl__allocate(ctx, (size_t)classes * 3, sizeof *size, &size);
    const int64_t wanted = (int64_t)floor(share * (double)count + 0.5);

    if (!status)
        status = espl__allocate(ctx, (size_t)count * 2, sizeof *member, &member);
    if (!status) {
        int64_t *quota = size + classes;
        sort_by_class(labels, count, classes, size, quota + classes, member);
        for (int64_t i = 0; i < count; i++)
            held[i] = false;
        apportion(size, classes, share, wanted < 1 ? 1 : wanted, quota);
        draw_members(size, quota, classes, seed, member, member + count, held);
    }
    espl__release(ctx, size);
    espl__release(ctx, member);
    return status;
}

/* The members of each class are shuffled and dealt out in turn, going on where the class before
 * stopped. */
espl_status espl__split_fold(espl_context *ctx, const int32_t *labels, int64_t count, int classes,
                             int64_t folds, int64_t fold, uint64_t seed, bool *held)
{
    const espl__stream stream = espl__stream_of(seed, "folds");
    int64_t *size = NULL, *member = NULL, dealt = 0;
    espl_status status = espl__allocate(ctx, (size_t)classes * 2, sizeof *size, &size);

    if (!status)
        status = espl__allocate(ctx, (size_t)count * 2, sizeof *member, &member);
    if (!status) {
        int64_t *order = member + count;
        sort_by_class(labels, count, classes, size, size + classes, member);
        for (int c = 0; c < classes; c++) {
            espl__random random = espl__random_at(stream, (uint32_t)c, 0);
            const int64_t *of_class = member + dealt;
            espl__random_shuffle(&random, order, size[c]);
            for (int64_t i = 0; i < size[c]; i++)
                held[of_class[order[i]]] = dealt++ % folds == fold;
        }
    }
    espl__release(ctx, size);
    espl__release(ctx, member);
    return status;
}

espl_status espl__limit(espl_context *ctx, const int32_t *labels, int classes, int64_t limit,
                        int64_t *order, int64_t *count)
{
    int64_t *size = NULL, kept = 0, rounds = 0, left = limit, written = 0;
    espl_status status = ESPL_OK;

    if (limit <= 0 || limit >= *count)
        return ESPL_OK;
    status = espl__allocate(ctx, (size_t)classes * 2, sizeof *size, &size);
    if (status)
        return status;
    int64_t *taken = size + classes;
    for (int64_t i = 0; i < *count; i++)
        size[labels[order[i]]]++;
    for (; kept < limit; rounds++) /* whole rounds: one of each class that still has some */
        for (int c = 0; c < classes; c++)
            kept += size[c] > rounds;
    rounds--; /* the last round is cut: only the first classes get one more */
    for (int c = 0; c < classes; c++) {
        taken[c] = size[c] < rounds ? size[c] : rounds;
        left -= taken[c];
    }
    for (int c = 0; c < classes && left > 0; c++)
        if (size[c] > rounds) {
            taken[c]++;
            left--;
        }
    for (int64_t i = 0; i < *count; i++)
        if (taken[labels[order[i]]]-- > 0)
            order[written++] = order[i];
    *count = written;
    espl__release(ctx, size);
    return ESPL_OK;
}
