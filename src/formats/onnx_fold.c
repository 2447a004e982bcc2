/* Arithmetic with constants: shapes that models take apart and put together again, weights that they turn
 * or scale before use. Done here once, in doubles. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- results ---- */

/* The output becomes a constant with room for its numbers. */
static espl_status begin(espl__onnx_call *call, int rank, const int64_t *dim, bool whole)
{
    espl__onnx_value *out = call->out;
    int64_t count = 1;

    if (rank > ESPL__ONNX_RANK_MAX)
        return espl__onnx_refuse(call, "gives more than %d dimensions", ESPL__ONNX_RANK_MAX);
    for (int d = 0; d < rank; d++) {
        if (dim[d] < 0 || dim[d] > ESPL__ONNX_NUMBERS_MAX || count * dim[d] > ESPL__ONNX_NUMBERS_MAX)
            return espl__onnx_refuse(call, "gives constants that are too large to be computed with");
        count *= dim[d];
        out->dim[d] = dim[d];
    }
    out->rank = rank;
    out->whole = whole;
    out->kind = ESPL__ONNX_CONSTANT;
    return espl__allocate(call->onnx->ctx, (size_t)count + 1, sizeof *out->numbers, &out->numbers);
}

static espl_status look_at_all(espl__onnx_call *call)
{
    for (int i = 0; i < call->count; i++) {
        const espl_status s = call->in[i] ? espl__onnx_look(call->onnx, call->in[i]) : ESPL_OK;
        if (s)
            return s;
    }
    return ESPL_OK;
}

/* The same values under another shape; large ones stay in the file. */
static espl_status share(espl__onnx_call *call, int rank, const int64_t *dim)
{
    const espl__onnx_value *in = call->in[0];
    espl__onnx_value *out = call->out;
    int64_t count = 1;

    for (int d = 0; d < rank; d++)
        count *= dim[d];
    if (count != espl__onnx_count(in) || (in->turned && rank != 2))
        return espl__onnx_refuse(call, "its shape does not hold what the constant has");
    if (!in->tensor) {
        const espl_status s = begin(call, rank, dim, in->whole);
        if (!s)
            memcpy(out->numbers, in->numbers, (size_t)count * sizeof *in->numbers);
        return s;
    }
    out->kind = ESPL__ONNX_CONSTANT;
    out->tensor = in->tensor;
    out->turned = in->turned;
    out->whole = in->whole;
    out->rank = rank;
    memcpy(out->dim, dim, (size_t)rank * sizeof *dim);
    return ESPL_OK;
}

/* ---- where constants come from ---- */

static espl_status constant(espl__onnx_call *call)
{
    static const char *const names[] = { "value_float", "value_floats", "value_int", "value_ints" };
    const espl__onnx_attribute *a = espl__onnx_attribute_of(call->node, "value");
    espl_status s;

    if (a && a->t)
        return espl__onnx_set_tensor(call->onnx, a->t, call->out);
    for (int i = 0; i < ESPL__COUNT(names); i++) {
        if (!(a = espl__onnx_attribute_of(call->node, names[i])))
            continue;
        const int64_t count = i == 1 ? (int64_t)a->n_floats : i == 3 ? (int64_t)a->n_ints
                                                                     : 1;
        if ((s = begin(call, i % 2, &count, i > 1)))
            return s;
        for (int64_t k = 0; k < count; k++)
            call->out->numbers[k] = i == 0 ? a->f : i == 1 ? a->floats[k]
                                                : i == 2   ? (double)a->i
                                                           : (double)a->ints[k];
        return ESPL_OK;
    }
    return espl__onnx_refuse(call, "has no value that is understood");
}

static espl_status shape(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0];
    const int batch = in->kind == ESPL__ONNX_COMPUTED, rank = in->rank + batch;
    int64_t first = espl__onnx_integer(call->node, "start", 0), last = espl__onnx_integer(call->node, "end", rank);

    first += first < 0 ? rank : 0;
    last += last < 0 ? rank : 0;
    if (first < 0 || last > rank || first > last)
        return espl__onnx_refuse(call, "names dimensions that are not there");
    const int64_t count = last - first;
    const espl_status s = begin(call, 1, &count, true);
    for (int64_t i = first; i < last && !s; i++)
        call->out->numbers[i - first] = (double)(batch && i == 0 ? call->onnx->batch : in->dim[i - batch]);
    return s;
}

