/* The list of operations, and the checks that their shape rules share. */
#include "ops/ops.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define ESPL_OP(symbol) extern const espl__op espl__op_##symbol;
#include "ops/ops.def"
#undef ESPL_OP

static const espl__op *const all[] = {
#define ESPL_OP(symbol) &espl__op_##symbol,
#include "ops/ops.def"
#undef ESPL_OP
};

const espl__op *espl__op_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}

const espl__op *espl__op_find(const char *name)
{
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (espl__text_equal(all[i]->name, name))
            return all[i];
    return NULL;
}

espl_status espl__op_same_shape(espl__shape_call *call)
{
    return espl__op_finish(call, call->input[0], 0);
}

espl_status espl__op_needs_planes(const espl__shape_call *call, int i)
{
    char text[96];

    if (call->input[i].rank == 3)
        return ESPL_OK;
    return espl__fail(
        call->ctx, ESPL_BAD_SHAPE,
        "input %d has the shape %s, but planes (channels x height x width) are expected", i + 1,
        espl__shape_text(call->input[i], text));
}

espl_status espl__op_needs_vector(const espl__shape_call *call, int i)
{
    char text[96];

    if (call->input[i].rank == 1)
        return ESPL_OK;
    return espl__fail(
        call->ctx, ESPL_BAD_SHAPE,
        "input %d has the shape %s, but a vector is expected; put flatten or a global pooling "
        "before it",
        i + 1, espl__shape_text(call->input[i], text));
}

espl_status espl__op_needs_equal(const espl__shape_call *call)
{
    char first[96], other[96];

    for (int i = 1; i < call->input_count; i++)
        if (!espl__shape_equal(call->input[0], call->input[i]))
            return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                              "input %d has the shape %s, but %s is expected as in input 1", i + 1,
                              espl__shape_text(call->input[i], other),
                              espl__shape_text(call->input[0], first));
    return ESPL_OK;
}

espl_status espl__op_check_count(const espl__shape_call *call, const char *name, int64_t value,
                                 int64_t low, int64_t high)
{
    if (value >= low && value <= high)
        return ESPL_OK;
    return espl__fail(call->ctx, ESPL_BAD_OPTION,
                      "%s is %" PRId64 ", but %" PRId64 "..%" PRId64 " is expected", name, value,
                      low, high);
}

espl_status espl__op_check_real(const espl__shape_call *call, const char *name, double value,
                                double low, double high)
{
    if (value >= low && value <= high)
        return ESPL_OK;
    return espl__fail(call->ctx, ESPL_BAD_OPTION, "%s is %g, but %g..%g is expected", name, value,
                      low, high);
}

espl_status espl__op_check_counts(const espl__shape_call *call, const char *name,
                                  const espl_counts *list, unsigned counts, int64_t low,
                                  int64_t high)
{
    if (list->count < 0 || list->count >= ESPL_LIST_MAX || !(counts >> list->count & 1)) {
        char expected[64] = "";
        size_t used = 0;
        for (int i = 1; i < ESPL_LIST_MAX; i++)
            if (counts >> i & 1 && used < sizeof expected)
                used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%d",
                                         used ? " or " : "", i);
        return espl__fail(call->ctx, ESPL_BAD_OPTION, "%s has %d values, but %s are expected", name,
                          list->count, expected);
    }
    for (int i = 0; i < list->count; i++)
        if (list->item[i] < low || list->item[i] > high)
            return espl__op_check_count(call, name, list->item[i], low, high);
    return ESPL_OK;
}

espl__parameter_spec *espl__op_parameter(espl__shape_call *call, const char *name, espl_kind kind,
                                         espl__shape shape, espl__fill fill)
{
    assert(call->parameter_count < ESPL__NODE_PARAMETERS);
    espl__parameter_spec *parameter = &call->parameter[call->parameter_count++];

    *parameter = (espl__parameter_spec){ .name = name, .kind = kind, .shape = shape, .fill = fill };
    return parameter;
}

espl_status espl__op_finish(espl__shape_call *call, espl__shape output, double macs)
{
    char text[96];

    if (!espl__shape_valid(output))
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "the output would have the shape %s, which is not possible",
                          espl__shape_text(output, text));
    for (int i = 0; i < call->parameter_count; i++)
        if (!espl__shape_valid(call->parameter[i].shape))
            return espl__fail(
                call->ctx, ESPL_BAD_SHAPE, "%s would have the shape %s, which is not possible",
                call->parameter[i].name, espl__shape_text(call->parameter[i].shape, text));
    if (macs > 0x1p62)
        return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                          "one sample would need %g multiply-accumulates", macs);
    call->output = output;
    call->macs = (int64_t)macs;
    return ESPL_OK;
}
