/* An op run by its reference kernels on given values: for tests against numbers worked out
 * elsewhere. */
#ifndef OP_RUN_H
#define OP_RUN_H

#include "contract/one_node.h"

/* An op with its context. */
typedef struct op_run {
    one_node node;
    one_result result;
} op_run;

static inline void op_open(op_run *r, const char *op, const void *attributes,
                           const espl__shape *inputs, int count, int samples)
{
    espl_context *ctx;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    memset(r, 0, sizeof *r);
    one_open(&r->node, ctx, op, attributes, inputs, count, samples, 1, samples, 1);
}

/* One input. */
static inline void op_open_one(op_run *r, const char *op, const void *attributes, espl__shape input,
                               int samples)
{
    op_open(r, op, attributes, &input, 1, samples);
}

static inline void op_free(op_run *r)
{
    espl_context *ctx = r->node.ctx;

    one_result_free(&r->result);
    one_free(&r->node);
    espl_context_free(ctx);
}

static inline void op_set(float *to, const double *from, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (float)from[i];
}

static inline void op_fill(float *to, double value, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)value;
}

/* Forward, and with `backward` every gradient. */
static inline void op_go(op_run *r, bool backward)
{
    const espl__kernel *kernels[3];

    one_result_free(&r->result);
    one_reference_backward(&r->node, kernels);
    assert_true(one_run(&r->node, one_reference(&r->node, ESPL__FORWARD), backward ? kernels : NULL,
                        &r->result));
}

static inline void op_expect(const char *what, const float *found, const double *expected,
                             int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(found[i] - expected[i]) <= tolerance))
            fail_msg("%s [%d] is %.9g, not %.9g", what, (int)i, found[i], expected[i]);
}

#endif