static espl_status constant_of_shape(espl__onnx_call *call)
{
    const espl__onnx_attribute *a = espl__onnx_attribute_of(call->node, "value");
    int64_t dim[ESPL__ONNX_RANK_MAX];
    int rank;
    float number = 0;
    espl__onnx_value value = { .name = "" };
    espl_status s = espl__onnx_integers(call, "shape", 0, dim, ESPL__ONNX_RANK_MAX, &rank);

    if (!s && call->in[0]->rank == 1 && !(s = espl__onnx_look(call->onnx, call->in[0])))
        for (rank = 0; rank < call->in[0]->dim[0] && rank < ESPL__ONNX_RANK_MAX; rank++)
            dim[rank] = espl__onnx_round(call->in[0]->numbers[rank]);
    if (s)
        return s;
    if (a && a->t) {
        if ((s = espl__onnx_set_tensor(call->onnx, a->t, &value)))
            return s;
        if (espl__onnx_count(&value) != 1)
            return espl__onnx_refuse(call, "its value is not one number");
        if ((s = espl__onnx_read_floats(call->onnx, &value, &number)))
            return s;
    }
    s = begin(call, rank < 0 ? 0 : rank, dim, value.whole);
    for (int64_t i = 0; !s && i < espl__onnx_count(call->out); i++)
        call->out->numbers[i] = number;
    return s;
}

/* ---- other shapes ---- */

static espl_status same(espl__onnx_call *call)
{
    return share(call, call->in[0]->rank, call->in[0]->dim);
}

static espl_status cast(espl__onnx_call *call)
{
    const int64_t to = espl__onnx_integer(call->node, "to", 1);
    const bool whole = (to >= 2 && to <= 7) || to == 12 || to == 13;
    espl_status s;

    if (!whole || call->in[0]->whole) {
        s = same(call);
        call->out->whole = whole;
        return s;
    }
    if ((s = look_at_all(call)) || (s = begin(call, call->in[0]->rank, call->in[0]->dim, true)))
        return s;
    for (int64_t i = 0; i < espl__onnx_count(call->out); i++)
        call->out->numbers[i] = trunc(call->in[0]->numbers[i]);
    return ESPL_OK;
}

static espl_status reshape(espl__onnx_call *call)
{
    int64_t dim[ESPL__ONNX_RANK_MAX], known = 1;
    int rank, open = -1;
    const espl_status s = espl__onnx_integers(call, "shape", 1, dim, ESPL__ONNX_RANK_MAX, &rank);

    if (s)
        return s;
    for (int d = 0; d < rank; d++) {
        if (d < call->in[0]->rank && dim[d] == 0)
            dim[d] = call->in[0]->dim[d];
        if (dim[d] == -1 && open < 0)
            open = d;
        else if (dim[d] < 1 || dim[d] > ((int64_t)1 << 40) / known)
            return espl__onnx_refuse(call, "its shape is not understood");
        else
            known *= dim[d];
    }
    if (open >= 0)
        dim[open] = espl__onnx_count(call->in[0]) / known;
    return share(call, rank < 0 ? 0 : rank, dim);
}

static espl_status squeeze(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0];
    int64_t axes[ESPL__ONNX_RANK_MAX], dim[ESPL__ONNX_RANK_MAX];
    int count, rank = 0;
    const espl_status s = espl__onnx_integers(call, "axes", 1, axes, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    for (int d = 0; d < in->rank; d++) {
        bool named = count < 0 && in->dim[d] == 1;
        for (int i = 0; i < count; i++)
            named = named || axes[i] == d || axes[i] + in->rank == d;
        if (!named)
            dim[rank++] = in->dim[d];
    }
    return share(call, rank, dim);
}

static espl_status unsqueeze(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0];
    int64_t axes[ESPL__ONNX_RANK_MAX], dim[ESPL__ONNX_RANK_MAX];
    int count, used = 0;
    const espl_status s = espl__onnx_integers(call, "axes", 1, axes, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    const int rank = in->rank + (count > 0 ? count : 0);
    if (rank > ESPL__ONNX_RANK_MAX)
        return espl__onnx_refuse(call, "gives too many dimensions");
    for (int d = 0; d < rank; d++) {
        bool named = false;
        for (int i = 0; i < count; i++)
            named = named || axes[i] == d || axes[i] + rank == d;
        if (!named && used == in->rank)
            return espl__onnx_refuse(call, "names a dimension twice");
        dim[d] = named ? 1 : in->dim[used++];
    }
    return share(call, rank, dim);
}

