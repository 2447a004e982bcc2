/* From a pickle's values to tensors: the state dict is found, and every call of _rebuild_tensor_v2 in it
 * describes one. */
#include "formats/pytorch.h"

#include <string.h>

#define DEEPEST 16
#define LONGEST_NAME 400
#define MOST_TENSORS 30000

/* Where training programs keep the parameters in what they save. */
static const char *const wrappers[] = { "state_dict", "model_state_dict", "model_state", "model", "net", "module", NULL };

static const struct {
    const char *name;
    espl__dtype dtype;
} storages[] = {
    { "FloatStorage", ESPL__F32 },
    { "DoubleStorage", ESPL__F64 },
    { "HalfStorage", ESPL__F16 },
    { "BFloat16Storage", ESPL__BF16 },
    { "LongStorage", ESPL__I64 },
    { "IntStorage", ESPL__I32 },
    { "ShortStorage", ESPL__I16 },
    { "CharStorage", ESPL__I8 },
    { "ByteStorage", ESPL__U8 },
    { "BoolStorage", ESPL__BOOL },
};

static espl_status refuse(const espl__torch *t, const char *name, const char *reason)
{
    return espl__fail(t->ctx, ESPL_BAD_FILE, "%s: tensor \"%.200s\": %s", t->path, name, reason);
}

static const espl__pickled *value_of(const espl__torch *t, int index)
{
    return &t->pickle.values[index];
}

/* ---- storages ---- */

static bool find_dtype(const espl__pickled *name, espl__dtype *dtype)
{
    for (int i = 0; i < ESPL__COUNT(storages); i++)
        if (espl__pickled_is(name, storages[i].name)) {
            *dtype = storages[i].dtype;
            return true;
        }
    return false;
}

/* ('storage', torch.FloatStorage, key, 'cpu', count[, view]) */
static espl_status find_storage(espl__torch *t, const char *name, const espl__pickled *persistent, int *index)
{
    const espl__pickle *p = &t->pickle;
    const espl__pickled *list = value_of(t, persistent->argument), *type = espl__pickled_item(p, list, 1),
                        *key = espl__pickled_item(p, list, 2), *count = espl__pickled_item(p, list, 4),
                        *view = espl__pickled_item(p, list, 5);
    espl__torch_storage storage = { .place = -1 };
    espl_status s;

    if (!type || !key || !count || key->kind != ESPL__PICKLED_TEXT || count->kind != ESPL__PICKLED_INTEGER ||
        key->length > 64 || count->integer < 0 || !find_dtype(type, &storage.dtype))
        return refuse(t, name, "its storage is described in a way that is not understood");
    if (view && view->kind != ESPL__PICKLED_NONE)
        return refuse(t, name, "its storage is part of another, as very old PyTorch wrote it; save it again with a newer one");
    storage.count = count->integer;
    for (int i = 0; i < t->storage_count; i++)
        if (strlen(t->storages[i].key) == key->length && memcmp(t->storages[i].key, key->text, key->length) == 0) {
            *index = i;
            return t->storages[i].count == storage.count && t->storages[i].dtype == storage.dtype
                       ? ESPL_OK
                       : refuse(t, name, "its storage is described in two ways");
        }
    if (t->storage_count == t->storage_capacity) {
        const int larger = t->storage_capacity ? t->storage_capacity * 2 : 64;
        if ((s = espl__resize(t->ctx, (size_t)t->storage_capacity, (size_t)larger, sizeof storage, &t->storages)))
            return s;
        t->storage_capacity = larger;
    }
    if ((s = espl__allocate(t->ctx, key->length + 1, 1, &storage.key)))
        return s;
    memcpy(storage.key, key->text, key->length);
    *index = t->storage_count;
    t->storages[t->storage_count++] = storage;
    return ESPL_OK;
}

/* ---- tensors ---- */

/* Sizes and strides; what the tensor reaches over must lie in its storage, and hold each value once. */
static bool read_sizes(const espl__torch *t, const espl__pickled *sizes, const espl__pickled *strides,
                       espl__torch_tensor *tensor)
{
    const int64_t most = t->storages[tensor->storage].count;
    espl__stored *stored = &tensor->stored;

    if (sizes->kind != ESPL__PICKLED_LIST || strides->kind != ESPL__PICKLED_LIST || sizes->count != strides->count ||
        sizes->count > ESPL__STORED_RANK_MAX)
        return false;
    stored->rank = sizes->count;
    stored->count = tensor->span = 1;
    for (int d = 0; d < stored->rank; d++) {
        const espl__pickled *size = espl__pickled_item(&t->pickle, sizes, d), *stride = espl__pickled_item(&t->pickle, strides, d);
        if (size->kind != ESPL__PICKLED_INTEGER || stride->kind != ESPL__PICKLED_INTEGER || size->integer < 1 ||
            size->integer > most || stride->integer < 0 || stride->integer > most)
            return false;
        stored->dim[d] = size->integer;
        tensor->stride[d] = stride->integer;
        if (stored->count > most / size->integer || (size->integer > 1 && stride->integer > most / (size->integer - 1)))
            return false;
        stored->count *= size->integer;
        tensor->span += (size->integer - 1) * stride->integer;
        if (tensor->span > most)
            return false;
    }
    return stored->count <= tensor->span;
}

