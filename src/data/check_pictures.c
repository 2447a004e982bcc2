/* Each picture on its own: can it be read, what is it, what does it look like? */
#include "data/checked.h"
#include "data/picture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE ESPL__PRINT_SIDE

typedef struct looking {
    espl__checking *checking;
    atomic_int status; /* of what is no fault of the picture: memory, an interrupt */
} looking;

static void note_why(espl__checked *item, const char *name, const char *message)
{
    const size_t length = strlen(name);
    const bool named = !strncmp(message, name, length) && !strncmp(message + length, ": ", 2);

    snprintf(item->why, sizeof item->why, "%.199s", named ? message + length + 2 : message);
}

static espl_status look_at(const espl__checking *c, espl__checked *item, espl__reading *reading)
{
    static const espl__fitting fitting = { 3, SIDE, SIDE, ESPL__FIT_STRETCH };
    float planes[3 * SIDE * SIDE];
    char name[ESPL__LONGEST_PATH];
    int64_t shape[3] = { 0 };
    size_t bytes = 0;

    espl__checked_name(c, item - c->item, name);
    espl_status s = espl__picture_files_read(&c->files[item->part], item->index, reading, &bytes);
    const uint8_t *data = reading->block[ESPL__READING_FILE].data;
    if (!s) {
        item->content = espl__hash(data, bytes, 0);
        item->format = espl__picture_format(data, bytes);
        item->orientation = espl__picture_orientation(data, bytes);
        s = espl__picture_measure(name, data, bytes, shape, reading);
        item->height = shape[1];
        item->width = shape[2];
    }
    if (!s)
        s = espl__picture_decode(name, data, bytes, &fitting, planes, reading);
    if (!s) {
        item->decoded = true;
        espl__fingerprint_take(planes, &item->print);
    } else if (s != ESPL_NO_MEMORY) {
        note_why(item, name, reading->message);
        s = ESPL_OK;
    }
    return s;
}

static void look(void *argument, int worker, int workers)
{
    looking *l = argument;
    espl__checking *c = l->checking;
    espl__reading reading = { .ctx = c->ctx };

    for (int64_t i = worker; i < c->count && !atomic_load(&l->status); i += workers) {
        const espl_status s = espl__interrupted(c->ctx) ? ESPL_INTERRUPTED
                                                        : look_at(c, &c->item[i], &reading);
        if (s)
            atomic_store(&l->status, (int)s);
    }
    espl__reading_end(&reading);
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static espl_status find_usual_side(espl__checking *c)
{
    int64_t *side = NULL, count = 0;
    const espl_status s = espl__allocate(c->ctx, (size_t)c->count + 1, sizeof *side, &side);

    if (s)
        return s;
    for (int64_t i = 0; i < c->count; i++)
        if (c->item[i].decoded)
            side[count++] = c->item[i].height < c->item[i].width ? c->item[i].height : c->item[i].width;
    qsort(side, (size_t)count, sizeof *side, by_size);
    c->usual_side = side[count / 2];
    espl__release(c->ctx, side);
    return ESPL_OK;
}

espl_status espl__check_pictures(espl__checking *c)
{
    looking l = { .checking = c };

    espl__workers_run(c->ctx, look, &l);
    const espl_status s = (espl_status)atomic_load(&l.status);
    if (s == ESPL_INTERRUPTED)
        return espl__fail(c->ctx, s, "stopped while the pictures were looked at");
    if (s)
        return espl__fail(c->ctx, s, "not enough memory to decode the pictures");
    return find_usual_side(c);
}
