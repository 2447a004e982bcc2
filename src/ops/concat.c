/* concat: the inputs one behind the other along the channels (or the features of vectors). Each
 * gradient is its own part of the output's. */
#include "ops/box.h"
#include "ops/ops.h"

static espl_status shape(espl__shape_call *call)
{
    espl__shape output = call->input[0];
    char first[96], other[96];

    output.dim[0] = 0;
    for (int i = 0; i < call->input_count; i++) {
        espl__shape like = call->input[0];
        like.dim[0] = call->input[i].dim[0];
        if (!espl__shape_equal(like, call->input[i]))
            return espl__fail(call->ctx, ESPL_BAD_SHAPE,
                              "input %d has the shape %s, but must agree with input 1 (%s) in all "
                              "but the channels",
                              i + 1, espl__shape_text(call->input[i], other),
                              espl__shape_text(call->input[0], first));
        output.dim[0] += call->input[i].dim[0];
    }
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_concat = {
    .name = "concat",
    .summary = "inputs one behind the other along the channels",
    .inputs_min = 1,
    .inputs_max = ESPL__INPUTS_MAX,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
