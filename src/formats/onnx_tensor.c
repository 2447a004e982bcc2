/* The constants of ONNX models: values in the message itself, in one of several fields, or in a file
 * beside the model. */
#include "formats/onnx.h"
#include "formats/safetensors.h" /* how values are converted */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Values of files beside the model are converted a piece at a time. */
#define PIECE 4096

/* Which field holds values that are not raw. */
typedef enum field { FLOATS,
                     INT32S,
                     INT64S,
                     DOUBLES,
                     UINT64S } field;

static const struct {
    int number; /* in the format */
    espl__dtype dtype;
    field field;
    bool whole;
} types[] = {
    { 1, ESPL__F32, FLOATS, false },
    { 2, ESPL__U8, INT32S, true },
    { 3, ESPL__I8, INT32S, true },
    { 4, ESPL__U16, INT32S, true },
    { 5, ESPL__I16, INT32S, true },
    { 6, ESPL__I32, INT32S, true },
    { 7, ESPL__I64, INT64S, true },
    { 9, ESPL__BOOL, INT32S, true },
    { 10, ESPL__F16, INT32S, false },
    { 11, ESPL__F64, DOUBLES, false },
    { 12, ESPL__U32, UINT64S, true },
    { 13, ESPL__U64, UINT64S, true },
    { 16, ESPL__BF16, INT32S, false },
};

static int type_of(const espl__onnx_tensor *t)
{
    for (int i = 0; i < ESPL__COUNT(types); i++)
        if (types[i].number == t->data_type)
            return i;
    return -1;
}

static espl_status refuse(const espl__onnx *o, const espl__onnx_tensor *t, const char *reason)
{
    return espl__fail(o->ctx, ESPL_BAD_FILE, "tensor \"%.100s\": %s", t->name, reason);
}

int64_t espl__onnx_count(const espl__onnx_value *value)
{
    int64_t count = 1;

    for (int d = 0; d < value->rank; d++)
        count *= value->dim[d];
    return count;
}

espl_status espl__onnx_set_tensor(const espl__onnx *o, const espl__onnx_tensor *t, espl__onnx_value *value)
{
    const int64_t most = (int64_t)1 << 40;
    int64_t count = 1;

    if (t->n_dims > ESPL__ONNX_RANK_MAX)
        return refuse(o, t, "has more than 8 dimensions");
    for (size_t d = 0; d < t->n_dims; d++) {
        if (t->dims[d] < 0 || (count && t->dims[d] > most / count))
            return refuse(o, t, "its dimensions are negative or too large");
        count *= t->dims[d];
        value->dim[d] = t->dims[d];
    }
    value->kind = ESPL__ONNX_CONSTANT;
    value->rank = (int)t->n_dims;
    value->tensor = t;
    value->whole = type_of(t) >= 0 && types[type_of(t)].whole;
    return ESPL_OK;
}

/* ---- values in the message ---- */

/* Where values lie; one begins every `stride` bytes. */
typedef struct stored {
    espl__dtype dtype;
    const void *bytes;
    size_t stride, count;
} stored;

/* What is shorter than its field stands in the field's low bytes, which come first. */
static stored field_of(const espl__onnx_tensor *t, int type)
{
    const stored fields[] = {
        [FLOATS] = { 0, t->float_data, sizeof *t->float_data, t->n_float_data },
        [INT32S] = { 0, t->int32_data, sizeof *t->int32_data, t->n_int32_data },
        [INT64S] = { 0, t->int64_data, sizeof *t->int64_data, t->n_int64_data },
        [DOUBLES] = { 0, t->double_data, sizeof *t->double_data, t->n_double_data },
        [UINT64S] = { 0, t->uint64_data, sizeof *t->uint64_data, t->n_uint64_data },
    };
    stored found = fields[types[type].field];

    if (t->raw_data.len) {
        found.bytes = t->raw_data.data;
        found.stride = espl__dtype_size(types[type].dtype);
        found.count = t->raw_data.len % found.stride ? SIZE_MAX : t->raw_data.len / found.stride;
    }
    found.dtype = types[type].dtype;
    return found;
}

