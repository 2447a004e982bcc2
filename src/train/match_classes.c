/* The classes of a net and those of data are the same ones where they have the same names, in whatever order either
 * has them. */
#include "train/opening.h"

#include <stdio.h>

#define NUMBER 16 /* characters of a class without a name */

espl_status espl__match_classes(const espl_net *net, espl_data *data)
{
    const char *const *names = (const char *const *)net->classes;

    if (net->class_count < 2 || !espl__data_classes_among(data, names, net->class_count))
        return ESPL_OK;
    return espl__data_take_classes(data, names, net->class_count);
}

static bool is_among(const char *const *names, int count, const char *name)
{
    for (int c = 0; c < count; c++)
        if (espl__text_equal(names[c], name))
            return true;
    return false;
}

espl_status espl__join_classes(const espl_net *net, espl_data *data)
{
    const int old = espl_net_classes(net), there = espl_data_classes(data);
    const char **names = NULL;
    char(*numbers)[NUMBER] = NULL;
    int count = old;
    espl_status s;

    if (!(s = espl__allocate(net->ctx, (size_t)old + (size_t)there, sizeof *names, &names)) &&
        !(s = espl__allocate(net->ctx, (size_t)old, sizeof *numbers, &numbers))) {
        for (int c = 0; c < old; c++) {
            snprintf(numbers[c], NUMBER, "%d", c);
            names[c] = c < net->class_count ? net->classes[c] : numbers[c];
        }
        for (int c = 0; c < there; c++)
            if (!is_among(names, old, espl_data_class_name(data, c)))
                names[count++] = espl_data_class_name(data, c);
        s = espl__data_take_classes(data, names, count);
    }
    espl__release(net->ctx, numbers);
    espl__release(net->ctx, names);
    return s;
}
