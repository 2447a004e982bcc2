/* What the weights of a Keras file are called. Older layouts name every weight ("conv1/kernel"); since
 * 2.12 the weights of a layer are only counted ("conv1/vars0"), and what they are follows from the layer.
 * Some versions between did not write the layers' names either, but a name made of the layer's class and a
 * count ("layers/conv2d_1/vars0"), which only the model's config can turn into the layer. */
#include "formats/keras.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A stored name in two: of the layer, and in it. */
typedef struct halves {
    const char *layer, *own;
    int length; /* of the layer's */
} halves;

static halves split(const char *stored)
{
    const char *slash = strrchr(stored, '/');

    return slash ? (halves){ stored, slash + 1, (int)(slash - stored) } : (halves){ stored, stored, 0 };
}

static bool is_called(const espl__keras_layer *l, const char *name, int length)
{
    return strlen(l->name) == (size_t)length && memcmp(l->name, name, (size_t)length) == 0;
}

/* "BatchNormalization" as "batch_normalization", "Conv2D" as "conv2d". */
static void snake_case(const char *kind, char *text, size_t bytes)
{
    size_t n = 0;

    for (size_t i = 0; kind[i] && n + 2 < bytes; i++) {
        const bool upper = isupper((unsigned char)kind[i]) != 0;
        if (upper && i > 0 && (islower((unsigned char)kind[i - 1]) || islower((unsigned char)kind[i + 1])))
            text[n++] = '_';
        text[n++] = (char)tolower((unsigned char)kind[i]);
    }
    text[n] = 0;
}

/* The layer that is counted as `name`: "conv2d" is the first Conv2D, "conv2d_1" the second. */
static const espl__keras_layer *find_counted(const espl__keras *k, const char *name, int length)
{
    for (int i = 0; i < k->count; i++) {
        char counted[100];
        int before = 0;
        snake_case(k->layers[i].kind, counted, 80);
        for (int j = 0; j < i; j++)
            before += espl__text_equal(k->layers[j].kind, k->layers[i].kind);
        if (before)
            snprintf(counted + strlen(counted), 20, "_%d", before);
        if (strlen(counted) == (size_t)length && memcmp(counted, name, (size_t)length) == 0)
            return &k->layers[i];
    }
    return NULL;
}

#define COUNTED "layers/" /* in front of what some version called by class and count */

static bool is_counted(const halves *h)
{
    return h->length > (int)strlen(COUNTED) && strncmp(h->layer, COUNTED, strlen(COUNTED)) == 0;
}

static const espl__keras_layer *find_layer(const espl__keras *k, const halves *h)
{
    for (int i = 0; i < k->count; i++)
        if (is_called(&k->layers[i], h->layer, h->length))
            return &k->layers[i];
    return is_counted(h) ? find_counted(k, h->layer + strlen(COUNTED), h->length - (int)strlen(COUNTED)) : NULL;
}

/* Without a model: what the weights of a layer are, by their number and dimensions; NULL if these do not
 * tell. */
static const char *guess_from_ranks(const espl__safetensors *weights, const halves *h)
{
    int count = 0, rank[4] = { 0 };

    for (int i = 0; i < espl__safetensors_count(weights); i++) {
        const espl__stored *t = espl__safetensors_at(weights, i);
        const halves other = split(t->name);
        const int place = strncmp(other.own, "vars", 4) == 0 ? atoi(other.own + 4) : 4;
        if (other.length != h->length || memcmp(other.layer, h->layer, (size_t)h->length) != 0)
            continue;
        count++;
        if (place >= 0 && place < 4)
            rank[place] = t->rank;
    }
    if (rank[0] == 4 && rank[1] == 4 && (count == 2 || count == 3))
        return "depthwise/depthwise_kernel kernel bias";
    if (rank[0] > 1 && rank[1] <= 1 && count <= 2)
        return "kernel bias";
    if (rank[0] == 1 && count == 2)
        return "gamma beta";
    return rank[0] == 1 && count == 4 ? "gamma beta moving_mean moving_variance" : NULL;
}

/* Word number `index`, or NULL. */
static const char *word_at(const char *words, int index, int *length)
{
    while (words && index-- > 0)
        words = strchr(words, ' ') ? strchr(words, ' ') + 1 : NULL;
    *length = words ? (int)strcspn(words, " ") : 0;
    return words;
}

static espl_status name_counted(const espl__keras *k, const espl__safetensors *weights, const halves *h,
                                const espl__keras_layer *layer, espl__text *name)
{
    int length;
    const char *own = word_at(layer ? layer->weights : guess_from_ranks(weights, h), atoi(h->own + 4), &length);

    if (!layer && is_counted(h))
        return espl__fail(k->ctx, ESPL_BAD_FILE, "the layers have no names, only counts such as \"%.*s\": this version of "
                                                 "Keras wrote none; use a file that holds the model as well",
                          h->length, h->layer);
    if (!own && !layer)
        return espl__fail(k->ctx, ESPL_BAD_FILE, "what the weights of \"%.*s\" are cannot be told from their shapes; use "
                                                 "a file that holds the model as well",
                          h->length, h->layer);
    return own ? espl__text_add(k->ctx, name, "%.*s/%.*s", layer ? (int)strlen(layer->name) : h->length,
                                layer ? layer->name : h->layer, length, own)
               : espl__text_add(k->ctx, name, "%.*s/%s", h->length, h->layer, h->own);
}

/* Whether the layer is a separable convolution, which is two of ours. */
static bool has_pointwise(const espl__safetensors *weights, const halves *h)
{
    char name[600];

    return snprintf(name, sizeof name, "%.*s/pointwise_kernel", h->length, h->layer) < (int)sizeof name &&
           espl__safetensors_find(weights, name);
}

espl_status espl__keras_weight_name(const espl__keras *k, const espl__safetensors *weights, int index, espl__text *name)
{
    const char *stored = espl__safetensors_at(weights, index)->name;
    const halves h = split(stored);
    const espl__keras_layer *layer = h.length ? find_layer(k, &h) : NULL;

    if (layer && !layer->weights) /* counters, the numbers of Normalization */
        return ESPL_OK;
    if (h.length && strncmp(h.own, "vars", 4) == 0)
        return name_counted(k, weights, &h, layer, name);
    if (espl__text_equal(h.own, "depthwise_kernel") && has_pointwise(weights, &h))
        return espl__text_add(k->ctx, name, "%.*s/depthwise/%s", h.length, stored, h.own);
    if (espl__text_equal(h.own, "pointwise_kernel"))
        return espl__text_add(k->ctx, name, "%.*s/kernel", h.length, stored);
    return espl__text_add(k->ctx, name, "%s", stored);
}
