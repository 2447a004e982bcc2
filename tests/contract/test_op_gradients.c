/* Every op's gradient, by its reference kernels, against central differences of its forward kernel:
 * L = sum of a random projection of the output (of a loss: its own value), d L / dx = (L(x + h) -
 * L(x - h)) / 2h for every input and every parameter, over one and over three shards of which the
 * last is partly filled, and in several layouts. Values are single precision, L is summed in
 * double. */
#include "op_cases.h"

#define STEP 1e-2f
#define TOLERANCE 1e-2
#define FLOOR 1e-2 /* gradients much smaller than the others are measured against this */

static const struct batch {
    int samples, shards, last;
} batches[] = { { 2, 1, 2 }, { 2, 3, 1 } };

/* Layouts of inputs and of the output; 0: all channels together. */
static const int64_t blocks[][2] = { { 1, 1 }, { 8, 8 }, { 0, 0 }, { 1, 0 }, { 4, 1 } };

static double projection(const one_node *o)
{
    const espl__kernel *forward = one_reference(o, ESPL__FORWARD);
    const int64_t size = espl__shape_size(o->shape.output);
    one_result r;
    double sum = 0;

    assert_true(one_run(o, forward, NULL, &r));
    for (int64_t i = 0; i < o->batch * size; i++)
        sum += one_is_loss(o) ? r.output[i] / one_total_weight(o)
                              : (double)r.output[i] * o->grad_output[i];
    one_result_free(&r);
    return sum;
}

static double difference(const one_node *o, float *value)
{
    const float x = *value;

    *value = x + STEP;
    const double high = projection(o), above = *value;
    *value = x - STEP;
    const double low = projection(o), below = *value;
    *value = x;
    return (high - low) / (above - below);
}

/* Differences by every value of `values`, computed once and compared in every layout. */
static double *differences(const one_node *o, float *values, int64_t count)
{
    double *result = one_zeros((size_t)count, sizeof *result);

    for (int64_t i = 0; i < count; i++)
        result[i] = difference(o, &values[i]);
    return result;
}

static void compare(const one_node *o, const char *what, const float *found, const double *expected,
                    int64_t count)
{
    char text[96];

    assert_non_null(found);
    for (int64_t i = 0; i < count; i++) {
        const double error = fabs(found[i] - expected[i]);
        if (!(error <= TOLERANCE * fmax(FLOOR, fabs(found[i]) + fabs(expected[i]))))
            fail_msg("%s of %d x %s, %d shards, blocks %d and %d: gradient of %s [%d] is %g, "
                     "differences say %g",
                     o->node.op->name, o->shape.input_count,
                     espl__shape_text(o->shape.input[0], text), o->shards,
                     (int)o->at.input_block[0], (int)o->at.output_block, what, (int)i, found[i],
                     expected[i]);
    }
}

typedef struct expected {
    double *input[ESPL__INPUTS_MAX], *parameter[ESPL__NODE_PARAMETERS];
} expected;

static void measure(one_node *o, expected *e)
{
    memset(e, 0, sizeof *e);
    for (int i = 0; i < o->shape.input_count; i++)
        e->input[i] = differences(o, o->input[i], o->batch * espl__shape_size(o->shape.input[i]));
    for (int p = 0; p < o->shape.parameter_count; p++)
        if (o->shape.parameter[p].kind != ESPL_BUFFER)
            e->parameter[p] = differences(o, o->parameter[p], one_parameter_size(o, p));
}

static void check_layout(one_node *o, const expected *e)
{
    const espl__kernel *backward[3];
    one_result r;

    one_reference_backward(o, backward);
    assert_true(one_run(o, one_reference(o, ESPL__FORWARD), backward, &r));
    for (int i = 0; i < o->shape.input_count; i++)
        compare(o, "an input", r.grad_input[i], e->input[i],
                o->batch * espl__shape_size(o->shape.input[i]));
    for (int p = 0; p < o->shape.parameter_count; p++)
        if (e->parameter[p])
            compare(o, o->shape.parameter[p].name, r.grad_parameter[p], e->parameter[p],
                    one_parameter_size(o, p));
    one_result_free(&r);
}

static void check_case(espl_context *ctx, const op_case *c, const struct batch *batch)
{
    one_node o;
    expected e;

    op_case_open(c, ctx, batch->samples, batch->shards, batch->last, &o);
    measure(&o, &e);
    for (int i = 0; i < ESPL__COUNT(blocks); i++) {
        one_set_blocks(&o, blocks[i][0], blocks[i][1]);
        check_layout(&o, &e);
    }
    for (int i = 0; i < ESPL__INPUTS_MAX; i++)
        free(e.input[i]);
    for (int p = 0; p < ESPL__NODE_PARAMETERS; p++)
        free(e.parameter[p]);
    one_free(&o);
}

static void test_gradients(void **state)
{
    const espl__op *op = *state;
    espl_context *ctx;
    int tried = 0;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; i < ESPL__COUNT(op_cases); i++) {
        const op_case *c = &op_cases[i];
        if (strcmp(c->op, op->name) != 0 || c->large || c->no_gradient)
            continue;
        for (int b = 0; b < ESPL__COUNT(batches); b++)
            check_case(ctx, c, &batches[b]);
        tried++;
    }
    if (!tried)
        fail_msg("%s has no case for the gradient check in op_cases.h", op->name);
    espl_context_free(ctx);
}

int main(void)
{
    enum { MOST = 256 };
    struct CMUnitTest tests[MOST];
    size_t count = 0;
    const espl__op *op;

    for (int i = 0; (op = espl__op_at(i)) && count < MOST; i++)
        tests[count++] = (struct CMUnitTest){ op->name, test_gradients, NULL, NULL, (void *)op };
    return _cmocka_run_group_tests("gradients of ops", tests, count, NULL, NULL);
}
