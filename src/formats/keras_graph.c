/* Keras's models layer after layer: Sequential and functional ones, as Keras 1, 2 and 3 write them. A model within a
 * model is read as layers of the outer one, with its name in front of theirs. */
#include "formats/keras.h"

#include <stdlib.h>
#include <string.h>

#define DEEPEST 12

espl_status espl__keras_refuse(const espl__keras *k, const espl__keras_layer *l, const char *reason)
{
    return espl__fail(k->ctx, ESPL_UNSUPPORTED, "layer \"%.100s\" (%.60s): %s", l->name, l->kind, reason);
}

/* A model, and how far it is read. */
typedef struct scope {
    int model; /* the layer that it is; -1: the outermost */
    int last;  /* the latest of its layers; before the first the model, whose value is then what it was given */
    int depth;
    bool sequential, has_input;
} scope;

static int find_layer(const espl__keras *k, const scope *in, const char *own)
{
    for (int i = 0; i < k->count; i++)
        if (k->layers[i].model == in->model && espl__text_equal(k->layers[i].own, own))
            return i;
    return -1;
}

/* ---- what a layer takes ---- */

static espl_status take(espl__keras *k, espl__keras_layer *l, int index)
{
    espl__keras_layer *from = index < 0 ? NULL : &k->layers[index];
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

/* A number or up to four, in as many lists as there are dimensions; false for anything else. */
static bool take_numbers(espl__keras_layer *l, json_t *value)
{
    json_t *inner = json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;

    for (int depth = 0; depth < 3 && json_is_array(inner); depth++) {
        value = inner;
        inner = json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;
    }
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count < 1 || count > ESPL__COUNT(l->numbers))
        return false;
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_number(item))
            return false;
        l->numbers[i] = json_number_value(item);
    }
    l->number_count = (int)count;
    return true;
}

/* Tensors are ["conv1", 0, 0, {...}] in Keras 1 and 2, in whose last item may be further ones, and objects
 * with the history ["conv1", 0, 0] in Keras 3. */
static espl_status take_all(espl__keras *k, const scope *in, espl__keras_layer *l, json_t *value, int depth)
{
    json_t *history = json_object_get(json_object_get(value, "config"), "keras_history"), *item;
    const char *name = json_string_value(json_array_get(value, 0)), *key;
    const bool tensor = name && json_is_integer(json_array_get(value, 1)) && json_array_size(value) >= 3;
    size_t index;
    espl_status s = ESPL_OK;

    if (depth > DEEPEST)
        return espl__keras_refuse(k, l, "its inputs are nested too deeply");
    if (take_numbers(l, value))
        return ESPL_OK;
    if (history)
        return take(k, l, find_layer(k, in, json_string_value(json_array_get(history, 0))));
    if (tensor && (s = take(k, l, find_layer(k, in, name))))
        return s;
    if (json_is_array(value))
        json_array_foreach(value, index, item)
        {
            if ((!tensor || index >= 3) && (s = take_all(k, in, l, item, depth + 1)))
                return s;
        }
    if (json_is_object(value))
        json_object_foreach(value, key, item)
        {
            if (!espl__text_equal(key, "training") && (s = take_all(k, in, l, item, depth + 1)))
                return s;
        }
    return ESPL_OK;
}

