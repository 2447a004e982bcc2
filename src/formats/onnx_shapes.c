/* What ONNX models do with shapes. A sample seen under another shape needs no node; taking parts and
 * changing the order do. Dimension 0 is the batch, which must stay what it is. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- other shapes ---- */

/* The first input under another shape. */
static espl_status see_as(espl__onnx_call *call, int rank, const int64_t *dim)
{
    espl__onnx_value *value = call->in[0];
    int node;
    const espl_status s = value->channels_last ? espl__onnx_resolve(call->onnx, value, &node)
                                               : espl__onnx_resolve_flat(call->onnx, value, &node);

    if (!s)
        espl__onnx_see(call->out, value, rank, dim);
    return s;
}

espl_status espl__onnx_same(espl__onnx_call *call)
{
    espl__onnx_value *value = call->in[0];
    int node;
    const espl_status s = espl__onnx_resolve_flat(call->onnx, value, &node);

    espl__onnx_see(call->out, value, value->rank, value->dim);
    call->out->channels_last = value->channels_last;
    return s;
}

/* Dimensions of the sample from those asked for: 0 as before, -1 whatever is left. */
static bool find_dims(const espl__onnx_value *value, const int64_t *wanted, int rank, bool zeros_count, int64_t *dim)
{
    int64_t known = 1, all = 1;
    int open = -1;

    for (int d = 0; d < value->rank; d++)
        all *= value->dim[d];
    for (int d = 0; d < rank; d++) {
        dim[d] = wanted[d] == 0 && !zeros_count && d < value->rank ? value->dim[d] : wanted[d];
        if (dim[d] == -1 && open < 0)
            open = d;
        else if (dim[d] < 1 || dim[d] > all / known)
            return false;
        else
            known *= dim[d];
    }
    if (open >= 0 && all % known == 0)
        dim[open] = all / known;
    return open >= 0 ? all % known == 0 : known == all;
}