static espl_status find_stored(const espl__onnx *o, const espl__onnx_value *value, stored *found)
{
    const espl__onnx_tensor *t = value->tensor;
    const int type = type_of(t);
    const int64_t count = espl__onnx_count(value);

    if (type < 0)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "tensor \"%.100s\": has the type %d; numbers of 8 to 64 bits were expected",
                          t->name, t->data_type);
    *found = field_of(t, type);
    if (t->data_location == 1) {
        found->count = (size_t)count;
        found->stride = espl__dtype_size(found->dtype);
        found->bytes = NULL;
    }
    if (found->count != (size_t)count)
        return espl__fail(o->ctx, ESPL_BAD_FILE, "tensor \"%.100s\": holds %" PRId64 " values by its dimensions, but %s stored",
                          t->name, count, found->count ? "another number is" : "none is");
    return ESPL_OK;
}

/* ---- values in a file of their own ---- */

static const char *entry(const espl__onnx_tensor *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (espl__text_equal(t->external_data[i]->key, key))
            return t->external_data[i]->value;
    return NULL;
}

/* A file in the model's folder or below it; whoever wrote the model must not choose others. */
static bool is_below(const char *location)
{
    if (!location || !*location || *location == '/')
        return false;
    for (const char *at = location; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
        if (at[0] == '.' && at[1] == '.' && (!at[2] || at[2] == '/'))
            return false;
    return true;
}

static espl_status open_beside(const espl__onnx *o, const espl__onnx_tensor *t, int *descriptor)
{
    const char *slash = strrchr(o->path, '/'), *location = entry(t, "location");
    espl__text path = { 0 };
    espl_status s;

    if (!is_below(location))
        return refuse(o, t, "its values lie in a file that is not named or not beside the model");
    if (!(s = espl__text_add(o->ctx, &path, "%.*s%s", slash ? (int)(slash + 1 - o->path) : 0, o->path, location))) {
        *descriptor = open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (*descriptor < 0)
            s = espl__fail(o->ctx, ESPL_NO_FILE, "tensor \"%.100s\": %s, which holds its values, cannot be opened: %s", t->name,
                           path.data, strerror(errno));
    }
    espl__text_free(o->ctx, &path);
    return s;
}

/* Checks where the values lie and how many bytes there are. */
static espl_status find_place(const espl__onnx *o, const espl__onnx_tensor *t, int descriptor, int64_t bytes, int64_t *place)
{
    const char *offset = entry(t, "offset"), *length = entry(t, "length");
    int64_t stated = bytes;
    struct stat about;

    *place = 0;
    if ((offset && !espl__text_to_integer(offset, place)) || (length && !espl__text_to_integer(length, &stated)) ||
        *place < 0 || stated != bytes)
        return refuse(o, t, "its place or length in another file does not fit its dimensions");
    if (fstat(descriptor, &about) || !S_ISREG(about.st_mode) || about.st_size < bytes || *place > about.st_size - bytes)
        return refuse(o, t, "its values reach past the end of the file that holds them");
    return ESPL_OK;
}

static espl_status read_bytes(const espl__onnx *o, const espl__onnx_tensor *t, int descriptor, int64_t place, void *bytes,
                              size_t count)
{
    char *to = bytes;

    while (count) {
        const ssize_t got = pread(descriptor, to, count, (off_t)place);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return refuse(o, t, "its file cannot be read");
        to += got;
        place += got;
        count -= (size_t)got;
    }
    return ESPL_OK;
}

/* Calls `use` for the values piece by piece. */
static espl_status each_piece(const espl__onnx *o, const espl__onnx_tensor *t, const stored *about,
                              void (*use)(const stored *piece, int64_t first, void *to), void *to)
{
    unsigned char bytes[PIECE * 8];
    int64_t place;
    int descriptor = -1;
    espl_status s = open_beside(o, t, &descriptor);

    if (s)
        return s;
    s = find_place(o, t, descriptor, (int64_t)(about->count * about->stride), &place);
    for (size_t first = 0; first < about->count && !s; first += PIECE) {
        const size_t left = about->count - first, count = left < PIECE ? left : PIECE;
        const stored piece = { about->dtype, bytes, about->stride, count };
        s = read_bytes(o, t, descriptor, place + (int64_t)(first * about->stride), bytes, count * about->stride);
        if (!s)
            use(&piece, (int64_t)first, to);
    }
    close(descriptor);
    return s;
}

espl_status espl__onnx_check_stored(const espl__onnx *o, const espl__onnx_value *value)
{
    stored found = { 0 };
    int64_t place;
    int descriptor;
    espl_status s;

    if (!value->tensor)
        return ESPL_OK;
    if ((s = find_stored(o, value, &found)) || value->tensor->data_location != 1)
        return s;
    if ((s = open_beside(o, value->tensor, &descriptor)))
        return s;
    s = find_place(o, value->tensor, descriptor, (int64_t)(found.count * found.stride), &place);
    close(descriptor);
    return s;
}

/* ---- as floats ---- */

static void to_floats(const stored *piece, int64_t first, void *to)
{
    float *values = (float *)to + first;

    if (piece->stride == espl__dtype_size(piece->dtype)) {
        espl__dtype_convert(piece->dtype, piece->bytes, (int64_t)piece->count, values);
        return;
    }
    for (size_t i = 0; i < piece->count; i++)
        espl__dtype_convert(piece->dtype, (const char *)piece->bytes + i * piece->stride, 1, values + i);
}

/* Doubles keep integers of 53 bits, which floats do not. */
static void to_numbers(const stored *piece, int64_t first, void *to)
{
    double *numbers = (double *)to + first;

    for (size_t i = 0; i < piece->count; i++) {
        const char *at = (const char *)piece->bytes + i * piece->stride;
        int64_t integer;
        int32_t half;
        float value;
        if (piece->dtype == ESPL__I64) {
            memcpy(&integer, at, sizeof integer);
            numbers[i] = (double)integer;
        } else if (piece->dtype == ESPL__I32) {
            memcpy(&half, at, sizeof half);
            numbers[i] = half;
        } else if (piece->dtype == ESPL__F64) {
            memcpy(&numbers[i], at, sizeof numbers[i]);
        } else {
            espl__dtype_convert(piece->dtype, at, 1, &value);
            numbers[i] = value;
        }
    }
}

static espl_status read_tensor(const espl__onnx *o, const espl__onnx_value *value,
                               void (*use)(const stored *piece, int64_t first, void *to), void *to)
{
    stored found = { 0 };
    const espl_status s = find_stored(o, value, &found);

    if (s)
        return s;
    if (value->tensor->data_location == 1)
        return each_piece(o, value->tensor, &found, use, to);
    use(&found, 0, to);
    return ESPL_OK;
}

/* from[columns][rows] to to[rows][columns] */
static void turn(const float *from, int64_t rows, int64_t columns, float *to)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            to[r * columns + c] = from[c * rows + r];
}

