/* Comparing nets that are to become one; see alike.h. */
#include "net/alike.h"

#include <math.h>

/* Of a deviation: means measured on slightly different samples agree well within it. */
#define MEANS_APART 0.02

static espl_status check_shapes(const espl_net *first, const espl_net *net, int number)
{
    const espl__shape a = first->graph->nodes[0].shape, b = net->graph->nodes[0].shape;
    char of_first[96], of_net[96];

    if (!espl__shape_equal(a, b))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "net %d (\"%s\") takes samples of %s but net 1 (\"%s\") of %s: give nets that take the same "
                          "samples",
                          number, net->name, espl__shape_text(b, of_net), first->name, espl__shape_text(a, of_first));
    if (espl_net_classes(first) != espl_net_classes(net))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "net %d (\"%s\") tells %d classes apart but net 1 (\"%s\") %d: give nets for the same classes",
                          number, net->name, espl_net_classes(net), first->name, espl_net_classes(first));
    return ESPL_OK;
}

static espl_status check_classes(const espl_net *first, const espl_net *net, int number)
{
    for (int c = 0; c < first->class_count && c < net->class_count; c++)
        if (!espl__text_equal(first->classes[c], net->classes[c]))
            return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                              "net %d calls class %d \"%s\" but net 1 \"%s\": give nets trained for the same classes "
                              "in the same order",
                              number, c, net->classes[c], first->classes[c]);
    return ESPL_OK;
}

static bool prepared_alike(const espl__preparation *a, const espl__preparation *b)
{
    if (!a->known || !b->known)
        return true;
    if (a->channels != b->channels || fabs(a->scale - b->scale) > 1e-6 * fabs(a->scale) ||
        !espl__text_equal(a->resize, b->resize) || !espl__text_equal(a->order, b->order))
        return false;
    for (int c = 0; c < a->channels && c < 4; c++)
        if (fabs(a->mean[c] - b->mean[c]) > MEANS_APART * a->deviation[c] ||
            fabs(a->deviation[c] - b->deviation[c]) > MEANS_APART * a->deviation[c])
            return false;
    return true;
}

espl_status espl__nets_answer_alike(espl_net *const *nets, int count)
{
    espl_status s = ESPL_OK;

    for (int i = 1; i < count && !s; i++) {
        if ((s = check_shapes(nets[0], nets[i], i + 1)) || (s = check_classes(nets[0], nets[i], i + 1)))
            return s;
        if (!prepared_alike(&nets[0]->preparation, &nets[i]->preparation))
            s = espl__fail(nets[i]->ctx, ESPL_BAD_SHAPE,
                           "net %d wants its samples prepared otherwise than net 1 (scale, mean, deviation, order or "
                           "resizing; `espalier inspect` shows them): one sample cannot serve both",
                           i + 1);
    }
    return s;
}
