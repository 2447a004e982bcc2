/* The header of a safetensors file: JSON in which everything may be a lie. Nothing is allocated on its
 * word: the header itself is no longer than the file, and every tensor must lie within the file,
 * directly behind the one before it. */
#include "formats/safetensors_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define METADATA "__metadata__"

static espl_status refuse(const espl__safetensors *file, const char *tensor, const char *reason)
{
    return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: tensor \"%.200s\": %s", file->path, tensor, reason);
}

static espl_status parse_json(espl__safetensors *file, const char *header)
{
    json_error_t error;

    file->root = json_loadb(header, (size_t)file->header, JSON_REJECT_DUPLICATES, &error);
    if (!file->root && json_error_code(&error) == json_error_out_of_memory)
        return espl__fail(file->ctx, ESPL_NO_MEMORY, "%s: not enough memory for the header", file->path);
    if (!file->root)
        return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: byte %d: the header is not valid JSON: %s", file->path,
                          ESPL__SAFETENSORS_PREFIX + error.position, error.text);
    if (!json_is_object(file->root))
        return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: byte %d: the header is not a JSON object", file->path,
                          ESPL__SAFETENSORS_PREFIX);
    return ESPL_OK;
}

static espl_status check_notes(espl__safetensors *file)
{
    const char *key;
    json_t *value;

    file->notes = json_object_get(file->root, METADATA);
    if (file->notes && !json_is_object(file->notes))
        return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: " METADATA " is not a JSON object", file->path);
    json_object_foreach(file->notes, key, value) if (!json_is_string(value)) return espl__fail(file->ctx, ESPL_BAD_FILE, "%s: " METADATA ": \"%.200s\" is not a text", file->path,
                                                                                               key);
    return ESPL_OK;
}

static espl_status read_dtype(const espl__safetensors *file, espl__stored *tensor, json_t *value)
{
    const char *text = json_string_value(value);

    if (!text)
        return refuse(file, tensor->name, "\"dtype\" is missing or no text");
    for (int i = 0; i < ESPL__DTYPE_COUNT; i++)
        if (espl__text_equal(text, espl__dtype_name((espl__dtype)i))) {
            tensor->dtype = (espl__dtype)i;
            return ESPL_OK;
        }
    return espl__fail(file->ctx, ESPL_BAD_FILE,
                      "%s: tensor \"%.200s\": the type \"%.20s\" is unknown; F32, F64, F16, BF16, I8 to I64, "
                      "U8 to U64 and BOOL can be read",
                      file->path, tensor->name, text);
}

static espl_status read_shape(const espl__safetensors *file, espl__stored *tensor, json_t *value)
{
    size_t count = 1;

    if (!json_is_array(value))
        return refuse(file, tensor->name, "\"shape\" is missing or no list");
    if (json_array_size(value) > ESPL__STORED_RANK_MAX)
        return refuse(file, tensor->name, "\"shape\" has more than 8 dimensions");
    tensor->rank = (int)json_array_size(value);
    for (int i = 0; i < tensor->rank; i++) {
        json_t *item = json_array_get(value, (size_t)i);
        const json_int_t dim = json_integer_value(item);
        if (!json_is_integer(item) || dim < 0)
            return refuse(file, tensor->name, "\"shape\" holds something else than counts");
        if (!espl__multiply(count, (size_t)dim, &count) || count > INT64_MAX / 16)
            return refuse(file, tensor->name, "\"shape\" multiplies to more than any file can hold");
        tensor->dim[i] = dim;
    }
    tensor->count = (int64_t)count;
    return ESPL_OK;
}

