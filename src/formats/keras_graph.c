/* Keras's models layer after layer: Sequential and functional ones, as Keras 1, 2 and 3 write them. */
#include "formats/keras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 12

espl_status espl__keras_refuse(const espl__keras *k, const espl__keras_layer *l, const char *reason)
{
    return espl__fail(k->ctx, ESPL_UNSUPPORTED, "layer \"%.100s\" (%.60s): %s", l->name, l->kind, reason);
}

static espl__keras_layer *find_layer(const espl__keras *k, const char *name)
{
    for (int i = 0; i < k->count; i++)
        if (espl__text_equal(k->layers[i].name, name))
            return &k->layers[i];
    return NULL;
}

/* ---- what a layer takes ---- */

static espl_status take(espl__keras *k, espl__keras_layer *l, const char *name)
{
    espl__keras_layer *from = name ? find_layer(k, name) : NULL;
    espl_status s = ESPL_OK;

    if (!from || from == l)
        return espl__keras_refuse(k, l, "takes what no layer before gives");
    if (l->input_count == ESPL__INPUTS_MAX)
        return espl__keras_refuse(k, l, "takes too many inputs");
    if (from->padded && espl__keras_takes_padding(l)) {
        l->padded = true;
        memcpy(l->pad, from->pad, sizeof l->pad);
    } else {
        s = espl__keras_pad(k, from);
    }
    l->inputs[l->input_count++] = from->node;
    l->input_stage = from->stage;
    return s;
}

static void take_number(espl__keras_layer *l, json_t *value)
{
    l->has_number = true;
    l->number = json_number_value(value);
}

/* Tensors are ["conv1", 0, 0, {...}] in Keras 1 and 2, in whose last item may be further ones, and objects
 * with the history ["conv1", 0, 0] in Keras 3. */
static espl_status take_all(espl__keras *k, espl__keras_layer *l, json_t *value, int depth)
{
    json_t *history = json_object_get(json_object_get(value, "config"), "keras_history"), *item;
    const char *name = json_string_value(json_array_get(value, 0)), *key;
    const bool tensor = name && json_is_integer(json_array_get(value, 1)) && json_array_size(value) >= 3;
    size_t index;
    espl_status s = ESPL_OK;

    if (depth > DEEPEST)
        return espl__keras_refuse(k, l, "its inputs are nested too deeply");
    if (json_is_number(value))
        take_number(l, value);
    if (history)
        return take(k, l, json_string_value(json_array_get(history, 0)));
    if (tensor && (s = take(k, l, name)))
        return s;
    if (json_is_array(value))
        json_array_foreach(value, index, item)
        {
            if ((!tensor || index >= 3) && (s = take_all(k, l, item, depth + 1)))
                return s;
        }
    if (json_is_object(value))
        json_object_foreach(value, key, item)
        {
            if (!espl__text_equal(key, "training") && (s = take_all(k, l, item, depth + 1)))
                return s;
        }
    return ESPL_OK;
}

static espl_status find_inputs(espl__keras *k, espl__keras_layer *l, json_t *calls, bool sequential)
{
    if (sequential)
        return k->count ? take(k, l, k->layers[k->count - 1].name) : ESPL_OK;
    if (json_array_size(calls) > 1)
        return espl__keras_refuse(k, l, "is used more than once");
    return take_all(k, l, json_array_get(calls, 0), 0);
}

/* ---- the input ---- */

/* (null, height, width, channels) or (null, features) */
static bool read_shape(json_t *list, espl__shape *shape)
{
    int64_t dim[4] = { 0 };
    const size_t rank = json_array_size(list);

    if (rank != 2 && rank != 4)
        return false;
    for (size_t i = 1; i < rank; i++) {
        dim[i] = json_integer_value(json_array_get(list, i));
        if (dim[i] < 1 || dim[i] > 1 << 24)
            return false;
    }
    *shape = rank == 2 ? espl__shape_vector(dim[1]) : espl__shape_planes(dim[3], dim[1], dim[2]);
    return espl__shape_valid(*shape);
}

static json_t *shape_in(json_t *config)
{
    json_t *shape = json_object_get(config, "batch_input_shape");

    return shape ? shape : json_object_get(config, "batch_shape");
}

static espl_status open_graph(espl__keras *k, json_t *shape)
{
    espl__shape input;

    if (k->graph)
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "the model has more than one input");
    if (!read_shape(shape, &input)) {
        char *text = shape ? json_dumps(shape, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        const espl_status s = espl__fail(k->ctx, ESPL_UNSUPPORTED,
                                         "the model's input shape is %.100s; a fixed size was expected, such as "
                                         "[null, 224, 224, 3]: build the model with input_shape",
                                         text ? text : "not said");
        free(text);
        return s;
    }
    return espl__graph_open(k->ctx, input, &k->graph);
}

/* ---- layers ---- */

