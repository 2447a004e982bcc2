/* Data whose classes are put in the order of somebody else's, who may know more of them: of a net that was trained
 * on other pictures. */
#include "data/parts.h"

static int find(const char *const *names, int count, const char *name)
{
    for (int c = 0; c < count; c++)
        if (espl__text_equal(names[c], name))
            return c;
    return -1;
}

bool espl__data_classes_among(const espl_data *data, const char *const *names, int count)
{
    for (int c = 0; c < data->classes; c++)
        if (find(names, count, data->names[c]) < 0)
            return false;
    return true;
}

static bool are_the_same(const espl_data *data, const char *const *names, int count)
{
    if (data->classes != count)
        return false;
    for (int c = 0; c < count; c++)
        if (!espl__text_equal(data->names[c], names[c]))
            return false;
    return true;
}

/* Class in the source -> one of `names`, for both parts. */
static espl_status map_labels(espl_data *data, const char *const *names, int count, int32_t *map[2])
{
    for (int p = 0; p < 2; p++) {
        const bool test = p == ESPL_HELD_OUT && data->test_state;
        const int classes = test ? data->test_source->classes(data->test_state) : data->source->classes(data->state);
        const espl_status s = espl__allocate(data->ctx, (size_t)classes, sizeof **map, &map[p]);
        if (s)
            return s;
        for (int c = 0; c < classes; c++)
            map[p][c] = find(names, count, data->names[data->part[p].class ? data->part[p].class[c] : c]);
    }
    return ESPL_OK;
}

static espl_status copy_names(espl_data *data, const char *const *names, int count, char ***result)
{
    espl_status s = espl__allocate(data->ctx, (size_t)count, sizeof **result, result);

    for (int c = 0; c < count && !s; c++)
        s = espl__copy_text(data->ctx, names[c], &(*result)[c]);
    return s;
}

static void free_names(espl_data *data, char **names, int count)
{
    for (int c = 0; names && c < count; c++)
        espl__release(data->ctx, names[c]);
    espl__release(data->ctx, names);
}

espl_status espl__data_take_classes(espl_data *data, const char *const *names, int count)
{
    int32_t *map[2] = { NULL };
    char **copies = NULL;
    espl_status s;

    if (are_the_same(data, names, count))
        return ESPL_OK;
    if ((s = map_labels(data, names, count, map)) || (s = copy_names(data, names, count, &copies))) {
        free_names(data, copies, count);
        espl__release(data->ctx, map[0]);
        espl__release(data->ctx, map[1]);
        return s;
    }
    free_names(data, data->names, data->classes);
    data->names = copies;
    data->classes = count;
    for (int p = 0; p < 2; p++) {
        espl__release(data->ctx, data->class[p]);
        data->part[p].class = data->class[p] = map[p];
    }
    return ESPL_OK;
}