static espl_status find_inputs(espl__keras *k, const scope *in, espl__keras_layer *l, json_t *calls)
{
    if (in->sequential)
        return take(k, l, in->last);
    if (json_array_size(calls) > 1)
        return espl__keras_refuse(k, l, "is used more than once");
    return take_all(k, in, l, json_array_get(calls, 0), 0);
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

/* The new layer is the last of the list, which may have moved. */
static espl_status push(espl__keras *k, scope *in, const char *own, const char *kind, json_t *config)
{
    const int larger = k->capacity ? k->capacity * 2 : 64;
    espl__text name = { 0 };
    espl_status s;

    if (k->count == k->capacity) {
        if ((s = espl__resize(k->ctx, (size_t)k->capacity, (size_t)larger, sizeof *k->layers, &k->layers)))
            return s;
        k->capacity = larger;
    }
    if (in->model >= 0 && (s = espl__text_add(k->ctx, &name, "%s/%s", k->layers[in->model].name, own))) {
        espl__text_free(k->ctx, &name);
        return s;
    }
    k->layers[k->count++] = (espl__keras_layer){
        .own = own, .kind = kind, .name = name.data ? name.data : own, .full = name.data, .config = config, .model = in->model
    };
    return ESPL_OK;
}

/* The input of the outermost model opens the graph; that of a model within is what it was given. */
static espl_status read_input(espl__keras *k, scope *in, const char *own, json_t *config, json_t *shape)
{
    espl_status s = in->model < 0 ? open_graph(k, shape) : ESPL_OK;

    if (!s && in->has_input)
        s = espl__keras_refuse(k, &k->layers[in->model], "has more than one input");
    if (s || (s = push(k, in, own, "InputLayer", config)))
        return s;
    espl__keras_layer *l = &k->layers[k->count - 1];
    if (in->model >= 0) {
        l->node = k->layers[in->model].node;
        l->stage = k->layers[in->model].stage;
    }
    in->has_input = true;
    in->last = k->count - 1;
    return ESPL_OK;
}

/* "math.multiply", with or without the "tf." that some versions write; NULL if there is none. */
static const char *function_name(json_t *config)
{
    const char *name = json_string_value(json_object_get(config, "function"));

    return name && strncmp(name, "tf.", 3) == 0 ? name + 3 : name;
}

static espl_status check_entry(const espl__keras *k, const scope *in, const char *own, const char *kind, json_t *config)
{
    const espl__keras_layer l = { .name = own, .kind = kind };

    if (!own || !kind || !*own || !json_is_object(config))
        return espl__fail(k->ctx, ESPL_BAD_FILE, "layer %d of the model has no name, class or config", k->count + 1);
    return find_layer(k, in, own) < 0 ? ESPL_OK : espl__keras_refuse(k, &l, "there are two layers of this name");
}

static bool is_model(const char *kind)
{
    return espl__text_equal(kind, "Sequential") || espl__text_equal(kind, "Functional") || espl__text_equal(kind, "Model");
}

static espl_status read_layers(espl__keras *k, json_t *config, scope *in, int *output);

/* A model that is a layer: at first its value is what it takes, then that of its output. */
static espl_status read_model(espl__keras *k, const scope *outer, int index)
{
    espl__keras_layer *l = &k->layers[index];
    scope in = { .model = index, .last = index, .depth = outer->depth + 1, .sequential = espl__text_equal(l->kind, "Sequential") };
    int output = index;
    espl_status s;

    if (l->input_count != 1)
        return espl__keras_refuse(k, l, "takes no input, or more than one");
    if (in.depth > DEEPEST)
        return espl__keras_refuse(k, l, "models lie too deeply within models");
    l->node = l->inputs[0];
    l->stage = l->input_stage;
    if ((s = read_layers(k, l->config, &in, &output)))
        return s;
    const espl__keras_layer *last = &k->layers[output];
    l = &k->layers[index];
    l->node = last->node;
    l->stage = last->stage;
    l->padded = last->padded;
    memcpy(l->pad, last->pad, sizeof l->pad);
    return ESPL_OK;
}

static espl_status read_layer(espl__keras *k, json_t *entry, scope *in)
{
    const char *kind = json_string_value(json_object_get(entry, "class_name")), *own = json_string_value(json_object_get(entry, "name"));
    json_t *config = json_object_get(entry, "config");
    espl_status s;

    if (!own)
        own = json_string_value(json_object_get(config, "name"));
    if ((s = check_entry(k, in, own, kind, json_is_array(config) ? entry : config)))
        return s;
    if (espl__text_equal(kind, "TFOpLambda") || espl__text_equal(kind, "SlicingOpLambda"))
        kind = function_name(config);
    if (kind && espl__text_equal(kind, "InputLayer"))
        return read_input(k, in, own, config, shape_in(config));
    if (in->sequential && in->model < 0 && !k->graph && shape_in(config) && (s = read_input(k, in, "", NULL, shape_in(config))))
        return s;
    if (!kind || !k->graph)
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "layer \"%.100s\" stands before the model's input, or is no layer", own);
    if ((s = push(k, in, own, kind, config)))
        return s;
    const int index = k->count - 1;
    espl__keras_layer *l = &k->layers[index];
    if ((s = find_inputs(k, in, l, json_object_get(entry, "inbound_nodes"))) ||
        (s = is_model(kind) ? read_model(k, in, index) : espl__keras_translate(k, l)))
        return s;
    l = &k->layers[index];
    l->padded = l->padded && !espl__keras_takes_padding(l); /* a convolution has added it */
    in->last = index;
    return ESPL_OK;
}

/* The only output, ["predictions", 0, 0], in a list or not. */
static espl_status find_output(const espl__keras *k, const scope *in, json_t *outputs, int *output)
{
    json_t *first = json_array_get(outputs, 0);
    const char *name = json_string_value(json_is_array(first) ? json_array_get(first, 0) : first);

    *output = outputs ? name ? find_layer(k, in, name) : -1 : in->last;
    if (*output >= 0 && (!outputs || !json_is_array(first) || json_array_size(outputs) == 1))
        return ESPL_OK;
    return espl__fail(k->ctx, ESPL_UNSUPPORTED, "the model%s%.100s has no output or more than one; one was expected",
                      in->model < 0 ? "" : " ", in->model < 0 ? "" : k->layers[in->model].name);
}

/* A list, or an object that has one. */
static espl_status read_layers(espl__keras *k, json_t *config, scope *in, int *output)
{
    json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers"), *entry;
    json_t *built = json_object_get(config, "build_input_shape");
    size_t index;
    espl_status s = ESPL_OK;

    if (!json_array_size(layers) || json_array_size(layers) > ESPL__GRAPH_NODES_MAX)
        return espl__fail(k->ctx, ESPL_BAD_FILE, "the model's config has no class or no list of layers");
    if (in->sequential && in->model < 0 && built && !shape_in(json_object_get(json_array_get(layers, 0), "config")) &&
        (s = read_input(k, in, "", NULL, built)))
        return s;
    json_array_foreach(layers, index, entry)
    {
        if ((s = read_layer(k, entry, in)))
            return s;
    }
    return find_output(k, in, json_object_get(config, "output_layers"), output);
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
    json_t *config = json_object_get(model, "config");
    scope outermost = { .model = -1, .last = -1, .sequential = kind && espl__text_equal(kind, "Sequential") };
    int output;
    espl_status s;

    k->name = json_string_value(json_object_get(config, "name"));
    if (!kind)
        return espl__fail(k->ctx, ESPL_BAD_FILE, "the model's config has no class or no list of layers");
    if ((s = read_layers(k, config, &outermost, &output)) || (s = espl__keras_pad(k, &k->layers[output])))
        return s;
    if (k->layers[output].node == 0 || k->layers[output].stage != ESPL__KERAS_WHOLE)
        return espl__fail(k->ctx, ESPL_UNSUPPORTED, "the model ends in what is no layer here");
    k->graph->output = k->layers[output].node;
    return check_used(k);
}

void espl__keras_free(espl__keras *k)
{
    espl__graph_free(k->graph);
    for (int i = 0; i < k->count; i++)
        espl__release(k->ctx, k->layers[i].full);
    espl__release(k->ctx, k->layers);
}