espl_status espl__onnx_reshape(espl__onnx_call *call)
{
    const espl__onnx *o = call->onnx;
    int64_t wanted[ESPL__ONNX_RANK_MAX], dim[ESPL__ONNX_RANK_MAX];
    int count;
    const bool zeros_count = espl__onnx_integer(call->node, "allowzero", 0) != 0;
    const espl_status s = espl__onnx_integers(call, "shape", 1, wanted, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    if (count < 2 || !(wanted[0] == o->batch || wanted[0] == -1 || (wanted[0] == 0 && !zeros_count)))
        return espl__onnx_refuse(call, "mixes the batch with what is in a sample; the first dimension must stay");
    if (!find_dims(call->in[0], wanted + 1, count - 1, zeros_count, dim))
        return espl__onnx_refuse(call, "its shape does not hold what a sample has");
    return see_as(call, count - 1, dim);
}

espl_status espl__onnx_flatten(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    const int64_t axis = espl__onnx_integer(call->node, "axis", 1);
    int64_t all = 1;

    if (axis != 1 && axis + value->rank + 1 != 1)
        return espl__onnx_refuse(call, "mixes the batch with what is in a sample; axis 1 was expected");
    for (int d = 0; d < value->rank; d++)
        all *= value->dim[d];
    return see_as(call, 1, &all);
}

/* A bit for each axis of `rank`, the batch included; fails for one that is not there. */
static espl_status read_axes(espl__onnx_call *call, int rank, unsigned *axes, int *count)
{
    int64_t list[ESPL__ONNX_RANK_MAX];
    const espl_status s = espl__onnx_integers(call, "axes", 1, list, ESPL__ONNX_RANK_MAX, count);

    *axes = 0;
    for (int i = 0; i < *count && !s; i++) {
        const int64_t axis = list[i] < 0 ? list[i] + rank : list[i];
        if (axis < 1 || axis >= rank)
            return espl__onnx_refuse(call, "acts on the batch, or on a dimension that is not there");
        *axes |= 1u << axis;
    }
    return s;
}

espl_status espl__onnx_squeeze(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    int64_t dim[ESPL__ONNX_RANK_MAX];
    int count, rank = 0;
    unsigned axes;
    const espl_status s = read_axes(call, value->rank + 1, &axes, &count);

    if (s)
        return s;
    for (int d = 0; d < value->rank; d++) {
        const bool named = axes >> (d + 1) & 1;
        if (named && value->dim[d] != 1)
            return espl__onnx_refuse(call, "takes away a dimension of %" PRId64 " values", value->dim[d]);
        if (!named && (count >= 0 || value->dim[d] != 1))
            dim[rank++] = value->dim[d];
    }
    return see_as(call, rank, dim);
}

espl_status espl__onnx_unsqueeze(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    int64_t dim[ESPL__ONNX_RANK_MAX], list[ESPL__ONNX_RANK_MAX];
    int count, used = 0;
    unsigned axes;
    espl_status s = espl__onnx_integers(call, "axes", 1, list, ESPL__ONNX_RANK_MAX, &count);

    if (s)
        return s;
    const int rank = value->rank + (count > 0 ? count : 0);
    if (rank > ESPL__ONNX_RANK_MAX)
        return espl__onnx_refuse(call, "gives too many dimensions");
    if ((s = read_axes(call, rank + 1, &axes, &count)))
        return s;
    for (int d = 0; d < rank; d++)
        if (axes >> (d + 1) & 1)
            dim[d] = 1;
        else if (used < value->rank)
            dim[d] = value->dim[used++];
        else
            return espl__onnx_refuse(call, "names a dimension twice");
    return see_as(call, rank, dim);
}

/* ---- another order ---- */

/* Whether the dimensions that hold more than one value stay in order: then nothing moves. */
static bool moves(const espl__onnx_value *value, const int64_t *order)
{
    int64_t last = -1;

    for (int d = 0; d < value->rank; d++) {
        if (value->dim[order[d]] == 1)
            continue;
        if (order[d] < last)
            return true;
        last = order[d];
    }
    return false;
}

/* Pictures between channels first and last, which only looks different. */
static espl_status swap_channels(espl__onnx_call *call, const int64_t *dim)
{
    const bool last = !call->in[0]->channels_last;
    int node;
    const espl_status s = espl__onnx_take(call->onnx, call->in[0], !last, &node);

    espl__onnx_see(call->out, call->in[0], 3, dim);
    call->out->channels_last = last;
    return s;
}

static bool is_order(const int64_t *order, int64_t a, int64_t b, int64_t c)
{
    return order[0] == a && order[1] == b && order[2] == c;
}

espl_status espl__onnx_transpose(espl__onnx_call *call)
{
    espl__onnx_value *value = call->in[0];
    int64_t order[ESPL__ONNX_RANK_MAX + 1], dim[ESPL__ONNX_RANK_MAX];
    char text[64] = "";
    int count, node;
    unsigned seen = 0;
    espl_status s = espl__onnx_integers(call, "perm", 0, order, ESPL__ONNX_RANK_MAX + 1, &count);

    if (s)
        return s;
    if (count != value->rank + 1 || order[0] != 0)
        return espl__onnx_refuse(call, "its order must name all dimensions and leave the batch in front");
    for (int d = 0, used = 0; d < value->rank; d++) {
        if (--order[d + 1] < 0 || order[d + 1] >= value->rank || seen >> order[d + 1] & 1)
            return espl__onnx_refuse(call, "its order does not name each dimension once");
        seen |= 1u << order[d + 1];
        dim[d] = value->dim[order[d + 1]];
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRId64, d ? ", " : "", order[d + 1]);
    }
    if (value->rank == 3 && (value->channels_last ? is_order(order + 1, 2, 0, 1) : is_order(order + 1, 1, 2, 0)))
        return swap_channels(call, dim);
    if (!moves(value, order + 1))
        return see_as(call, value->rank, dim);
    if ((s = espl__onnx_resolve(call->onnx, value, &node)) ||
        (s = espl__onnx_add(call->onnx, call->node, "", "transpose", &node, 1, &node, "order: [%s]", text)))
        return s;
    espl__onnx_give(call->onnx, call->out, node);
    return ESPL_OK;
}