/* Weights of dense layers are turned in place; small constants are put in any order. */
static espl_status transpose(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0];
    int64_t order[ESPL__ONNX_RANK_MAX], dim[ESPL__ONNX_RANK_MAX], stride[ESPL__ONNX_RANK_MAX];
    int count;
    espl_status s = espl__onnx_integers(call, "perm", 0, order, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    for (int d = 0; count < 0 && d < in->rank; d++)
        order[d] = in->rank - 1 - d;
    for (int d = 0; d < in->rank; d++) {
        if ((count >= 0 && count != in->rank) || order[d] < 0 || order[d] >= in->rank)
            return espl__onnx_refuse(call, "its order does not name each dimension once");
        dim[d] = in->dim[order[d]];
        stride[d] = 1;
        for (int64_t k = order[d] + 1; k < in->rank; k++)
            stride[d] *= in->dim[k];
    }
    if (in->rank == 2 && order[0] == 1 && order[1] == 0 && in->tensor) {
        s = share(call, 2, in->dim);
        *call->out = espl__onnx_turn(call->out);
        return s;
    }
    if ((s = look_at_all(call)) || (s = begin(call, in->rank, dim, in->whole)))
        return s;
    for (int64_t i = 0; i < espl__onnx_count(call->out); i++) {
        int64_t left = i, at = 0;
        for (int d = in->rank - 1; d >= 0; d--) {
            at += left % dim[d] * stride[d];
            left /= dim[d];
        }
        call->out->numbers[i] = at < espl__onnx_count(in) ? in->numbers[at] : 0;
    }
    return ESPL_OK;
}

/* ---- parts ---- */

/* The product of the dimensions begin..end-1. */
static int64_t product(const espl__onnx_value *value, int64_t from, int64_t to)
{
    int64_t all = 1;

    for (int64_t d = from; d < to; d++)
        all *= value->dim[d];
    return all;
}

static espl_status gather(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0], *indices = call->count > 1 ? call->in[1] : NULL;
    int64_t axis = espl__onnx_integer(call->node, "axis", 0), dim[2 * ESPL__ONNX_RANK_MAX];
    int rank = 0;
    espl_status s;

    axis += axis < 0 ? in->rank : 0;
    if (!indices || axis < 0 || axis >= in->rank)
        return espl__onnx_refuse(call, "takes from a dimension that is not there");
    for (int d = 0; d < in->rank; d++)
        if (d != axis)
            dim[rank++] = in->dim[d];
        else
            for (int k = 0; k < indices->rank; k++)
                dim[rank++] = indices->dim[k];
    if ((s = look_at_all(call)) || (s = begin(call, rank, dim, in->whole)))
        return s;
    const int64_t outer = product(in, 0, axis), inner = product(in, axis + 1, in->rank), count = espl__onnx_count(indices);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++) {
            int64_t index = espl__onnx_round(indices->numbers[i]);
            index += index < 0 ? in->dim[axis] : 0;
            if (index < 0 || index >= in->dim[axis])
                return espl__onnx_refuse(call, "takes a value that is not there");
            memcpy(call->out->numbers + (o * count + i) * inner, in->numbers + (o * in->dim[axis] + index) * inner,
                   (size_t)inner * sizeof *in->numbers);
        }
    return ESPL_OK;
}

/* One row only: what shapes need. */
static espl_status slice(espl__onnx_call *call)
{
    const espl__onnx_value *in = call->in[0];
    int64_t start, end, axis = 0, step = 1;
    int counts[4];
    espl_status s;

    if ((s = espl__onnx_integers(call, "starts", 1, &start, 1, &counts[0])) ||
        (s = espl__onnx_integers(call, "ends", 2, &end, 1, &counts[1])) ||
        (s = espl__onnx_integers(call, "axes", 3, &axis, 1, &counts[2])) ||
        (s = espl__onnx_integers(call, "steps", 4, &step, 1, &counts[3])) || (s = look_at_all(call)))
        return s;
    if (in->rank != 1 || counts[0] != 1 || counts[1] != 1 || (axis != 0 && axis != -1) || step < 1)
        return espl__onnx_refuse(call, "takes a part of constants that are not one row, or backwards");
    start += start < 0 ? in->dim[0] : 0;
    end += end < 0 ? in->dim[0] : 0;
    start = start < 0 ? 0 : start;
    end = end > in->dim[0] ? in->dim[0] : end;
    const int64_t count = end > start ? (end - start + step - 1) / step : 0;
    s = begin(call, 1, &count, in->whole);
    for (int64_t i = 0; i < count && !s; i++)
        call->out->numbers[i] = in->numbers[start + i * step];
    return s;
}

static espl_status concat(espl__onnx_call *call)
{
    int64_t all = 0, used = 0;
    bool whole = true;
    espl_status s = look_at_all(call);

    for (int i = 0; i < call->count && !s; i++) {
        const espl__onnx_value *in = call->in[i];
        if (!in || in->rank != 1)
            return espl__onnx_refuse(call, "puts constants together that are not rows");
        all += in->dim[0];
        whole = whole && in->whole;
    }
    if (s || (s = begin(call, 1, &all, whole)))
        return s;
    for (int i = 0; i < call->count; i++) {
        memcpy(call->out->numbers + used, call->in[i]->numbers, (size_t)call->in[i]->dim[0] * sizeof(double));
        used += call->in[i]->dim[0];
    }
    return ESPL_OK;
}

