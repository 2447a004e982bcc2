/* Files of PyTorch (torch.save): .pth, .pt, .th. Since version 1.6 they are zip archives with a pickle
 * "<name>/data.pkl" and a member "<name>/data/<key>" for each storage; before, the pickle follows three
 * small ones, and the storages follow it in one list. The pickle is read, never executed. */
#include "formats/pytorch.h"

#include "data/packed.h"
#include "formats/formats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A net of a hundred thousand tensors needs less. */
#define LARGEST_PICKLE ((size_t)16 << 20)

/* How a legacy file begins: protocol 2 and the magic number as LONG1. */
#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

/* What the pickles of state dicts name; and what training programs often save beside them. */
static const char *const allowed[] = {
    "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_parameter", "torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage",
    "torch.BFloat16Storage", "torch.LongStorage", "torch.IntStorage", "torch.ShortStorage", "torch.CharStorage",
    "torch.ByteStorage", "torch.BoolStorage", "torch.Size", "torch.device", "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar", "numpy.dtype", "_codecs.encode", "argparse.Namespace", "collections.defaultdict",
    NULL
};

/* ---- legacy files ---- */

static espl_status read_at(const espl__torch *t, int64_t place, void *bytes, size_t count)
{
    char *to = bytes;

    while (count) {
        const ssize_t got = pread(t->descriptor, to, count, (off_t)place);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return espl__fail(t->ctx, ESPL_BAD_FILE, "%s: byte %" PRId64 ": %s", t->path, place,
                              got ? strerror(errno) : "the file ends here, before its last tensor does");
        to += got;
        place += got;
        count -= (size_t)got;
    }
    return ESPL_OK;
}

/* The list of keys, a pickle, then for each of them the count and the values. */
espl_status espl__torch_place_storages(espl__torch *t)
{
    espl__pickle keys = { .ctx = t->ctx, .path = t->path, .bytes = t->pickle.bytes, .count = t->pickle.count, .at = t->pickle.at, .allowed = allowed };
    espl_status s = espl__pickle_read(&keys);
    int64_t place = (int64_t)keys.at;
    const espl__pickled *list = s ? NULL : &keys.values[keys.root];

    for (int cell = list ? list->first : 0; cell && !s; cell = keys.cells[cell].next) {
        const espl__pickled *key = &keys.values[keys.cells[cell].value];
        int64_t count = 0;
        int i = 0;
        while (i < t->storage_count && !espl__pickled_is(key, t->storages[i].key))
            i++;
        if (i == t->storage_count) {
            s = espl__fail(t->ctx, ESPL_BAD_FILE, "%s: byte %" PRId64 ": values follow that belong to no parameter; save "
                                                  "net.state_dict() alone",
                           t->path, place);
            break;
        }
        espl__torch_storage *storage = &t->storages[i];
        if ((s = read_at(t, place, &count, sizeof count)))
            break;
        place += (int64_t)sizeof count;
        if (count != storage->count || count > (t->bytes - place) / (int64_t)espl__dtype_size(storage->dtype))
            s = espl__fail(t->ctx, ESPL_BAD_FILE,
                           "%s: byte %" PRId64 ": %" PRId64 " values are announced, of %" PRId64
                           ", but the file has %" PRId64 " bytes; was it cut off?",
                           t->path, place, count, storage->count, t->bytes);
        storage->place = place;
        place += s ? 0 : count * (int64_t)espl__dtype_size(storage->dtype);
    }
    espl__pickle_free(&keys);
    return s;
}

