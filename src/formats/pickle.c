/* The stack machine of pickles, protocols 2 to 5, as far as files of tensors need it. */
#include "formats/pickle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The memo is counted through; a few numbers may be left out. */
#define MEMO_GAP 1024

/* ---- failing ---- */

/* Operations that are known but not read: protocol 0, and whatever makes objects of arbitrary classes. */
static const struct {
    unsigned char code;
    const char *name;
} unread[] = {
    { 'i', "INST" },
    { 'o', "OBJ" },
    { 0x92, "NEWOBJ_EX" },
    { 0x82, "EXT1" },
    { 0x83, "EXT2" },
    { 0x84, "EXT4" },
    { 'P', "PERSID" },
    { 'I', "INT" },
    { 'L', "LONG" },
    { 'F', "FLOAT" },
    { 'S', "STRING" },
    { 'V', "UNICODE" },
    { 'd', "DICT" },
    { 'l', "LIST" },
    { 'g', "GET" },
    { 'p', "PUT" },
    { 0x96, "BYTEARRAY8" },
    { 0x97, "NEXT_BUFFER" },
    { 0x98, "READONLY_BUFFER" },
};

static espl_status refuse(const espl__pickle *p, size_t at, const char *reason)
{
    return espl__fail(p->ctx, ESPL_BAD_FILE, "%s: byte %" PRId64 ": the pickle %s", p->path, p->place + (int64_t)at,
                      reason);
}

static espl_status refuse_opcode(const espl__pickle *p, size_t at)
{
    const unsigned code = p->bytes[at];

    for (int i = 0; i < ESPL__COUNT(unread); i++)
        if (unread[i].code == code)
            return espl__fail(p->ctx, ESPL_BAD_FILE,
                              "%s: byte %" PRId64 ": the opcode %s of this pickle is not read; files of parameters "
                              "(torch.save(net.state_dict(), ...)) do without it",
                              p->path, p->place + (int64_t)at, unread[i].name);
    return espl__fail(p->ctx, ESPL_BAD_FILE, "%s: byte %" PRId64 ": 0x%02x is no opcode of a pickle", p->path,
                      p->place + (int64_t)at, code);
}

static espl_status refuse_name(const espl__pickle *p, size_t at, const char *opcode, const espl__pickled *name)
{
    return espl__fail(p->ctx, ESPL_BAD_FILE,
                      "%s: byte %" PRId64 ": the opcode %s wants to import %.*s, and code of a file is never "
                      "executed; save the parameters alone (torch.save(net.state_dict(), ...))",
                      p->path, p->place + (int64_t)at, opcode, (int)(name->length < 100 ? name->length : 100), name->text);
}

/* ---- bytes ---- */

static espl_status take(espl__pickle *p, size_t bytes, const unsigned char **data)
{
    *data = p->bytes + p->at;
    if (bytes > p->count - p->at)
        return refuse(p, p->at, "is cut off here, or longer than is read");
    p->at += bytes;
    return ESPL_OK;
}