static espl_status fill_tensor(espl__torch *t, const espl__pickled *arguments, espl__torch_tensor *tensor)
{
    const espl__pickle *p = &t->pickle;
    const espl__pickled *storage = espl__pickled_item(p, arguments, 0), *offset = espl__pickled_item(p, arguments, 1),
                        *sizes = espl__pickled_item(p, arguments, 2), *strides = espl__pickled_item(p, arguments, 3);

    if (!storage || !offset || !sizes || !strides || storage->kind != ESPL__PICKLED_PERSISTENT ||
        offset->kind != ESPL__PICKLED_INTEGER)
        return refuse(t, tensor->name, "it is described in a way that is not understood");
    const espl_status s = find_storage(t, tensor->name, storage, &tensor->storage);
    if (s)
        return s;
    if (!read_sizes(t, sizes, strides, tensor))
        return refuse(t, tensor->name, "its sizes and strides do not fit its storage");
    const espl__torch_storage *from = &t->storages[tensor->storage];
    tensor->offset = offset->integer;
    if (offset->integer < 0 || offset->integer > from->count - tensor->span)
        return refuse(t, tensor->name, "it reaches beyond its storage");
    tensor->stored.name = tensor->name;
    tensor->stored.dtype = from->dtype;
    return ESPL_OK;
}

static espl_status add_tensor(espl__torch *t, const char *name, const espl__pickled *arguments)
{
    espl__torch_tensor *tensor;
    espl_status s;

    if (t->count == t->capacity) {
        const int larger = t->capacity ? t->capacity * 2 : 64;
        if ((s = espl__resize(t->ctx, (size_t)t->capacity, (size_t)larger, sizeof *t->tensors, &t->tensors)))
            return s;
        t->capacity = larger;
    }
    tensor = &t->tensors[t->count++];
    *tensor = (espl__torch_tensor){ 0 };
    s = espl__copy_text(t->ctx, name, &tensor->name);
    return s ? s : fill_tensor(t, arguments, tensor);
}

/* The arguments of the call that makes a tensor, or NULL for anything else. */
static const espl__pickled *tensor_arguments(const espl__torch *t, const espl__pickled *value)
{
    for (int turn = 0; turn < 2 && value && value->kind == ESPL__PICKLED_CALL; turn++) {
        const espl__pickled *function = value_of(t, value->function), *arguments = value_of(t, value->argument);
        if (espl__pickled_is(function, "_rebuild_tensor_v2") || espl__pickled_is(function, "_rebuild_tensor"))
            return arguments;
        if (!espl__pickled_is(function, "_rebuild_parameter"))
            return NULL;
        value = espl__pickled_item(&t->pickle, arguments, 0);
    }
    return NULL;
}

/* ---- the state dict ---- */

static bool is_map(const espl__pickled *value)
{
    return value->kind == ESPL__PICKLED_MAP || value->kind == ESPL__PICKLED_CALL;
}

static bool holds_tensors(const espl__torch *t, const espl__pickled *map)
{
    const espl__pickle *p = &t->pickle;

    for (int cell = is_map(map) ? map->first : 0; cell && p->cells[cell].next; cell = p->cells[p->cells[cell].next].next)
        if (tensor_arguments(t, value_of(t, p->cells[p->cells[cell].next].value)))
            return true;
    return false;
}

static const espl__pickled *find_state(const espl__torch *t, const espl__pickled *map, int depth)
{
    if (holds_tensors(t, map))
        return map;
    for (int i = 0; wrappers[i] && is_map(map) && depth < 3; i++) {
        const espl__pickled *inner = espl__pickled_get(&t->pickle, map, wrappers[i]);
        const espl__pickled *found = inner ? find_state(t, inner, depth + 1) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* Dicts within the dict become parts of names. */
static espl_status collect_map(espl__torch *t, const espl__pickled *map, char *name, size_t used, int depth)
{
    espl__pickle *p = &t->pickle;
    espl_status s = ESPL_OK;

    for (int cell = map->first; cell && p->cells[cell].next && !s; cell = p->cells[p->cells[cell].next].next) {
        const espl__pickled *key = value_of(t, p->cells[cell].value), *value = value_of(t, p->cells[p->cells[cell].next].value);
        const espl__pickled *arguments = tensor_arguments(t, value);
        if (key->kind != ESPL__PICKLED_TEXT || used + key->length + 2 > LONGEST_NAME || memchr(key->text, 0, key->length))
            continue;
        memcpy(name + used, key->text, key->length);
        name[used + key->length] = 0;
        if (arguments)
            s = add_tensor(t, name, arguments);
        else if (is_map(value) && depth < DEEPEST) {
            name[used + key->length] = '.';
            s = collect_map(t, value, name, used + key->length + 1, depth + 1);
        }
        if (++t->visited > p->cell_count || t->count > MOST_TENSORS)
            return refuse(t, name, "there are too many, or dicts that hold one another again and again");
    }
    return s;
}

espl_status espl__torch_collect(espl__torch *t)
{
    const espl__pickled *state = find_state(t, value_of(t, t->pickle.root), 0);
    char name[LONGEST_NAME];

    if (!state)
        return espl__fail(t->ctx, ESPL_BAD_FILE,
                          "%s: holds no state dict: neither tensors under names nor such a dict under \"state_dict\" "
                          "or \"model\"; save net.state_dict()",
                          t->path);
    return collect_map(t, state, name, 0, 0);
}