/* ---- parts ---- */

typedef struct part {
    int64_t begin[ESPL__ONNX_RANK_MAX], end[ESPL__ONNX_RANK_MAX], step[ESPL__ONNX_RANK_MAX];
} part;

static part whole_of(const espl__onnx_value *value)
{
    part p;

    for (int d = 0; d < ESPL__ONNX_RANK_MAX; d++) {
        p.begin[d] = 0;
        p.end[d] = d < value->rank ? value->dim[d] : 1;
        p.step[d] = 1;
    }
    return p;
}

static void list_text(const int64_t *list, int count, char text[160])
{
    for (int d = 0, used = 0; d < count; d++)
        used += snprintf(text + used, 160 - (size_t)used, "%s%" PRId64, d ? ", " : "", list[d]);
}

static espl_status take_part(espl__onnx_call *call, const part *p, const char *suffix, espl__onnx_value *out)
{
    char begin[160] = "", end[160] = "", step[160] = "";
    espl__onnx_value *value = call->in[0];
    int node;
    espl_status s;

    if (value->rank > ESPL__RANK_MAX)
        return espl__onnx_refuse(call, "takes a part of too many dimensions");
    list_text(p->begin, value->rank, begin);
    list_text(p->end, value->rank, end);
    list_text(p->step, value->rank, step);
    if ((s = espl__onnx_resolve(call->onnx, value, &node)) ||
        (s = espl__onnx_add(call->onnx, call->node, suffix, "slice", &node, 1, &node, "begin: [%s], end: [%s], step: [%s]", begin, end, step)))
        return s;
    espl__onnx_give(call->onnx, out, node);
    return ESPL_OK;
}

static int64_t within(int64_t index, int64_t size)
{
    index += index < 0 ? size : 0;
    return index < 0 ? 0 : index > size ? size
                                        : index;
}

espl_status espl__onnx_slice(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    int64_t starts[ESPL__ONNX_RANK_MAX], ends[ESPL__ONNX_RANK_MAX], axes[ESPL__ONNX_RANK_MAX], steps[ESPL__ONNX_RANK_MAX];
    int count, others, axis_count, step_count;
    part p = whole_of(value);
    espl_status s;

    if ((s = espl__onnx_integers(call, "starts", 1, starts, ESPL__ONNX_RANK_MAX, &count)) ||
        (s = espl__onnx_integers(call, "ends", 2, ends, ESPL__ONNX_RANK_MAX, &others)) ||
        (s = espl__onnx_integers(call, "axes", 3, axes, ESPL__ONNX_RANK_MAX, &axis_count)) ||
        (s = espl__onnx_integers(call, "steps", 4, steps, ESPL__ONNX_RANK_MAX, &step_count)))
        return s;
    if (count < 0 || others != count || (axis_count >= 0 && axis_count != count) || (step_count >= 0 && step_count != count))
        return espl__onnx_refuse(call, "its starts, ends, axes and steps are not equally many");
    for (int i = 0; i < count; i++) {
        const int64_t named = axis_count < 0 ? i : axes[i], axis = (named < 0 ? named + value->rank + 1 : named) - 1;
        const int64_t step = step_count < 0 ? 1 : steps[i];
        if (axis == -1 && starts[i] == 0 && ends[i] >= call->onnx->batch && step == 1)
            continue;
        if (axis < 0 || axis >= value->rank || step < 1)
            return espl__onnx_refuse(call, "takes a part of the batch, goes backwards or names a dimension that is not there");
        p.begin[axis] = within(starts[i], value->dim[axis]);
        p.end[axis] = within(ends[i], value->dim[axis]);
        p.step[axis] = step;
        if (p.end[axis] <= p.begin[axis])
            return espl__onnx_refuse(call, "takes nothing of dimension %" PRId64, axis + 1);
    }
    const part all = whole_of(value);
    return memcmp(&p, &all, sizeof p) ? take_part(call, &p, "", call->out) : espl__onnx_same(call);
}

