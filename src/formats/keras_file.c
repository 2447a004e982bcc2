/* Keras's files as nets: .h5 (Keras 1, 2 and 3) and .keras (a zip archive with config.json and
 * model.weights.h5). The architecture is in the model's config if there is one; weights alone fill a net
 * that is named beside them. */
#include "data/packed.h"
#include "formats/fill_net.h"
#include "formats/formats.h"
#include "formats/keras.h"
#include "formats/keras_h5.h"
#include "net/foreign.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_CONFIG ((size_t)16 << 20)
#define LARGEST_WEIGHTS ((size_t)4 << 30)

typedef struct keras_file {
    espl_context *ctx;
    espl__safetensors *weights;
    char *config_text, *metadata; /* config.json and metadata.json of an archive, or NULL */
    json_t *config;               /* NULL: weights alone */
    espl__keras keras;
    espl__stored *stored; /* as the weights, under names that are no mere numbers */
    char **names;
    int count;
} keras_file;

/* ---- opening ---- */

static espl_status open_h5(keras_file *f, const char *path)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return espl__fail(f->ctx, ESPL_NO_FILE, "%s: cannot be opened", path);
    const espl_status s = espl__keras_h5_open(f->ctx, descriptor, path, &f->weights);
    close(descriptor);
    return s;
}

/* A member into a temporary file without a name. */
static espl_status unpack(espl_context *ctx, const char *path, const char *member, FILE *to)
{
    espl__packed *packed;
    char piece[1 << 14];
    size_t got = 1, all = 0;
    espl_status s = espl__packed_open_member(ctx, path, member, &packed);

    if (s)
        return s;
    while (got && !s) {
        s = espl__packed_read(packed, piece, sizeof piece, &got);
        all += got;
        if (!s && all > LARGEST_WEIGHTS)
            s = espl__fail(ctx, ESPL_BAD_FILE, "%s: %s: has more than 4 GB", path, member);
        if (!s && fwrite(piece, 1, got, to) != got)
            s = espl__fail(ctx, ESPL_WRITE_FAILED, "%s: %s: cannot be unpacked; is the disk full?", path, member);
    }
    espl__packed_free(packed);
    if (!s && fflush(to))
        s = espl__fail(ctx, ESPL_WRITE_FAILED, "%s: %s: cannot be unpacked; is the disk full?", path, member);
    return s;
}

static espl_status read_member(espl_context *ctx, const char *path, const char *member, char **text)
{
    espl__packed *packed;
    size_t bytes;
    espl_status s = espl__packed_open_member(ctx, path, member, &packed);

    if (s)
        return s;
    s = espl__packed_take_all(packed, LARGEST_CONFIG, text, &bytes);
    espl__packed_free(packed);
    return s;
}

static espl_status open_archive(keras_file *f, const char *path)
{
    espl_status s = read_member(f->ctx, path, "config.json", &f->config_text);

    if (!s && espl__packed_has_member(path, "metadata.json"))
        s = read_member(f->ctx, path, "metadata.json", &f->metadata);
    if (s)
        return s;
    FILE *temporary = tmpfile();
    if (!temporary)
        return espl__fail(f->ctx, ESPL_WRITE_FAILED, "%s: no temporary file can be made", path);
    if (!(s = unpack(f->ctx, path, "model.weights.h5", temporary))) {
        rewind(temporary);
        s = espl__keras_h5_open(f->ctx, fileno(temporary), path, &f->weights);
    }
    fclose(temporary);
    return s;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length >= tail && espl__text_equal(text + length - tail, end);
}

/* "2.15.0" is 2. What cannot be read is not known. */
static void read_version(keras_file *f)
{
    json_t *metadata = f->metadata ? json_loads(f->metadata, 0, NULL) : NULL;
    const char *text = metadata ? json_string_value(json_object_get(metadata, "keras_version"))
                                : espl__safetensors_note(f->weights, "keras.version");

    f->keras.version = text && text[0] >= '1' && text[0] <= '9' && text[1] == '.' ? text[0] - '0' : 0;
    json_decref(metadata);
}

