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

/* The layer of the model that is counted as `name`: "conv2d" is the first Conv2D, "conv2d_1" the second; -1: none. */
static int find_counted_in(const espl__keras *k, int model, const char *name, int length)
{
    for (int i = 0; i < k->count; i++) {
        char counted[100];
        int before = 0;
        if (k->layers[i].model != model)
            continue;
        snake_case(k->layers[i].kind, counted, 80);
        for (int j = 0; j < i; j++)
            before += k->layers[j].model == model && espl__text_equal(k->layers[j].kind, k->layers[i].kind);
        if (before)
            snprintf(counted + strlen(counted), 20, "_%d", before);
        if (strlen(counted) == (size_t)length && memcmp(counted, name, (size_t)length) == 0)
            return i;
    }
    return -1;
}

/* "functional/conv2d_1": the second Conv2D of the first model. */
static const espl__keras_layer *find_counted(const espl__keras *k, const char *name, int length)
{
    int layer = -1;

    for (int begin = 0; begin < length;) {
        const char *slash = memchr(name + begin, '/', (size_t)(length - begin));
        const int end = slash ? (int)(slash - name) : length;
        if ((layer = find_counted_in(k, layer, name + begin, end - begin)) < 0)
            return NULL;
        begin = end + 1;
    }
    return layer < 0 ? NULL : &k->layers[layer];
}

#define COUNTED "layers/" /* in front of what some version called by class and count */

static bool is_counted(const halves *h)
{
    return h->length > (int)strlen(COUNTED) && strncmp(h->layer, COUNTED, strlen(COUNTED)) == 0;
}

static bool begins(const char *name, const char *with, size_t length)
{
    return strncmp(name, with, length) == 0;
}

/* "base/conv1" is layer "conv1" of a model "base", at whatever depth; where "base" is an ordinary layer, its weights
 * had another name once. */
static const espl__keras_layer *find_within(const espl__keras *k, const halves *h)
{
    const char *first = memchr(h->layer, '/', (size_t)h->length);
    const size_t outer = first ? (size_t)(first - h->layer) : 0;
    const espl__keras_layer *plain = NULL;

    for (int i = 0; outer && i < k->count; i++) {
        const espl__keras_layer *l = &k->layers[i];
        const size_t own = strlen(l->own);
        if (l->model < 0 && strlen(l->name) == outer && begins(l->name, h->layer, outer))
            plain = l;
        else if (l->model >= 0 && l->weights && begins(l->name, h->layer, outer + 1) && own < (size_t)h->length &&
                 h->layer[h->length - (int)own - 1] == '/' && begins(h->layer + h->length - own, l->own, own))
            return l;
    }
    return plain;
}

static const espl__keras_layer *find_layer(const espl__keras *k, const halves *h)
{
    if (!h->length)
        return NULL;
    for (int i = 0; i < k->count; i++)
        if (strlen(k->layers[i].name) == (size_t)h->length && begins(k->layers[i].name, h->layer, (size_t)h->length))
            return &k->layers[i];
    return is_counted(h) ? find_counted(k, h->layer + strlen(COUNTED), h->length - (int)strlen(COUNTED)) : find_within(k, h);
}

const espl__keras_layer *espl__keras_layer_of(const espl__keras *k, const char *stored, const char **own)
{
    const halves h = split(stored);

    *own = h.own;
    return find_layer(k, &h);
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

/* Without a model: is it one of the three numbers of a Normalization, which belong to no layer of ours? */
static bool is_normalization(const espl__safetensors *weights, const halves *h)
{
    static const char *const counts[] = { "count", "vars2" };
    char name[600];

    for (int i = 0; i < ESPL__COUNT(counts); i++) {
        const int length = snprintf(name, sizeof name, "%.*s/%s", h->length, h->layer, counts[i]);
        const espl__stored *t = length < (int)sizeof name ? espl__safetensors_find(weights, name) : NULL;
        if (t && t->count == 1 && t->rank == 0)
            return true;
    }
    return false;
}

espl_status espl__keras_weight_name(const espl__keras *k, const espl__safetensors *weights, int index, espl__text *name)
{
    const char *stored = espl__safetensors_at(weights, index)->name;
    const halves h = split(stored);
    const espl__keras_layer *layer = find_layer(k, &h);
    const char *in = layer ? layer->name : stored;
    const int length = layer ? (int)strlen(in) : h.length;

    if ((layer && !layer->weights) || (!layer && is_normalization(weights, &h))) /* counters, the numbers of Normalization */
        return ESPL_OK;
    if (h.length && strncmp(h.own, "vars", 4) == 0)
        return name_counted(k, weights, &h, layer, name);
    if (espl__text_equal(h.own, "depthwise_kernel") && has_pointwise(weights, &h))
        return espl__text_add(k->ctx, name, "%.*s/depthwise/%s", length, in, h.own);
    if (espl__text_equal(h.own, "pointwise_kernel"))
        return espl__text_add(k->ctx, name, "%.*s/kernel", length, in);
    return length ? espl__text_add(k->ctx, name, "%.*s/%s", length, in, h.own) : espl__text_add(k->ctx, name, "%s", stored);
}