static espl_status open_legacy(espl__torch *t)
{
    espl__pickle *p = &t->pickle;
    struct stat about;
    espl_status s = ESPL_OK;

    t->descriptor = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->descriptor < 0 || fstat(t->descriptor, &about))
        return espl__fail(t->ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", t->path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return espl__fail(t->ctx, ESPL_BAD_FILE, "%s: is no ordinary file", t->path);
    t->bytes = about.st_size;
    t->head_bytes = t->bytes < (int64_t)LARGEST_PICKLE ? (size_t)t->bytes : LARGEST_PICKLE;
    if ((s = espl__allocate(t->ctx, t->head_bytes + 1, 1, &t->head)) || (s = read_at(t, 0, t->head, t->head_bytes)))
        return s;
    p->bytes = (unsigned char *)t->head;
    p->count = t->head_bytes;
    if (memcmp(t->head, MAGIC, t->head_bytes < sizeof MAGIC - 1 ? t->head_bytes : sizeof MAGIC - 1) != 0)
        return espl__fail(t->ctx, ESPL_BAD_FILE, "%s: byte 0: is no file of torch.save", t->path);
    /* the magic number, the version, facts about the machine, the object */
    for (int i = 0; i < 4 && !s; i++) {
        s = espl__pickle_read(p);
        const espl__pickled *little = !s && i == 2 ? espl__pickled_get(p, &p->values[p->root], "little_endian") : NULL;
        if (little && !little->integer)
            s = espl__fail(t->ctx, ESPL_UNSUPPORTED, "%s: was written on a big-endian machine", t->path);
    }
    if (s || (s = espl__torch_collect(t)))
        return s;
    return espl__torch_place_storages(t);
}

/* ---- zip archives ---- */

static espl_status check_byte_order(const espl__torch *t)
{
    char name[300], order[8] = "";
    espl__packed *member;
    size_t got;

    snprintf(name, sizeof name, "%sbyteorder", t->prefix);
    if (!espl__packed_has_member(t->path, name))
        return ESPL_OK;
    espl_status s = espl__packed_open_member(t->ctx, t->path, name, &member);
    if (s)
        return s;
    s = espl__packed_read(member, order, sizeof order - 1, &got);
    espl__packed_free(member);
    if (!s && !espl__text_equal(order, "little"))
        s = espl__fail(t->ctx, ESPL_UNSUPPORTED, "%s: was written on a big-endian machine", t->path);
    return s;
}

static espl_status open_zip(espl__torch *t, const char *pickle)
{
    espl__packed *member;
    espl_status s;

    t->zip = true;
    snprintf(t->prefix, sizeof t->prefix, "%.*s", (int)(strlen(pickle) - strlen("data.pkl")), pickle);
    if ((s = check_byte_order(t)) || (s = espl__packed_open_member(t->ctx, t->path, pickle, &member)))
        return s;
    s = espl__packed_take_all(member, LARGEST_PICKLE, &t->head, &t->head_bytes);
    espl__packed_free(member);
    if (s)
        return s;
    t->pickle.bytes = (unsigned char *)t->head;
    t->pickle.count = t->head_bytes;
    s = espl__pickle_read(&t->pickle);
    return s ? s : espl__torch_collect(t);
}

/* ---- values ---- */

static espl_status skip(espl__packed *member, int64_t bytes)
{
    char piece[4096];
    espl_status s = ESPL_OK;

    while (bytes > 0 && !s) {
        const size_t now = bytes < (int64_t)sizeof piece ? (size_t)bytes : sizeof piece;
        size_t got = 0;
        s = espl__packed_read(member, piece, now, &got);
        bytes = got ? bytes - (int64_t)got : 0;
    }
    return s;
}

/* The bytes that the tensor reaches over, as they are stored. */
static espl_status take_span(const espl__torch *t, const espl__torch_tensor *tensor, uint8_t **data)
{
    const espl__torch_storage *storage = &t->storages[tensor->storage];
    const size_t size = espl__dtype_size(storage->dtype), bytes = (size_t)tensor->span * size;
    char name[400];
    espl__packed *member;
    espl_status s;

    *data = NULL;
    if (!t->zip) {
        if (storage->place < 0)
            return espl__fail(t->ctx, ESPL_BAD_FILE, "%s: tensor \"%.200s\": its values are missing", t->path, tensor->name);
        if ((s = espl__allocate(t->ctx, bytes, 1, data)))
            return s;
        return read_at(t, storage->place + tensor->offset * (int64_t)size, *data, bytes);
    }
    snprintf(name, sizeof name, "%sdata/%s", t->prefix, storage->key);
    if ((s = espl__packed_open_member(t->ctx, t->path, name, &member)))
        return s;
    if (!(s = skip(member, tensor->offset * (int64_t)size)))
        s = espl__packed_take(member, bytes, tensor->name, data);
    espl__packed_free(member);
    return s;
}