static espl_status parse_config(keras_file *f, const char *path)
{
    const char *text = f->config_text ? f->config_text : espl__safetensors_note(f->weights, "keras.config");
    json_error_t error;

    if (!text)
        return ESPL_OK;
    read_version(f);
    f->config = json_loads(text, 0, &error);
    return f->config ? ESPL_OK
                     : espl__fail(f->ctx, json_error_code(&error) == json_error_out_of_memory ? ESPL_NO_MEMORY : ESPL_BAD_FILE,
                                  "%s: the model's config is not valid JSON: byte %d: %s", path, error.position, error.text);
}

static void close_file(keras_file *f)
{
    for (int i = 0; f->names && i < f->count; i++)
        espl__release(f->ctx, f->names[i]);
    espl__release(f->ctx, f->names);
    espl__release(f->ctx, f->stored);
    espl__keras_free(&f->keras);
    json_decref(f->config);
    espl__safetensors_free(f->weights);
    espl__release(f->ctx, f->config_text);
    espl__release(f->ctx, f->metadata);
    espl__release(f->ctx, f);
}

static espl_status open_file(espl_context *ctx, const char *path, keras_file **result)
{
    keras_file *f = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *f, &f);

    *result = NULL;
    if (s)
        return s;
    f->ctx = f->keras.ctx = ctx;
    if ((s = ends_with(path, ".keras") ? open_archive(f, path) : open_h5(f, path)) || (s = parse_config(f, path))) {
        close_file(f);
        return s;
    }
    *result = f;
    return ESPL_OK;
}

/* ---- names of weights ---- */

static espl_status name_weights(keras_file *f)
{
    const int count = espl__safetensors_count(f->weights);
    espl_status s;

    if ((s = espl__allocate(f->ctx, (size_t)count, sizeof *f->names, &f->names)) ||
        (s = espl__allocate(f->ctx, (size_t)count, sizeof *f->stored, &f->stored)))
        return s;
    for (int i = 0; i < count && !s; i++) {
        espl__text name = { 0 };
        s = espl__keras_weight_name(&f->keras, f->weights, i, &name);
        if (!name.data)
            continue;
        f->stored[f->count] = *espl__safetensors_at(f->weights, i);
        f->stored[f->count].name = f->names[f->count] = name.data;
        f->count++;
    }
    return s;
}

/* ---- as tensors ---- */

static const espl__stored *tensor_at(const espl__tensors *tensors, int index)
{
    const keras_file *f = tensors->file;

    return index >= 0 && index < f->count ? &f->stored[index] : NULL;
}

static espl_status read_tensor(espl__tensors *tensors, int index, float *values)
{
    const keras_file *f = tensors->file;

    return espl__safetensors_read(f->weights, &f->stored[index], values);
}

static void close_tensors(espl__tensors *tensors)
{
    close_file(tensors->file);
}

static const espl__tensor_reader reader = { tensor_at, read_tensor, close_tensors };

static espl__tensors tensors_of(keras_file *f)
{
    return (espl__tensors){ .ctx = f->ctx, .path = espl__safetensors_path(f->weights), .count = f->count, .convention = ESPL__KERAS_CONVENTION, .reader = &reader, .file = f };
}

static espl_status open_tensors(espl_context *ctx, const char *path, espl__tensors *result)
{
    keras_file *f;
    espl_status s = open_file(ctx, path, &f);

    if (s)
        return s;
    if ((s = name_weights(f))) {
        close_file(f);
        return espl__fail_within(ctx, s, "%s", path);
    }
    *result = tensors_of(f);
    return ESPL_OK;
}

/* ---- as a net ---- */

/* "mean" and "variance" of a Normalization layer, by name or as the first and second of its weights. */
static bool read_numbers(void *user, const espl__keras_layer *layer, const char *own, double *values, int count)
{
    keras_file *f = user;
    const char *counted = own[0] == 'v' ? "vars1" : "vars0", *name;
    float few[4];

    for (int i = 0; i < espl__safetensors_count(f->weights); i++) {
        const espl__stored *t = espl__safetensors_at(f->weights, i);
        if (espl__keras_layer_of(&f->keras, t->name, &name) != layer || t->count != count || count > 4 ||
            (!espl__text_equal(name, own) && !espl__text_equal(name, counted)) || espl__safetensors_read(f->weights, t, few))
            continue;
        for (int c = 0; c < count; c++)
            values[c] = few[c];
        return true;
    }
    return false;
}

