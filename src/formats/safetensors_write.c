/* Writing safetensors files.
 *
 * Tensors with large values come first, so that every tensor is aligned for whoever maps the file into
 * memory, as the format's own library does it; within one size the caller's order is kept. */
#include "formats/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The data begins at a multiple of this; the header is filled up with blanks. */
#define ALIGNMENT 64

static const size_t sizes_in_order[] = { 8, 4, 2, 1 };

typedef struct writer {
    espl_context *ctx;
    const espl__to_store *tensors;
    int count;
    json_t *root;
    char prefix[8], blanks[ALIGNMENT];
    char *header; /* made by jansson, released by free */
    int piece_count;
    espl__piece *pieces; /* prefix, header, blanks, then the tensors in the file's order */
    uint64_t place;      /* of the next tensor in the data */
} writer;

static espl_status no_memory(const writer *w)
{
    return espl__fail(w->ctx, ESPL_NO_MEMORY, "not enough memory for the header");
}

static espl_status describe_notes(writer *w, const espl__note *notes, int count)
{
    json_t *map = json_object();

    if (!map || json_object_set_new(w->root, "__metadata__", map))
        return no_memory(w);
    for (int i = 0; i < count; i++) {
        json_t *text = json_string(notes[i].text);
        if (!text)
            return espl__fail(w->ctx, ESPL_BAD_STATE, "the note \"%s\" is not UTF-8", notes[i].key);
        if (json_object_set_new(map, notes[i].key, text))
            return espl__fail(w->ctx, ESPL_BAD_STATE, "\"%s\" cannot be the name of a note", notes[i].key);
    }
    return ESPL_OK;
}

static json_t *list_of(const int64_t *items, int count)
{
    json_t *list = json_array();

    for (int i = 0; list && i < count; i++)
        if (json_array_append_new(list, json_integer(items[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static espl_status describe_tensor(writer *w, const espl__to_store *tensor)
{
    json_t *entry = json_object();
    size_t bytes = espl__dtype_size(tensor->dtype);

    if (json_object_get(w->root, tensor->name)) {
        json_decref(entry);
        return espl__fail(w->ctx, ESPL_BAD_STATE, "there are two tensors named \"%s\"", tensor->name);
    }
    if (!entry)
        return no_memory(w);
    if (json_object_set_new(w->root, tensor->name, entry))
        return espl__fail(w->ctx, ESPL_BAD_STATE, "\"%s\" cannot be the name of a tensor", tensor->name);
    for (int i = 0; i < tensor->rank; i++)
        if (!espl__multiply(bytes, (size_t)tensor->dim[i], &bytes))
            return espl__fail(w->ctx, ESPL_BAD_STATE, "the tensor \"%s\" is too large", tensor->name);
    const int64_t offsets[2] = { (int64_t)w->place, (int64_t)(w->place + bytes) };
    if (json_object_set_new(entry, "dtype", json_string(espl__dtype_name(tensor->dtype))) ||
        json_object_set_new(entry, "shape", list_of(tensor->dim, tensor->rank)) ||
        json_object_set_new(entry, "data_offsets", list_of(offsets, 2)))
        return no_memory(w);
    w->pieces[w->piece_count++] = (espl__piece){ tensor->values, bytes };
    w->place += bytes;
    return ESPL_OK;
}

static espl_status describe_tensors(writer *w)
{
    w->piece_count = 3;
    for (int s = 0; s < ESPL__COUNT(sizes_in_order); s++)
        for (int i = 0; i < w->count; i++)
            if (espl__dtype_size(w->tensors[i].dtype) == sizes_in_order[s]) {
                const espl_status status = describe_tensor(w, &w->tensors[i]);
                if (status)
                    return status;
            }
    return ESPL_OK;
}

static espl_status make_header(writer *w)
{
    w->header = json_dumps(w->root, JSON_COMPACT);
    if (!w->header)
        return no_memory(w);
    const size_t length = strlen(w->header), used = (sizeof w->prefix + length) % ALIGNMENT;
    const size_t fill = used ? ALIGNMENT - used : 0;
    for (int i = 0; i < 8; i++)
        w->prefix[i] = (char)(((uint64_t)(length + fill)) >> (8 * i));
    memset(w->blanks, ' ', sizeof w->blanks);
    w->pieces[0] = (espl__piece){ w->prefix, sizeof w->prefix };
    w->pieces[1] = (espl__piece){ w->header, length };
    w->pieces[2] = (espl__piece){ w->blanks, fill };
    return ESPL_OK;
}

static espl_status write_all(writer *w, const char *path, const espl__note *notes, int note_count)
{
    espl_status s;

    if (!w->root)
        return no_memory(w);
    if ((s = espl__allocate(w->ctx, (size_t)w->count + 3, sizeof *w->pieces, &w->pieces)) ||
        (note_count && (s = describe_notes(w, notes, note_count))) ||
        (s = describe_tensors(w)) || (s = make_header(w)))
        return espl__fail_within(w->ctx, s, "%s", path);
    return espl__file_replace_pieces(w->ctx, path, w->pieces, w->piece_count);
}

espl_status espl__safetensors_write(espl_context *ctx, const char *path, const espl__to_store *tensors,
                                    int count, const espl__note *notes, int note_count)
{
    writer w = { .ctx = ctx, .tensors = tensors, .count = count, .root = json_object() };
    const espl_status s = write_all(&w, path, notes, note_count);

    espl__release(ctx, w.pieces);
    free(w.header);
    json_decref(w.root);
    return s;
}
