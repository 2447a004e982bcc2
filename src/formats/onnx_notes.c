/* What an ONNX model's metadata tell of samples and classes: the keys of the format's own recommendation
 * for pictures, our own, and lists of class names as exporters write them. */
#include "formats/net_notes.h"
#include "formats/onnx.h"

#include <jansson.h>
#include <string.h>

static const char *entry(const espl__onnx *o, const char *key)
{
    for (size_t i = 0; i < o->model->n_metadata_props; i++)
        if (espl__text_equal(o->model->metadata_props[i]->key, key))
            return o->model->metadata_props[i]->value;
    return NULL;
}

/* ---- preparation ---- */

static const struct {
    const char *range, *how;
} ranges[] = {
    { "NominalRange_0_255", "scale: 1" },
    { "Normalized_0_1", "scale: 1/255" },
    { "Normalized_1_1", "scale: 1/127.5, mean: 1, deviation: 1" },
};

static espl_status prepare(const espl__onnx *o, espl_net *net)
{
    const char *range = entry(o, "Image.NominalPixelRange"), *order = entry(o, "Image.BitmapPixelFormat");
    char how[120];

    for (int i = 0; range && net->graph->nodes[0].shape.rank == 3 && i < ESPL__COUNT(ranges); i++)
        if (espl__text_equal(ranges[i].range, range)) {
            const bool bgr = order && (order[0] == 'B' || order[0] == 'b');
            snprintf(how, sizeof how, "%s%s", ranges[i].how, bgr ? ", order: bgr" : "");
            return espl_net_prepare(net, how);
        }
    return ESPL_OK;
}

/* ---- classes ---- */

/* {0: 'cat', 1: 'dog'}, as Python prints a dict, as ["cat","dog"]. False if it is something else. */
static json_t *read_dict(const char *text)
{
    json_t *list = json_array();
    const char *at = text + strspn(text, "{ ");

    while (*at >= '0' && *at <= '9') {
        at += strspn(at, "0123456789: ");
        const char quote = *at;
        const char *end = quote == '\'' || quote == '"' ? strchr(at + 1, quote) : NULL;
        if (!end)
            break;
        json_array_append_new(list, json_stringn(at + 1, (size_t)(end - at - 1)));
        at = end + 1 + strspn(end + 1, ", ");
    }
    if (*at == '}')
        return list;
    json_decref(list);
    return NULL;
}

/* A list that has not a name for each output is no list of classes. */
static espl_status set_classes(const espl__onnx *o, espl_net *net, const char *key, json_t *list)
{
    const size_t count = json_array_size(list);
    const char **names = NULL;
    espl_status s;

    if (count != (size_t)espl_net_classes(net)) {
        espl__log(o->ctx, ESPL_NOTE, "the model's \"%s\" is no list of %d class names and is left out", key, espl_net_classes(net));
        return ESPL_OK;
    }
    if ((s = espl__allocate(o->ctx, count, sizeof *names, &names)))
        return s;
    bool texts = true;
    for (size_t i = 0; i < count; i++) {
        names[i] = json_string_value(json_array_get(list, i));
        texts = texts && names[i];
    }
    if (texts)
        s = espl__net_set_classes(net, names, (int)count);
    espl__release(o->ctx, names);
    return s;
}

static espl_status name_classes(const espl__onnx *o, espl_net *net)
{
    static const char *const keys[] = { ESPL__NOTE_CLASSES, "classes", "class_names", "labels", "names" };

    for (int i = 0; i < ESPL__COUNT(keys); i++) {
        const char *text = entry(o, keys[i]);
        if (!text)
            continue;
        json_t *list = *text == '{' ? read_dict(text) : json_loads(text, 0, NULL);
        const espl_status s = set_classes(o, net, keys[i], list);
        json_decref(list);
        return s;
    }
    return ESPL_OK;
}

espl_status espl__onnx_notes(espl__onnx *o, espl_net *net)
{
    const espl_status s = name_classes(o, net);

    return s ? s : prepare(o, net);
}