/* How Keras's own models are fed, by the name that Keras gives them (keras.applications). */
static const struct {
    const char *model, *rule;
} families[] = {
    { "vgg1[69]", "caffe" },
    { "resnet50", "caffe" },
    { "resnet101", "caffe" },
    { "resnet152", "caffe" },
    { "resnet*v2", "symmetric" },
    { "inception_v3", "symmetric" },
    { "inception_resnet_v2", "symmetric" },
    { "xception", "symmetric" },
    { "mobilenet_*", "symmetric" },
    { "mobilenetv2_*", "symmetric" },
    { "NASNet", "symmetric" },
    { "nasnet_*", "symmetric" },
    { "densenet*", "imagenet" },
};

static void keep_rescaling(const espl__keras *k, espl_net *net)
{
    espl__preparation *p = &net->preparation;

    for (int c = 0; c < p->channels; c++) {
        p->deviation[c] = k->scale[0] / k->scale[c];
        p->mean[c] = -k->offset[c] * p->deviation[c];
    }
    p->scale = k->scale[0];
}

static espl_status prepare(const keras_file *f, espl_net *net)
{
    const char *rule = f->keras.rescaled ? "raw" : NULL;
    espl_status s;

    for (int i = 0; !rule && i < ESPL__COUNT(families); i++)
        if (espl__text_match(families[i].model, net->name))
            rule = families[i].rule;
    if (net->graph->nodes[0].shape.rank != 3)
        return ESPL_OK;
    if (!rule) {
        espl__log(f->ctx, ESPL_NOTE, "the file does not say how samples are prepared; without \"--prepare\" "
                                     "they are taken as they are, 0 to 255");
        return ESPL_OK;
    }
    if ((s = espl_net_prepare(net, rule)))
        return s;
    if (f->keras.rescaled)
        keep_rescaling(&f->keras, net);
    else
        espl__log(f->ctx, ESPL_NOTE, "samples are prepared by the rule \"%s\", as Keras does it for %s", rule, net->name);
    return ESPL_OK;
}

static espl_status make_net(keras_file *f, const char *path, espl_net **result)
{
    espl__foreign names = { 0 };
    espl__graph *graph;
    espl_status s;

    if (!f->config)
        return espl__fail(f->ctx, ESPL_BAD_FILE, "%s: holds weights but no model; say with --net which net they belong to", path);
    f->keras.numbers = read_numbers;
    f->keras.user = f;
    if ((s = espl__keras_read(&f->keras, f->config)) || (s = name_weights(f)))
        return espl__fail_within(f->ctx, s, "%s", path);
    if (f->keras.left_out)
        espl__log(f->ctx, ESPL_NOTE, "left out: dropping whole samples while training (\"%s\" and %d more layers)",
                  f->keras.left_out, f->keras.left_out_count - 1);
    graph = f->keras.graph;
    f->keras.graph = NULL;
    if ((s = espl__net_open_empty(graph, f->keras.name ? f->keras.name : "keras", result)) ||
        (s = prepare(f, *result)) || (s = espl__foreign_own(*result, &names)))
        return s;
    espl__tensors tensors = tensors_of(f);
    s = espl__fill_net(*result, &tensors, &names);
    espl__foreign_free(&names);
    return s;
}

static espl_status load(espl_context *ctx, const char *path, espl_net **result)
{
    keras_file *f;
    espl_status s = open_file(ctx, path, &f);

    *result = NULL;
    if (s)
        return s;
    s = make_net(f, path, result);
    close_file(f);
    if (s) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}

const espl__format espl__format_keras = {
    .name = "keras",
    .summary = "models and weights of Keras 1, 2 and 3",
    .endings = ".h5 .hdf5 .keras",
    .load = load,
    .tensors = open_tensors,
};
