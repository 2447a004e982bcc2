/* Class names, preparation and origin of a net as JSON in the notes of its file. */
#include "formats/net_notes.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static espl_status no_memory(espl_context *ctx)
{
    return espl__fail(ctx, ESPL_NO_MEMORY, "not enough memory for the notes of the net");
}

/* Takes `value` over. */
static espl_status dump(espl_context *ctx, json_t *value, espl__text *text)
{
    char *json = value ? json_dumps(value, JSON_COMPACT) : NULL;
    const espl_status s = json ? espl__text_add_bytes(ctx, text, json, strlen(json)) : no_memory(ctx);

    free(json);
    json_decref(value);
    return s;
}

/* Class names are often names of folders and may be in any old encoding. A finished net must not be
 * lost for that: what is not UTF-8 is kept with "?" for every byte beyond ASCII. */
static json_t *text_of(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value ? NULL : strdup(text);

    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    if (copy)
        value = json_string(copy);
    free(copy);
    return value;
}

static espl_status write_classes(const espl_net *net, espl__text *text)
{
    json_t *list = json_array();

    for (int i = 0; i < net->class_count; i++)
        if (json_array_append_new(list, text_of(net->classes[i]))) {
            json_decref(list);
            return no_memory(net->ctx);
        }
    return dump(net->ctx, list, text);
}

static espl_status write_name(const espl_net *net, espl__text *text)
{
    json_t *name = text_of(net->name);
    const espl_status s = name ? espl__text_add(net->ctx, text, "%s", json_string_value(name)) : no_memory(net->ctx);

    json_decref(name);
    return s;
}