static espl_status read_offsets(const espl__safetensors *file, espl__stored *tensor, json_t *value)
{
    json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
    const uint64_t base = ESPL__SAFETENSORS_PREFIX + file->header, limit = file->bytes - base;

    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return refuse(file, tensor->name, "\"data_offsets\" is missing or no pair of counts");
    const json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > limit)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: tensor \"%.200s\": claims the bytes %" JSON_INTEGER_FORMAT
                          " to %" JSON_INTEGER_FORMAT " of the data, but there are %" PRIu64
                          "; was the file cut off?",
                          file->path, tensor->name, begin, end, limit);
    tensor->begin = base + (uint64_t)begin;
    tensor->bytes = (uint64_t)(end - begin);
    const uint64_t needed = (uint64_t)tensor->count * espl__dtype_size(tensor->dtype);
    if (needed != tensor->bytes)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: tensor \"%.200s\": %" PRId64 " values of type %s need %" PRIu64
                          " bytes, but its data_offsets give it %" PRIu64,
                          file->path, tensor->name, tensor->count, espl__dtype_name(tensor->dtype), needed,
                          tensor->bytes);
    return ESPL_OK;
}

static espl_status read_tensor(const espl__safetensors *file, espl__stored *tensor, json_t *entry)
{
    espl_status s;

    if (!json_is_object(entry))
        return refuse(file, tensor->name, "is not described by a JSON object");
    if (!*tensor->name)
        return refuse(file, "", "the name is empty");
    if ((s = read_dtype(file, tensor, json_object_get(entry, "dtype"))) ||
        (s = read_shape(file, tensor, json_object_get(entry, "shape"))) ||
        (s = read_offsets(file, tensor, json_object_get(entry, "data_offsets"))))
        return s;
    return ESPL_OK;
}

static int compare_places(const void *a, const void *b)
{
    const espl__stored *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->bytes != y->bytes) /* empty tensors come before the one that begins where they are */
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Every byte of the data belongs to exactly one tensor. */
static espl_status check_places(const espl__safetensors *file)
{
    uint64_t place = ESPL__SAFETENSORS_PREFIX + file->header;

    for (int i = 0; i < file->count; i++) {
        const espl__stored *t = &file->tensors[i];
        if (t->begin != place)
            return espl__fail(file->ctx, ESPL_BAD_FILE,
                              "%s: tensor \"%.200s\": begins at byte %" PRIu64 " of the file, but what is before "
                              "it ends at %" PRIu64 "; tensors may neither overlap nor leave holes",
                              file->path, t->name, t->begin, place);
        place += t->bytes;
    }
    if (place != file->bytes)
        return espl__fail(file->ctx, ESPL_BAD_FILE,
                          "%s: byte %" PRIu64 ": %" PRIu64 " bytes behind the last tensor belong to none",
                          file->path, place, file->bytes - place);
    return ESPL_OK;
}

/* A pair that sorts names without a comparison function that needs the file. */
typedef struct named {
    const char *name;
    int index;
} named;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static espl_status sort_names(espl__safetensors *file)
{
    named *names = NULL;
    espl_status s;

    if ((s = espl__allocate(file->ctx, (size_t)file->count, sizeof *file->by_name, &file->by_name)) ||
        (s = espl__allocate(file->ctx, (size_t)file->count, sizeof *names, &names)))
        return s;
    for (int i = 0; i < file->count; i++)
        names[i] = (named){ file->tensors[i].name, i };
    qsort(names, (size_t)file->count, sizeof *names, compare_names);
    for (int i = 0; i < file->count; i++)
        file->by_name[i] = names[i].index;
    espl__release(file->ctx, names);
    return ESPL_OK;
}

espl_status espl__safetensors_parse(espl__safetensors *file, const char *header)
{
    const char *name;
    json_t *entry;
    espl_status s;

    if ((s = parse_json(file, header)) || (s = check_notes(file)) ||
        (s = espl__allocate(file->ctx, json_object_size(file->root), sizeof *file->tensors, &file->tensors)))
        return s;
    json_object_foreach(file->root, name, entry)
    {
        if (espl__text_equal(name, METADATA))
            continue;
        file->tensors[file->count].name = name;
        if ((s = read_tensor(file, &file->tensors[file->count], entry)))
            return s;
        file->count++;
    }
    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_places);
    if ((s = check_places(file)))
        return s;
    return sort_names(file);
}
