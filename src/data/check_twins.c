/* The same picture twice: every pair is compared, by hash and by a few bits first, so that a hundred
 * thousand pictures take seconds. */
#include "data/checked.h"

#define BLANK 2.0f /* standard deviation of grey values under which pictures look all alike */

static bool comparable(const espl__checked *item)
{
    return item->decoded && item->print.deviation >= BLANK;
}

/* The first earlier picture that is the same file, else the first that is the same picture. */
static void find_twin(const espl__checking *c, espl__checked *item)
{
    const int64_t own = item - c->item;

    item->twin = -1;
    if (!item->decoded)
        return;
    for (int64_t i = 0; i < own; i++) {
        const espl__checked *other = &c->item[i];
        if (!other->decoded)
            continue;
        if (other->content == item->content) {
            item->twin = i;
            item->same_file = true;
            return;
        }
        if (item->twin < 0 && comparable(item) && comparable(other) &&
            espl__fingerprint_same(&other->print, &item->print))
            item->twin = i;
    }
}

static void find_twins(void *argument, int worker, int workers)
{
    espl__checking *c = argument;

    for (int64_t i = worker; i < c->count && !espl__interrupted(c->ctx); i += workers)
        find_twin(c, &c->item[i]);
}

espl_status espl__check_twins(espl__checking *c)
{
    espl__workers_run(c->ctx, find_twins, c);
    if (espl__interrupted(c->ctx))
        return espl__fail(c->ctx, ESPL_INTERRUPTED, "stopped while the pictures were compared");
    return ESPL_OK;
}