/* ---- number by number ---- */

static double binary(const char *op, double a, double b, bool whole)
{
    switch (op[0]) {
    case 'A':
        return a + b;
    case 'S':
        return a - b;
    case 'M':
        return a * b;
    case 'P':
        return pow(a, b);
    default:
        return whole ? trunc(a / b) : a / b;
    }
}

/* Where the number for place `index` of the result lies; single values count for all. */
static int64_t place(const espl__onnx_value *in, const espl__onnx_value *out, int64_t index)
{
    int64_t at = 0, stride = 1;

    for (int back = 1; back <= out->rank; back++) {
        const int64_t size = out->dim[out->rank - back], here = index % size;
        index /= size;
        if (back <= in->rank) {
            at += in->dim[in->rank - back] == 1 ? 0 : here * stride;
            stride *= in->dim[in->rank - back];
        }
    }
    return at;
}

static espl_status combine(espl__onnx_call *call)
{
    const espl__onnx_value *a = call->in[0], *b = call->count == 2 ? call->in[1] : NULL;
    int64_t dim[ESPL__ONNX_RANK_MAX];
    espl_status s;

    if (!b)
        return espl__onnx_refuse(call, "needs two inputs");
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    for (int back = 1; back <= rank; back++) {
        const int64_t first = back <= a->rank ? a->dim[a->rank - back] : 1, second = back <= b->rank ? b->dim[b->rank - back] : 1;
        if (first != second && first != 1 && second != 1)
            return espl__onnx_refuse(call, "its constants have shapes that do not go together");
        dim[rank - back] = first == 1 ? second : first;
    }
    if ((s = look_at_all(call)) || (s = begin(call, rank, dim, a->whole && b->whole)))
        return s;
    for (int64_t i = 0; i < espl__onnx_count(call->out); i++)
        call->out->numbers[i] = binary(call->node->op_type, a->numbers[place(a, call->out, i)], b->numbers[place(b, call->out, i)],
                                       call->out->whole);
    return ESPL_OK;
}

static double reciprocal(double x)
{
    return 1 / x;
}

static double negative(double x)
{
    return -x;
}

static const struct {
    const char *op;
    double (*function)(double);
} unary[] = { { "Floor", floor }, { "Ceil", ceil }, { "Sqrt", sqrt }, { "Neg", negative }, { "Reciprocal", reciprocal }, { "Exp", exp }, { "Abs", fabs } };

static espl_status each(espl__onnx_call *call)
{
    espl_status s;

    for (int k = 0; k < ESPL__COUNT(unary); k++) {
        if (!espl__onnx_is(call->node, unary[k].op))
            continue;
        if ((s = look_at_all(call)) || (s = begin(call, call->in[0]->rank, call->in[0]->dim, call->in[0]->whole)))
            return s;
        for (int64_t i = 0; i < espl__onnx_count(call->out); i++)
            call->out->numbers[i] = unary[k].function(call->in[0]->numbers[i]);
    }
    return ESPL_OK;
}

/* ---- the table ---- */

static const struct {
    const char *op;
    espl__onnx_translator fold;
} table[] = {
    { "Constant", constant },
    { "Shape", shape },
    { "ConstantOfShape", constant_of_shape },
    { "Identity", same },
    { "Dropout", same },
    { "Cast", cast },
    { "Reshape", reshape },
    { "Squeeze", squeeze },
    { "Unsqueeze", unsqueeze },
    { "Transpose", transpose },
    { "Gather", gather },
    { "Slice", slice },
    { "Concat", concat },
    { "Add", combine },
    { "Sub", combine },
    { "Mul", combine },
    { "Div", combine },
    { "Pow", combine },
    { "Floor", each },
    { "Ceil", each },
    { "Sqrt", each },
    { "Neg", each },
    { "Reciprocal", each },
    { "Exp", each },
    { "Abs", each },
};

espl_status espl__onnx_fold(espl__onnx_call *call, bool *done)
{
    bool constants = true;

    for (int i = 0; i < call->count; i++)
        constants = constants && (!call->in[i] || call->in[i]->kind == ESPL__ONNX_CONSTANT);
    for (int i = 0; i < ESPL__COUNT(table); i++) {
        if (!espl__onnx_is(call->node, table[i].op) || !(constants || table[i].fold == shape))
            continue;
        if (table[i].fold != constant && (!call->count || !call->in[0]))
            return espl__onnx_refuse(call, "takes nothing");
        *done = true;
        return table[i].fold(call);
    }
    return ESPL_OK;
}