static json_t *list_of(const double *values, int count)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++)
        if (json_array_append_new(list, json_real(values[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static espl_status write_preparation(const espl_net *net, espl__text *text)
{
    const espl__preparation *p = &net->preparation;
    json_t *root = json_object();

    if (json_object_set_new(root, "height", json_integer(p->height)) |
        json_object_set_new(root, "width", json_integer(p->width)) |
        json_object_set_new(root, "scale", json_real(p->scale)) |
        json_object_set_new(root, "mean", list_of(p->mean, p->channels)) |
        json_object_set_new(root, "deviation", list_of(p->deviation, p->channels)) |
        json_object_set_new(root, "resize", json_string(*p->resize ? p->resize : "none")) |
        json_object_set_new(root, "order", json_string(*p->order ? p->order : p->channels == 1 ? "grey"
                                                                                               : "rgb"))) {
        json_decref(root);
        return no_memory(net->ctx);
    }
    return dump(net->ctx, root, text);
}

static espl_status write_calibration(const espl_net *net, espl__text *text)
{
    json_t *root = json_object();

    if (json_object_set_new(root, "temperature", json_real(net->temperature)) |
        json_object_set_new(root, "unknown", json_real(net->unknown))) {
        json_decref(root);
        return no_memory(net->ctx);
    }
    return dump(net->ctx, root, text);
}

static void add(espl__net_notes *notes, const char *key, const char *text)
{
    notes->note[notes->count++] = (espl__note){ key, text };
}

espl_status espl__net_notes_write(const espl_net *net, espl__net_notes *notes)
{
    espl_status s = espl__graph_write(net->graph, &notes->graph);

    if (s || (s = write_name(net, &notes->name)) || (net->class_count && (s = write_classes(net, &notes->classes))) ||
        (net->preparation.known && (s = write_preparation(net, &notes->preparation))) ||
        (net->temperature > 0 && (s = write_calibration(net, &notes->calibration))))
        return s;
    add(notes, ESPL__NOTE_GRAPH, notes->graph.data);
    add(notes, ESPL__NOTE_NAME, notes->name.data);
    if (net->class_count)
        add(notes, ESPL__NOTE_CLASSES, notes->classes.data);
    if (net->preparation.known)
        add(notes, ESPL__NOTE_PREPARATION, notes->preparation.data);
    if (net->temperature > 0)
        add(notes, ESPL__NOTE_CALIBRATION, notes->calibration.data);
    if (net->origin)
        add(notes, ESPL__NOTE_ORIGIN, net->origin);
    return ESPL_OK;
}

void espl__net_notes_free(espl_context *ctx, espl__net_notes *notes)
{
    espl__text_free(ctx, &notes->graph);
    espl__text_free(ctx, &notes->name);
    espl__text_free(ctx, &notes->classes);
    espl__text_free(ctx, &notes->preparation);
    espl__text_free(ctx, &notes->calibration);
}

/* ---- reading ---- */

static espl_status load(espl_context *ctx, const char *text, const char *what, json_t **root)
{
    json_error_t error;

    *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (*root)
        return ESPL_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return no_memory(ctx);
    return espl__fail(ctx, ESPL_BAD_FILE, "%s: is not valid JSON: %s", what, error.text);
}

static espl_status set_classes(espl_net *net, json_t *list)
{
    const size_t count = json_array_size(list);
    const char **names = NULL;
    espl_status s;

    if (!json_is_array(list) || count != (size_t)espl_net_classes(net))
        return espl__fail(net->ctx, ESPL_BAD_FILE, ESPL__NOTE_CLASSES ": is not a list of %d names, one for each output",
                          espl_net_classes(net));
    if ((s = espl__allocate(net->ctx, count, sizeof *names, &names)))
        return s;
    for (size_t i = 0; i < count && !s; i++) {
        names[i] = json_string_value(json_array_get(list, i));
        if (!names[i])
            s = espl__fail(net->ctx, ESPL_BAD_FILE, ESPL__NOTE_CLASSES ": name %zu is not a text", i);
    }
    if (!s)
        s = espl__net_set_classes(net, names, (int)count);
    espl__release(net->ctx, names);
    return s;
}

static bool read_reals(json_t *list, int count, double low, double values[4])
{
    if (!json_is_array(list) || json_array_size(list) != (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        json_t *item = json_array_get(list, (size_t)i);
        values[i] = json_number_value(item);
        if (!json_is_number(item) || !isfinite(values[i]) || values[i] < low)
            return false;
    }
    return true;
}

static bool read_side(json_t *value, int64_t *side)
{
    *side = json_integer_value(value);
    return json_is_integer(value) && *side >= 0 && *side <= (int64_t)1 << 24;
}

/* One of the words between the bars of `choices`. */
static bool read_word(json_t *value, const char *choices, char *word, size_t bytes)
{
    const char *text = json_string_value(value);
    const size_t length = text ? strlen(text) : 0;

    if (!length || length >= bytes)
        return false;
    for (const char *at = choices; at; at = strchr(at, '|'), at = at ? at + 1 : NULL)
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || !at[length])) {
            memcpy(word, text, length + 1);
            return true;
        }
    return false;
}

/* The key that is missing or impossible, or NULL. */
static const char *read_preparation(json_t *root, espl__preparation *p)
{
    json_t *scale = json_object_get(root, "scale");

    p->known = true;
    p->scale = json_number_value(scale);
    p->channels = (int)json_array_size(json_object_get(root, "mean"));
    if (!read_side(json_object_get(root, "height"), &p->height))
        return "height";
    if (!read_side(json_object_get(root, "width"), &p->width))
        return "width";
    if (!json_is_number(scale) || !isfinite(p->scale))
        return "scale";
    if (p->channels > 4 || !read_reals(json_object_get(root, "mean"), p->channels, -HUGE_VAL, p->mean))
        return "mean";
    if (!read_reals(json_object_get(root, "deviation"), p->channels, 1e-30, p->deviation))
        return "deviation";
    if (!read_word(json_object_get(root, "resize"), "none|stretch|crop|keras", p->resize, sizeof p->resize))
        return "resize";
    if (!read_word(json_object_get(root, "order"), "rgb|bgr|grey", p->order, sizeof p->order))
        return "order";
    return NULL;
}

static espl_status set_preparation(espl_net *net, json_t *root)
{
    espl__preparation preparation = { 0 };
    const char *wrong = read_preparation(root, &preparation);

    if (wrong)
        return espl__fail(net->ctx, ESPL_BAD_FILE, ESPL__NOTE_PREPARATION ": \"%s\" is missing or impossible", wrong);
    net->preparation = preparation;
    return ESPL_OK;
}

static espl_status set_calibration(espl_net *net, json_t *root)
{
    const double temperature = json_number_value(json_object_get(root, "temperature")),
                 unknown = json_number_value(json_object_get(root, "unknown"));

    if (!(temperature > 0) || !isfinite(temperature) || !(unknown >= 0 && unknown <= 1))
        return espl__fail(net->ctx, ESPL_BAD_FILE,
                          ESPL__NOTE_CALIBRATION ": a temperature above 0 and \"unknown\" within 0..1 were expected");
    net->temperature = temperature;
    net->unknown = unknown;
    return ESPL_OK;
}

static espl_status set_origin(espl_net *net, json_t *root)
{
    return json_is_object(root) ? ESPL_OK
                                : espl__fail(net->ctx, ESPL_BAD_FILE, ESPL__NOTE_ORIGIN ": is not a JSON object");
}

static espl_status read_note(espl_net *net, const espl__safetensors *file, const char *key,
                             espl_status (*use)(espl_net *net, json_t *root))
{
    const char *text = espl__safetensors_note(file, key);
    json_t *root;
    espl_status s;

    if (!text)
        return ESPL_OK;
    if ((s = load(net->ctx, text, key, &root)))
        return s;
    s = use(net, root);
    json_decref(root);
    return s;
}

espl_status espl__net_notes_read(espl_net *net, const espl__safetensors *file)
{
    const char *origin = espl__safetensors_note(file, ESPL__NOTE_ORIGIN);
    espl_status s;

    if ((s = read_note(net, file, ESPL__NOTE_CLASSES, set_classes)) ||
        (s = read_note(net, file, ESPL__NOTE_PREPARATION, set_preparation)) ||
        (s = read_note(net, file, ESPL__NOTE_CALIBRATION, set_calibration)) ||
        (s = read_note(net, file, ESPL__NOTE_ORIGIN, set_origin)))
        return s;
    return origin ? espl__copy_text(net->ctx, origin, &net->origin) : ESPL_OK;
}
