/* The list of operations. */
#include "ops/ops.h"

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
    call->output = call->input[0];
    return ESPL_OK;
}