/* In the order in which they are kept. */
static espl_status read_kept(const espl__onnx *o, const espl__onnx_value *value, float *to)
{
    if (!value->numbers)
        return read_tensor(o, value, to_floats, to);
    for (int64_t i = 0; i < espl__onnx_count(value); i++)
        to[i] = (float)value->numbers[i];
    return ESPL_OK;
}

espl_status espl__onnx_read_floats(const espl__onnx *o, const espl__onnx_value *value, float *to)
{
    float *values = NULL;
    espl_status s;

    if (!value->turned)
        return read_kept(o, value, to);
    s = espl__allocate(o->ctx, (size_t)espl__onnx_count(value), sizeof *values, &values);
    if (!s && !(s = read_kept(o, value, values)))
        turn(values, value->dim[0], value->dim[1], to);
    espl__release(o->ctx, values);
    return s;
}

espl__onnx_value espl__onnx_turn(const espl__onnx_value *value)
{
    espl__onnx_value other = *value;

    other.dim[0] = value->dim[1];
    other.dim[1] = value->dim[0];
    other.turned = !value->turned;
    return other;
}

espl_status espl__onnx_look(const espl__onnx *o, espl__onnx_value *value)
{
    const int64_t count = espl__onnx_count(value);
    double *numbers = NULL;
    stored found;
    espl_status s;

    if (value->numbers)
        return ESPL_OK;
    if (count > ESPL__ONNX_NUMBERS_MAX || value->turned)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "tensor \"%.100s\": is too large to be computed with; up to %d values are expected",
                          value->name, ESPL__ONNX_NUMBERS_MAX);
    if ((s = find_stored(o, value, &found)) || (s = espl__allocate(o->ctx, (size_t)count + 1, sizeof *numbers, &numbers)))
        return s;
    if ((s = read_tensor(o, value, to_numbers, numbers)))
        espl__release(o->ctx, numbers);
    else
        value->numbers = numbers;
    return s;
}

int64_t espl__onnx_round(double number)
{
    return isnan(number) ? 0 : (int64_t)fmin(fmax(number, -0x1p60), 0x1p60);
}
