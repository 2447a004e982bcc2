/* The boxes that slice, pad and concat copy. */
#include "ops/box.h"

static espl__box whole(espl__shape shape)
{
    espl__box box;

    for (int d = 0; d < ESPL__RANK_MAX; d++) {
        box.count[d] = d < shape.rank ? shape.dim[d] : 1;
        box.source[d] = box.target[d] = 0;
        box.step[d] = 1;
    }
    return box;
}

static int64_t item(const espl_counts *list, int d, int64_t fallback)
{
    return d < list->count ? list->item[d] : fallback;
}

espl__box espl__slice_box(const espl__slice *a, espl__shape input)
{
    espl__box box = whole(input);

    for (int d = 0; d < input.rank; d++) {
        int64_t begin = item(&a->begin, d, 0), end = item(&a->end, d, 0);
        begin += begin < 0 ? input.dim[d] : 0;
        end += end <= 0 ? input.dim[d] : 0;
        box.source[d] = begin;
        box.step[d] = item(&a->step, d, 1);
        box.count[d] = end > begin ? (end - begin + box.step[d] - 1) / box.step[d] : 0;
    }
    return box;
}

espl__box espl__pad_box(const espl__pad *a, espl__shape input)
{
    espl__box box = whole(input);

    for (int d = 0; d < input.rank; d++)
        box.target[d] = item(&a->before, d, 0);
    return box;
}

espl__box espl__concat_box(const espl__shape *inputs, int i)
{
    espl__box box = whole(inputs[i]);

    for (int before = 0; before < i; before++)
        box.target[0] += inputs[before].dim[0];
    return box;
}
