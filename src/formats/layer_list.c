/* Names of tensors taken apart into layers. */
#include "formats/fill_net.h"

#include <string.h>

/* How many characters of "conv1.weight" are the layer; Keras puts a slash. 0: no layer. */
static size_t layer_length(const char *name)
{
    const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
    const char *end = !dot || (slash && slash > dot) ? slash : dot;

    return end ? (size_t)(end - name) : 0;
}

static espl_status copy(espl_context *ctx, const char *text, size_t length, char **result)
{
    const espl_status s = espl__allocate(ctx, length + 1, 1, result);

    if (!s)
        memcpy(*result, text, length);
    return s;
}

static espl_status take_apart(const espl__tensors *tensors, int index, espl__layer_list *list)
{
    const char *name = tensors->reader->at(tensors, index)->name;
    const size_t length = layer_length(name);
    const char *own = name + length + (length > 0);
    const size_t own_length = strcspn(own, ":"); /* TensorFlow's "kernel:0" */
    espl_status s;

    if (espl__text_equal(own, "num_batches_tracked"))
        return ESPL_OK;
    if ((s = copy(tensors->ctx, name, length, &list->layer[index])))
        return s;
    espl__foreign_plain(list->layer[index]);
    return copy(tensors->ctx, own, own_length, &list->own[index]);
}

/* Takes `prefix` off if every layer has it: what DataParallel and torch.compile put around a net. */
static void unwrap(espl__layer_list *list, const char *prefix)
{
    const size_t length = strlen(prefix);

    for (int i = 0; i < list->count; i++)
        if (list->layer[i] && strncmp(list->layer[i], prefix, length) != 0)
            return;
    for (int i = 0; i < list->count; i++)
        if (list->layer[i])
            memmove(list->layer[i], list->layer[i] + length, strlen(list->layer[i] + length) + 1);
}

espl_status espl__layer_list_make(const espl__tensors *tensors, espl__layer_list *list)
{
    espl_status s;

    *list = (espl__layer_list){ .count = tensors->count };
    if ((s = espl__allocate(tensors->ctx, (size_t)list->count, sizeof *list->layer, &list->layer)) ||
        (s = espl__allocate(tensors->ctx, (size_t)list->count, sizeof *list->own, &list->own)))
        return s;
    for (int i = 0; i < list->count && !s; i++)
        s = take_apart(tensors, i, list);
    if (!s) {
        unwrap(list, "module.");
        unwrap(list, "_orig_mod.");
    }
    return s;
}

void espl__layer_list_free(espl_context *ctx, espl__layer_list *list)
{
    for (int i = 0; i < list->count; i++) {
        if (list->layer)
            espl__release(ctx, list->layer[i]);
        if (list->own)
            espl__release(ctx, list->own[i]);
    }
    espl__release(ctx, list->layer);
    espl__release(ctx, list->own);
    *list = (espl__layer_list){ 0 };
}