/* In the order of the dimensions, whatever the strides are. */
static void gather(const espl__torch_tensor *tensor, const float *span, float *values)
{
    int64_t at[ESPL__STORED_RANK_MAX] = { 0 }, place = 0;

    for (int64_t i = 0; i < tensor->stored.count; i++) {
        values[i] = span[place];
        for (int d = tensor->stored.rank - 1; d >= 0; d--) {
            place += tensor->stride[d];
            if (++at[d] < tensor->stored.dim[d])
                break;
            place -= tensor->stride[d] * tensor->stored.dim[d];
            at[d] = 0;
        }
    }
}

static const espl__stored *tensor_at(const espl__tensors *tensors, int index)
{
    const espl__torch *t = tensors->file;

    return index >= 0 && index < t->count ? &t->tensors[index].stored : NULL;
}

static espl_status read_tensor(espl__tensors *tensors, int index, float *values)
{
    const espl__torch *t = tensors->file;
    const espl__torch_tensor *tensor = &t->tensors[index];
    uint8_t *data = NULL;
    float *span = NULL;
    espl_status s = take_span(t, tensor, &data);

    if (!s && !(s = espl__allocate(t->ctx, (size_t)tensor->span, sizeof *span, &span))) {
        espl__dtype_convert(tensor->stored.dtype, data, tensor->span, span);
        gather(tensor, span, values);
    }
    espl__release(t->ctx, span);
    espl__release(t->ctx, data);
    return s;
}

/* ---- opening ---- */

static void free_torch(espl__torch *t)
{
    for (int i = 0; i < t->count; i++)
        espl__release(t->ctx, t->tensors[i].name);
    for (int i = 0; i < t->storage_count; i++)
        espl__release(t->ctx, t->storages[i].key);
    espl__release(t->ctx, t->tensors);
    espl__release(t->ctx, t->storages);
    espl__release(t->ctx, t->head);
    espl__release(t->ctx, t->path);
    espl__pickle_free(&t->pickle);
    if (t->descriptor >= 0)
        close(t->descriptor);
    espl__release(t->ctx, t);
}

static void close_tensors(espl__tensors *tensors)
{
    free_torch(tensors->file);
}

static const espl__tensor_reader reader = { tensor_at, read_tensor, close_tensors };

static bool is_zip(const char *path)
{
    FILE *file = fopen(path, "rb");
    char magic[4] = "";
    const bool found = file && fread(magic, 1, 4, file) == 4 && memcmp(magic, "PK\3\4", 4) == 0;

    if (file)
        fclose(file);
    return found;
}

static espl_status open_any(espl__torch *t)
{
    char pickle[256];

    if (!is_zip(t->path))
        return open_legacy(t);
    if (espl__packed_find_member(t->path, "data.pkl", pickle, sizeof pickle))
        return open_zip(t, pickle);
    return espl__fail(t->ctx, ESPL_BAD_FILE,
                      "%s: is a zip archive without \"data.pkl\", so no file of torch.save (or this build is without "
                      "libzip)",
                      t->path);
}

static espl_status open_tensors(espl_context *ctx, const char *path, espl__tensors *result)
{
    espl__torch *t = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *t, &t);

    if (s)
        return s;
    t->ctx = ctx;
    t->descriptor = -1;
    if ((s = espl__copy_text(ctx, path, &t->path))) {
        free_torch(t);
        return s;
    }
    t->pickle = (espl__pickle){ .ctx = ctx, .path = t->path, .allowed = allowed };
    if ((s = open_any(t))) {
        free_torch(t);
        return s;
    }
    *result = (espl__tensors){ .ctx = ctx, .path = t->path, .count = t->count, .reader = &reader, .file = t };
    return ESPL_OK;
}

static espl_status no_net(espl_context *ctx, const char *path, espl_net **result)
{
    *result = NULL;
    return espl__fail(ctx, ESPL_BAD_FILE, "%s: holds parameters but no net; say with --net which net they belong to",
                      path);
}

const espl__format espl__format_pytorch = {
    .name = "pytorch",
    .summary = "state dicts of torch.save, for a given net; what is in them is never executed",
    .endings = ".pth .pt .th",
    .load = no_net,
    .tensors = open_tensors,
};