static espl_status push(espl__keras *k, const espl__keras_layer *l)
{
    const int larger = k->capacity ? k->capacity * 2 : 64;

    if (k->count == k->capacity) {
        const espl_status s = espl__resize(k->ctx, (size_t)k->capacity, (size_t)larger, sizeof *l, &k->layers);
        if (s)
            return s;
        k->capacity = larger;
    }
    k->layers[k->count++] = *l;
    return ESPL_OK;
}

static bool is_input(const espl__keras_layer *l)
{
    return espl__text_equal(l->kind, "InputLayer");
}

/* "math.multiply", with or without the "tf." that some versions write; NULL if there is none. */
static const char *function_name(json_t *config)
{
    const char *name = json_string_value(json_object_get(config, "function"));

    return name && strncmp(name, "tf.", 3) == 0 ? name + 3 : name;
}

static espl_status read_layer(espl__keras *k, json_t *entry, bool sequential)
{
    espl__keras_layer l = { .kind = json_string_value(json_object_get(entry, "class_name")), .config = json_object_get(entry, "config") };
    espl_status s;

    l.name = json_string_value(json_object_get(entry, "name"));
    if (!l.name)
        l.name = json_string_value(json_object_get(l.config, "name"));
    if (!l.name || !l.kind || !*l.name || !json_is_object(l.config))
        return espl__fail(k->ctx, ESPL_BAD_FILE, "layer %d of the model has no name, class or config", k->count + 1);
    if (find_layer(k, l.name))
        return espl__keras_refuse(k, &l, "there are two layers of this name");
    if (espl__text_equal(l.kind, "TFOpLambda") || espl__text_equal(l.kind, "SlicingOpLambda"))
        l.kind = function_name(l.config);
    if (l.kind && is_input(&l)) {
        s = open_graph(k, shape_in(l.config));
        return s ? s : push(k, &l);
    }
    if (sequential && !k->graph && shape_in(l.config)) {
        const espl__keras_layer input = { .name = "", .kind = "InputLayer" };
        if ((s = open_graph(k, shape_in(l.config))) || (s = push(k, &input)))
            return s;
    }
    if (!l.kind || !k->graph)
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "layer \"%.100s\" stands before the model's input, or is no layer", l.name);
    if ((s = find_inputs(k, &l, json_object_get(entry, "inbound_nodes"), sequential)) || (s = espl__keras_translate(k, &l)))
        return s;
    l.padded = l.padded && !espl__keras_takes_padding(&l); /* a convolution has added it */
    return push(k, &l);
}

/* The only output, ["predictions", 0, 0], in a list or not. */
static espl_status find_output(espl__keras *k, json_t *outputs)
{
    json_t *first = json_array_get(outputs, 0);
    const char *name = json_string_value(json_is_array(first) ? json_array_get(first, 0) : first);
    espl__keras_layer *l = outputs ? name ? find_layer(k, name) : NULL : &k->layers[k->count - 1];
    espl_status s;

    if (outputs && ((json_is_array(first) && json_array_size(outputs) != 1) || !l))
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "the model has no output or more than one; one was expected");
    if ((s = espl__keras_pad(k, l)))
        return s;
    if (l->node == 0 || l->stage != ESPL__KERAS_WHOLE)
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "the model ends in what is no layer here");
    k->graph->output = l->node;
    return ESPL_OK;
}

static espl_status check_used(const espl__keras *k)
{
    int unused = 0;
    const espl_status s = espl__graph_unused(k->graph, &unused);

    return s || unused < 0 ? s
                           : espl__fail(k->ctx, ESPL_UNSUPPORTED, "layer \"%s\" does not lead to the model's output",
                                        k->graph->nodes[unused].name);
}

espl_status espl__keras_read(espl__keras *k, json_t *model)
{
    const char *kind = json_string_value(json_object_get(model, "class_name"));
    json_t *config = json_object_get(model, "config"), *entry;
    json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const bool sequential = kind && espl__text_equal(kind, "Sequential");
    size_t index;
    espl_status s = ESPL_OK;

    k->name = json_string_value(json_object_get(config, "name"));
    if (!kind || !json_array_size(layers) || json_array_size(layers) > ESPL__GRAPH_NODES_MAX)
        return espl__fail(k->ctx, ESPL_BAD_FILE, "the model's config has no class or no list of layers");
    if (sequential && json_object_get(config, "build_input_shape") && !shape_in(json_object_get(json_array_get(layers, 0), "config"))) {
        const espl__keras_layer input = { .name = "", .kind = "InputLayer" };
        if ((s = open_graph(k, json_object_get(config, "build_input_shape"))) || (s = push(k, &input)))
            return s;
    }
    json_array_foreach(layers, index, entry)
    {
        if ((s = read_layer(k, entry, sequential)))
            return s;
    }
    if ((s = find_output(k, json_object_get(config, "output_layers"))))
        return s;
    return check_used(k);
}

void espl__keras_free(espl__keras *k)
{
    espl__graph_free(k->graph);
    espl__release(k->ctx, k->layers);
}
