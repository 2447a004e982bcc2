/* mul: y = a * b, value by value. Along a dimension where one input has a single value that value
 * counts for all; a vector against planes is one number for each channel, or one for all. The
 * gradient of an input is dy times the other one, summed where its value was used several times. */
#include "ops/ops.h"

/* As planes: a vector has one pixel. */
static espl__shape beside(espl__shape shape, espl__shape other)
{
    if (shape.rank == 1)
        for (; shape.rank < other.rank; shape.rank++)
            shape.dim[shape.rank] = 1;
    return shape;
}

static espl_status shape(espl__shape_call *call)
{
    const espl__shape a = beside(call->input[0], call->input[1]),
                      b = beside(call->input[1], call->input[0]);
    espl__shape output = a;
    bool fits = a.rank == b.rank;
    char first[96], second[96];

    for (int d = 0; fits && d < a.rank; d++) {
        fits = a.dim[d] == b.dim[d] || a.dim[d] == 1 || b.dim[d] == 1;
        output.dim[d] = a.dim[d] > b.dim[d] ? a.dim[d] : b.dim[d];
    }
    if (fits)
        return espl__op_finish(call, output, 0);
    return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                      "the inputs have the shapes %s and %s, but each dimension must agree or be 1 "
                      "in one of them",
                      espl__shape_text(call->input[0], first),
                      espl__shape_text(call->input[1], second));
}

const espl__op espl__op_mul = {
    .name = "mul",
    .summary = "product of two inputs, single values spread over all",
    .inputs_min = 2,
    .inputs_max = 2,
    .reads = ESPL__READS_INPUTS,
    .shape = shape,
};