static uint64_t little_endian(const unsigned char *data, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

static espl_status take_number(espl__pickle *p, size_t bytes, uint64_t *value)
{
    const unsigned char *data;
    const espl_status s = take(p, bytes, &data);

    *value = s ? 0 : little_endian(data, bytes);
    return s;
}

static espl_status take_line(espl__pickle *p, const char **text, size_t *length)
{
    const unsigned char *end = memchr(p->bytes + p->at, '\n', p->count - p->at), *data;

    if (!end)
        return refuse(p, p->at, "is cut off within a name");
    *length = (size_t)(end - (p->bytes + p->at));
    const espl_status s = take(p, *length + 1, &data);
    *text = (const char *)data;
    return s;
}

/* ---- values ---- */

/* Room for one more item in an array that doubles. */
static espl_status make_room(espl_context *ctx, int count, int *capacity, size_t size, void *items)
{
    const int larger = *capacity ? *capacity * 2 : 64;

    if (count < *capacity)
        return ESPL_OK;
    const espl_status s = espl__resize(ctx, (size_t)*capacity, (size_t)larger, size, items);
    if (!s)
        *capacity = larger;
    return s;
}

static espl_status push_index(espl__pickle *p, int value)
{
    const espl_status s = make_room(p->ctx, p->stack_count, &p->stack_capacity, sizeof *p->stack, &p->stack);

    if (!s)
        p->stack[p->stack_count++] = value;
    return s;
}

static espl_status add_value(espl__pickle *p, const espl__pickled *value, int *index)
{
    const espl_status s = make_room(p->ctx, p->value_count, &p->value_capacity, sizeof *p->values, &p->values);

    if (s)
        return s;
    *index = p->value_count++;
    p->values[*index] = *value;
    return ESPL_OK;
}

static espl_status push(espl__pickle *p, const espl__pickled *value)
{
    int index = 0;
    const espl_status s = add_value(p, value, &index);

    return s ? s : push_index(p, index);
}

static espl_status push_kind(espl__pickle *p, espl__pickled_kind kind)
{
    return push(p, &(espl__pickled){ .kind = kind });
}

static espl_status push_integer(espl__pickle *p, int64_t integer)
{
    return push(p, &(espl__pickled){ .kind = ESPL__PICKLED_INTEGER, .integer = integer });
}

/* Marks are never popped as values. */
static espl_status pop(espl__pickle *p, int *index)
{
    *index = p->stack_count ? p->stack[p->stack_count - 1] : 0;
    if (!*index || p->values[*index].kind == ESPL__PICKLED_MARK)
        return refuse(p, p->at, "takes more from its stack than there is");
    p->stack_count--;
    return ESPL_OK;
}

static espl_status add_item(espl__pickle *p, int container, int value)
{
    const espl_status s = make_room(p->ctx, p->cell_count, &p->cell_capacity, sizeof *p->cells, &p->cells);
    espl__pickled *v = &p->values[container];
    const int cell = p->cell_count;

    if (s)
        return s;
    p->cells[p->cell_count++] = (espl__pickle_cell){ .value = value };
    if (v->last)
        p->cells[v->last].next = cell;
    else
        v->first = cell;
    v->last = cell;
    v->count++;
    return ESPL_OK;
}

/* ---- several values at once ---- */

/* Where the values above the last mark begin. */
static espl_status find_mark(const espl__pickle *p, int *begin)
{
    for (int i = p->stack_count; i > 0; i--)
        if (p->values[p->stack[i - 1]].kind == ESPL__PICKLED_MARK) {
            *begin = i;
            return ESPL_OK;
        }
    return refuse(p, p->at, "looks for a mark that nothing has set");
}

static espl_status add_items(espl__pickle *p, int container, int begin)
{
    const espl__pickled_kind kind = p->values[container].kind;
    espl_status s = ESPL_OK;

    if (kind != ESPL__PICKLED_LIST && kind != ESPL__PICKLED_MAP && kind != ESPL__PICKLED_CALL)
        return refuse(p, p->at, "puts items into what can hold none");
    for (int i = begin; i < p->stack_count && !s; i++)
        s = add_item(p, container, p->stack[i]);
    return s;
}

/* Values above the mark go into what is below it. */
static espl_status fill(espl__pickle *p)
{
    int begin = 0;
    espl_status s = find_mark(p, &begin);

    if (s)
        return s;
    const int below = begin >= 2 ? p->stack[begin - 2] : 0;
    if (!below)
        return refuse(p, p->at, "puts items into nothing");
    s = add_items(p, below, begin);
    p->stack_count = begin - 1;
    return s;
}

/* The last `count` values go into what is below them. */
static espl_status fill_with(espl__pickle *p, int count)
{
    if (p->stack_count <= count)
        return refuse(p, p->at, "takes more from its stack than there is");
    const espl_status s = add_items(p, p->stack[p->stack_count - 1 - count], p->stack_count - count);
    p->stack_count -= count;
    return s;
}

static espl_status make_tuple(espl__pickle *p, int count)
{
    int tuple = 0;
    espl_status s;

    if (p->stack_count < count)
        return refuse(p, p->at, "takes more from its stack than there is");
    if ((s = add_value(p, &(espl__pickled){ .kind = ESPL__PICKLED_LIST }, &tuple)) ||
        (s = add_items(p, tuple, p->stack_count - count)))
        return s;
    p->stack_count -= count;
    return push_index(p, tuple);
}

static espl_status make_marked_tuple(espl__pickle *p)
{
    int begin = 0;
    espl_status s = find_mark(p, &begin);

    if (s || (s = make_tuple(p, p->stack_count - begin)))
        return s;
    p->stack[begin - 1] = p->stack[begin]; /* instead of the mark */
    p->stack_count = begin;
    return ESPL_OK;
}

/* ---- operations with an argument ---- */

static espl_status push_text(espl__pickle *p, size_t length_bytes)
{
    espl__pickled value = { .kind = ESPL__PICKLED_TEXT };
    const unsigned char *data;
    uint64_t length;
    espl_status s = take_number(p, length_bytes, &length);

    if (s || (s = length > SIZE_MAX ? refuse(p, p->at, "is cut off here") : take(p, (size_t)length, &data)))
        return s;
    value.text = (const char *)data;
    value.length = (size_t)length;
    return push(p, &value);
}

static espl_status push_long(espl__pickle *p, size_t length_bytes)
{
    const unsigned char *data;
    uint64_t length;
    espl_status s = take_number(p, length_bytes, &length);

    if (s || (s = take(p, (size_t)length, &data)))
        return s;
    uint64_t value = little_endian(data, length < 8 ? (size_t)length : 8);
    if (length && length < 8 && data[length - 1] & 0x80) /* two's complement */
        value |= UINT64_MAX << (8 * length);
    return push_integer(p, (int64_t)value);
}

static espl_status push_small(espl__pickle *p, size_t bytes)
{
    uint64_t value;
    const espl_status s = take_number(p, bytes, &value);

    return s ? s : push_integer(p, bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value);
}

static espl_status put(espl__pickle *p, uint64_t index)
{
    espl_status s = ESPL_OK;

    if (!p->stack_count || index > (uint64_t)p->memo_count + MEMO_GAP)
        return refuse(p, p->at, "memorizes nothing, or under an impossible number");
    while (p->memo_count <= (int)index && !s) {
        s = make_room(p->ctx, p->memo_count, &p->memo_capacity, sizeof *p->memo, &p->memo);
        if (!s)
            p->memo[p->memo_count++] = 0;
    }
    if (!s)
        p->memo[index] = p->stack[p->stack_count - 1];
    return s;
}

static espl_status put_numbered(espl__pickle *p, size_t bytes)
{
    uint64_t index;
    const espl_status s = take_number(p, bytes, &index);

    return s ? s : put(p, index);
}

static espl_status get(espl__pickle *p, size_t bytes)
{
    uint64_t index;
    const espl_status s = take_number(p, bytes, &index);

    if (s)
        return s;
    if (index >= (uint64_t)p->memo_count || !p->memo[index])
        return refuse(p, p->at, "remembers what it has never memorized");
    return push_index(p, p->memo[index]);
}

/* ---- what would be executed ---- */

static bool is_allowed(const espl__pickle *p, const char *module, size_t module_length, const char *name, size_t length)
{
    char whole[128];

    if (module_length + length + 2 > sizeof whole)
        return false;
    snprintf(whole, sizeof whole, "%.*s.%.*s", (int)module_length, module, (int)length, name);
    for (const char *const *a = p->allowed; *a; a++)
        if (espl__text_equal(*a, whole))
            return true;
    return false;
}

/* "collections\nOrderedDict\n" and the like: module and name lie beside each other, a byte between. */
static espl_status push_name(espl__pickle *p, size_t at)
{
    const char *module, *name;
    size_t module_length, length;
    espl_status s;

    if ((s = take_line(p, &module, &module_length)) || (s = take_line(p, &name, &length)))
        return s;
    const espl__pickled value = { .kind = ESPL__PICKLED_NAME, .text = name, .length = length };
    const espl__pickled whole = { .text = module, .length = module_length + 1 + length };
    return is_allowed(p, module, module_length, name, length) ? push(p, &value) : refuse_name(p, at, "GLOBAL", &whole);
}

static espl_status push_stacked_name(espl__pickle *p, size_t at)
{
    int name, module;
    espl_status s;

    if ((s = pop(p, &name)) || (s = pop(p, &module)))
        return s;
    const espl__pickled *m = &p->values[module], *n = &p->values[name];
    if (m->kind != ESPL__PICKLED_TEXT || n->kind != ESPL__PICKLED_TEXT)
        return refuse(p, at, "imports something without a name");
    const espl__pickled value = { .kind = ESPL__PICKLED_NAME, .text = n->text, .length = n->length };
    return is_allowed(p, m->text, m->length, n->text, n->length) ? push(p, &value) : refuse_name(p, at, "STACK_GLOBAL", n);
}

static espl_status push_call(espl__pickle *p, size_t at)
{
    espl__pickled call = { .kind = ESPL__PICKLED_CALL };
    espl_status s;

    if ((s = pop(p, &call.argument)) || (s = pop(p, &call.function)))
        return s;
    if (p->values[call.function].kind != ESPL__PICKLED_NAME)
        return refuse(p, at, "calls what is no function (the opcode REDUCE or NEWOBJ)");
    return push(p, &call);
}

static espl_status push_persistent(espl__pickle *p)
{
    espl__pickled value = { .kind = ESPL__PICKLED_PERSISTENT };
    const espl_status s = pop(p, &value.argument);

    return s ? s : push(p, &value);
}

/* ---- the machine ---- */

static espl_status skip(espl__pickle *p, size_t bytes)
{
    const unsigned char *data;

    return take(p, bytes, &data);
}

static espl_status push_real(espl__pickle *p)
{
    const espl_status s = skip(p, 8);

    return s ? s : push_kind(p, ESPL__PICKLED_REAL);
}

static espl_status drop(espl__pickle *p)
{
    int index;

    return pop(p, &index);
}

static espl_status drop_marked(espl__pickle *p)
{
    int begin = 0;
    const espl_status s = find_mark(p, &begin);

    p->stack_count = s ? p->stack_count : begin - 1;
    return s;
}

static espl_status duplicate(espl__pickle *p)
{
    return p->stack_count ? push_index(p, p->stack[p->stack_count - 1])
                          : refuse(p, p->at, "takes more from its stack than there is");
}

static espl_status simple(espl__pickle *p, unsigned code, bool *known)
{
    *known = true;
    switch (code) {
    case '(':
        return push_kind(p, ESPL__PICKLED_MARK);
    case '0':
        return drop(p);
    case '1':
        return drop_marked(p);
    case '2':
        return duplicate(p);
    case 'N':
        return push_kind(p, ESPL__PICKLED_NONE);
    case 0x88:
        return push_integer(p, 1);
    case 0x89:
        return push_integer(p, 0);
    case ']':
    case ')':
    case 0x8f:
        return push_kind(p, ESPL__PICKLED_LIST); /* EMPTY_SET */
    case '}':
        return push_kind(p, ESPL__PICKLED_MAP);
    case 'a':
        return fill_with(p, 1);
    case 's':
        return fill_with(p, 2);
    case 'e':
    case 'u':
    case 0x90:
        return fill(p); /* APPENDS, SETITEMS, ADDITEMS */
    case 't':
    case 0x91:
        return make_marked_tuple(p); /* TUPLE, FROZENSET */
    case 0x85:
        return make_tuple(p, 1);
    case 0x86:
        return make_tuple(p, 2);
    case 0x87:
        return make_tuple(p, 3);
    case 'b':
        return drop(p); /* BUILD: an OrderedDict's own attributes say nothing about tensors */
    case 'Q':
        return push_persistent(p);
    default:
        *known = false;
        return ESPL_OK;
    }
}

static espl_status with_argument(espl__pickle *p, size_t at)
{
    switch (p->bytes[at]) {
    case 0x80:
        return skip(p, 1); /* PROTO */
    case 0x95:
        return skip(p, 8); /* FRAME */
    case 'J':
        return push_small(p, 4);
    case 'K':
        return push_small(p, 1);
    case 'M':
        return push_small(p, 2);
    case 0x8a:
        return push_long(p, 1);
    case 0x8b:
        return push_long(p, 4);
    case 'G':
        return push_real(p);
    case 'X':
    case 'T':
    case 'B':
        return push_text(p, 4);
    case 0x8c:
    case 'U':
    case 'C':
        return push_text(p, 1);
    case 0x8d:
    case 0x8e:
        return push_text(p, 8);
    case 'q':
        return put_numbered(p, 1);
    case 'r':
        return put_numbered(p, 4);
    case 0x94:
        return put(p, (uint64_t)p->memo_count);
    case 'h':
        return get(p, 1);
    case 'j':
        return get(p, 4);
    case 'c':
        return push_name(p, at);
    case 0x93:
        return push_stacked_name(p, at);
    case 'R':
    case 0x81:
        return push_call(p, at);
    default:
        return refuse_opcode(p, at);
    }
}

espl_status espl__pickle_read(espl__pickle *p)
{
    bool known;
    espl_status s = ESPL_OK;

    p->stack_count = p->memo_count = p->root = 0;
    p->value_count = p->cell_count = 1;
    if ((s = make_room(p->ctx, p->value_count, &p->value_capacity, sizeof *p->values, &p->values)) ||
        (s = make_room(p->ctx, p->cell_count, &p->cell_capacity, sizeof *p->cells, &p->cells)))
        return s;
    while (!s && p->at < p->count && p->bytes[p->at] != '.') {
        const size_t at = p->at++;
        s = simple(p, p->bytes[at], &known);
        if (!s && !known)
            s = with_argument(p, at);
    }
    if (s)
        return s;
    if (p->at >= p->count)
        return refuse(p, p->at, "is cut off here, or longer than is read");
    p->at++;
    return pop(p, &p->root);
}

void espl__pickle_free(espl__pickle *p)
{
    espl__release(p->ctx, p->values);
    espl__release(p->ctx, p->cells);
    espl__release(p->ctx, p->stack);
    espl__release(p->ctx, p->memo);
}

/* ---- asking ---- */

const espl__pickled *espl__pickled_item(const espl__pickle *p, const espl__pickled *list, int index)
{
    int cell = list->first;

    while (cell && index-- > 0)
        cell = p->cells[cell].next;
    return cell ? &p->values[p->cells[cell].value] : NULL;
}

bool espl__pickled_is(const espl__pickled *value, const char *text)
{
    return (value->kind == ESPL__PICKLED_TEXT || value->kind == ESPL__PICKLED_NAME) && value->length == strlen(text) &&
           memcmp(value->text, text, value->length) == 0;
}

const espl__pickled *espl__pickled_get(const espl__pickle *p, const espl__pickled *map, const char *key)
{
    for (int cell = map->first; cell && p->cells[cell].next; cell = p->cells[p->cells[cell].next].next)
        if (espl__pickled_is(&p->values[p->cells[cell].value], key))
            return &p->values[p->cells[p->cells[cell].next].value];
    return NULL;
}