/* Sizes are told, or all are equal but the last, which may be smaller. */
espl_status espl__onnx_split(espl__onnx_call *call)
{
    const espl__onnx_value *value = call->in[0];
    const int64_t named = espl__onnx_integer(call->node, "axis", 0), axis = (named < 0 ? named + value->rank + 1 : named) - 1;
    const int outputs = (int)call->node->n_output;
    int64_t sizes[ESPL__INPUTS_MAX], begin = 0;
    int count;
    espl_status s = espl__onnx_integers(call, "split", 1, sizes, ESPL__INPUTS_MAX, &count);

    if (s)
        return s;
    if (axis < 0 || axis >= value->rank || call->node->n_output > ESPL__INPUTS_MAX || (count >= 0 && count != outputs))
        return espl__onnx_refuse(call, "splits the batch, or has other sizes than outputs");
    const int64_t size = value->dim[axis], each = (size + outputs - 1) / outputs;
    for (int i = 0; i < outputs; i++) {
        espl__onnx_value *out = espl__onnx_find(call->onnx, call->node->output[i]);
        const int64_t wanted = count >= 0 ? sizes[i] : each < size - begin ? each
                                                                           : size - begin;
        part p = whole_of(value);
        char suffix[16];
        if (wanted < 1 || wanted > size - begin)
            return espl__onnx_refuse(call, "its sizes do not add up to the %" PRId64 " values there are", size);
        p.begin[axis] = begin;
        p.end[axis] = begin += wanted;
        snprintf(suffix, sizeof suffix, "_%d", i);
        if (out->uses && (s = take_part(call, &p, suffix, out)))
            return s;
        if (!out->uses)
            out->kind = ESPL__ONNX_COMPUTED;
    }
    return begin == size ? ESPL_OK : espl__onnx_refuse(call, "its sizes do not add up to the %" PRId64 " values there are", size);
}

/* One index, whose dimension disappears, or several at equal distances. */
espl_status espl__onnx_gather(espl__onnx_call *call)
{
    espl__onnx_value *value = call->in[0], *indices = call->count > 1 ? call->in[1] : NULL;
    const int64_t named = espl__onnx_integer(call->node, "axis", 0), axis = (named < 0 ? named + value->rank + 1 : named) - 1;
    int64_t list[256], dim[ESPL__ONNX_RANK_MAX];
    part p = whole_of(value);
    int count, rank = 0;
    espl_status s = espl__onnx_integers(call, "indices", 1, list, ESPL__COUNT(list), &count);

    if (s)
        return s;
    if (!indices || indices->rank > 1 || count < 1 || axis < 0 || axis >= value->rank)
        return espl__onnx_refuse(call, "takes values by other than constant indices in a row, or from the batch");
    for (int i = 0; i < count; i++) {
        if (list[i] < -value->dim[axis] || list[i] >= value->dim[axis])
            return espl__onnx_refuse(call, "takes values that are not there");
        list[i] += list[i] < 0 ? value->dim[axis] : 0;
    }
    const int64_t step = count > 1 ? list[1] - list[0] : 1;
    for (int i = 0; i < count; i++)
        if (list[i] != list[0] + i * step || step < 1)
            return espl__onnx_refuse(call, "takes values in no order");
    p.begin[axis] = list[0];
    p.step[axis] = step;
    p.end[axis] = list[count - 1] + 1;
    if ((s = take_part(call, &p, "", call->out)) || indices->rank == 1)
        return s;
    for (int d = 0; d < call->out->rank; d++)
        if (d != axis)
            dim[rank++] = call->out->dim[d];
    espl__onnx_see(call->out, call->out, rank, dim);
    return ESPL_OK;
}
