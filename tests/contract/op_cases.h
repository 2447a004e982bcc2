/* What every op is tried with: attributes and input shapes, small ones for the gradient check and larger
 * ones where kernels are compared. An op without a line here fails both tests. */
#ifndef OP_CASES_H
#define OP_CASES_H

#include "one_node.h"
#include "ops/activations.h"
#include "ops/arrange.h"
#include "ops/batch_norm.h"
#include "ops/box.h"
#include "ops/combine.h"
#include "ops/conv2d.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/loss.h"
#include "ops/pool.h"
#include "ops/sample_norm.h"

typedef struct op_case {
    const char *op;
    const void *attributes;
    espl__shape input[5];     /* those of rank 0 are not there */
    void (*set)(one_node *o); /* changes values, targets or mode before the run; may be NULL */
    bool large;               /* only for comparing kernels */
    bool no_gradient;         /* has none (fused for inference) */
} op_case;

#define PLANES(c, h, w) \
    {                   \
        3,              \
        {               \
            c, h, w     \
        }               \
    }
#define VECTOR(n) \
    {             \
        1,        \
        {         \
            n     \
        }         \
    }
#define ONE(a)                    \
    {                             \
        .count = 1, .item = { a } \
    }
#define TWO(a, b)                 \
    {                             \
        .count = 2, .item = { a,  \
                              b } \
    }
#define THREE(a, b, c)            \
    {                             \
        .count = 3, .item = { a,  \
                              b,  \
                              c } \
    }
#define FOUR(a, b, c, d)          \
    {                             \
        .count = 4, .item = { a,  \
                              b,  \
                              c,  \
                              d } \
    }
#define WITH(type, ...) \
    &(const type)       \
    {                   \
        __VA_ARGS__     \
    }
#define CONV(...) WITH(espl__conv2d, .groups = 1, __VA_ARGS__)

/* ---- values that a case needs ---- */

static inline int64_t case_count(const one_node *o, espl__shape shape)
{
    return (int64_t)o->samples * o->shards * espl__shape_size(shape);
}

/* -8..8, at least 0.1 away from where an activation has a corner. */
static inline void set_off_corners(one_node *o)
{
    static const float corners[] = { -3, 0, 3, 6 };
    espl__random random = espl__random_at(espl__stream_of(1, "off corners"), 0, 0);

    for (int64_t i = 0; i < case_count(o, o->shape.input[0]); i++) {
        float x = 8 * (2 * espl__random_uniform(&random) - 1);
        for (int c = 0; c < ESPL__COUNT(corners); c++)
            if (fabsf(x - corners[c]) < 0.1f)
                x = corners[c] + (x < corners[c] ? -0.1f : 0.1f);
        o->input[0][i] = x;
    }
}

/* All values of a sample differ by at least 0.05, so that a largest one stays the largest. */
static inline void set_apart(one_node *o)
{
    espl__random random = espl__random_at(espl__stream_of(1, "apart"), 0, 0);
    const int64_t size = espl__shape_size(o->shape.input[0]);
    int64_t *order = one_zeros((size_t)size, sizeof *order);

    for (int n = 0; n < o->samples * o->shards; n++) {
        espl__random_shuffle(&random, order, size);
        for (int64_t i = 0; i < size; i++)
            o->input[0][n * size + i] = 0.05f * (float)(order[i] - size / 2);
    }
    free(order);
}

/* Behind the norm every value is far from the corners of relu and relu6: some below, some between, some
 * above. What moves them is the shift of each channel, or the residual. */
static inline void set_off_norm_corners(one_node *o)
{
    static const float to[] = { -6, 3, 12 };

    for (int64_t c = 0; c < one_parameter_size(o, 1); c++)
        o->parameter[1][c] = o->shape.input_count > 1 ? 0 : to[c % 3];
    for (int64_t c = 0; c < one_parameter_size(o, 0); c++)
        o->parameter[0][c] *= 0.5f;
    for (int64_t i = 0; o->shape.input_count > 1 && i < case_count(o, o->shape.input[1]); i++)
        o->input[1][i] = to[i % 3] + 0.1f * o->input[1][i];
}

static inline void set_inference(one_node *o)
{
    o->at.training = false;
}

static inline void set_frozen_off_corners(one_node *o)
{
    set_inference(o);
    set_off_norm_corners(o);
    for (int64_t c = 0; c < one_parameter_size(o, 2); c++)
        o->parameter[2][c] *= 0.2f;
}

static inline void set_soft(one_node *o)
{
    espl__random random = espl__random_at(espl__stream_of(1, "soft"), 0, 0);
    const int64_t size = espl__shape_size(o->shape.input[0]);

    o->soft = one_zeros((size_t)case_count(o, o->shape.input[0]), sizeof(float));
    for (int64_t i = 0; i < case_count(o, o->shape.input[0]); i++)
        o->soft[i] = espl__random_uniform(&random) / (float)size * 2;
}

static inline void set_weights(one_node *o)
{
    o->weight = one_zeros((size_t)(o->samples * o->shards), sizeof(float));
    for (int n = 0; n < o->samples * o->shards; n++)
        o->weight[n] = 0.25f + 0.5f * (float)(n % 4);
    o->labels[0] = -1; /* and a sample without a label */
}

static inline void set_binary(one_node *o)
{
    for (int n = 0; n < o->samples * o->shards; n++)
        o->labels[n] = n % 2;
}

static inline void set_large_logits(one_node *o)
{
    for (int64_t i = 0; i < case_count(o, o->shape.input[0]); i++)
        o->input[0][i] *= 60;
}

/* ---- the cases ---- */

static const op_case op_cases[] = {
    { "conv2d", CONV(.channels = 5, .kernel = ONE(3), .pad = ONE(1), .bias = true), { PLANES(4, 5, 6) } },
    { "conv2d", CONV(.channels = 8, .kernel = ONE(1)), { PLANES(8, 4, 4) } },
    { "conv2d", CONV(.channels = 8, .kernel = TWO(3, 2), .stride = TWO(2, 1), .pad = FOUR(0, 1, 1, 0), .bias = true), { PLANES(8, 6, 5) } },
    { "conv2d", CONV(.channels = 6, .kernel = ONE(3), .dilation = TWO(2, 1), .pad = TWO(2, 1)), { PLANES(4, 6, 5) } },
    { "conv2d", WITH(espl__conv2d, .channels = 8, .groups = 2, .kernel = ONE(3), .bias = true), { PLANES(6, 4, 4) } },
    { "conv2d", WITH(espl__conv2d, .channels = 8, .kernel = ONE(3), .pad = ONE(1), .stride = ONE(2)), { PLANES(8, 5, 5) } }, /* depthwise */
    { "conv2d", WITH(espl__conv2d, .channels = 8, .kernel = ONE(3), .pad = ONE(1)), { PLANES(4, 4, 4) } },                   /* two outputs a channel */
    { "conv2d", CONV(.channels = 4, .kernel = ONE(3), .stride = ONE(3)), { PLANES(3, 7, 8) } },                              /* pixels that nobody reads */
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .pad = ONE(1)), { PLANES(3, 9, 8) }, .large = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .pad = ONE(1), .bias = true), { PLANES(16, 8, 8) }, .large = true },
    { "conv2d", CONV(.channels = 32, .kernel = ONE(3), .pad = ONE(1)), { PLANES(32, 8, 7) }, .large = true },
    { "conv2d", CONV(.channels = 32, .kernel = ONE(3), .pad = ONE(1), .stride = ONE(2)), { PLANES(16, 8, 8) }, .large = true },
    { "conv2d", CONV(.channels = 64, .kernel = ONE(3), .pad = ONE(1)), { PLANES(64, 5, 6) }, .large = true },
    { "conv2d", CONV(.channels = 48, .kernel = ONE(1)), { PLANES(64, 4, 5) }, .large = true },
    { "conv2d", CONV(.channels = 32, .kernel = ONE(1), .stride = ONE(2)), { PLANES(16, 6, 6) }, .large = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(7), .stride = ONE(2), .pad = ONE(3)), { PLANES(3, 14, 15) }, .large = true },
    { "conv2d", CONV(.channels = 20, .kernel = ONE(5), .bias = true), { PLANES(1, 12, 12) }, .large = true },
    { "conv2d", CONV(.channels = 50, .kernel = ONE(5), .bias = true), { PLANES(20, 8, 8) }, .large = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .stride = ONE(2), .pad = FOUR(0, 0, 1, 1)), { PLANES(8, 9, 8) }, .large = true },
    { "conv2d", WITH(espl__conv2d, .channels = 32, .kernel = ONE(3), .pad = ONE(1)), { PLANES(32, 7, 9) }, .large = true },
    { "conv2d", WITH(espl__conv2d, .channels = 32, .kernel = ONE(3), .pad = ONE(1), .stride = ONE(2), .bias = true), { PLANES(32, 8, 8) }, .large = true },
    { "conv2d", WITH(espl__conv2d, .channels = 20, .kernel = ONE(5), .pad = ONE(2)), { PLANES(20, 6, 6) }, .large = true },
    { "conv2d", WITH(espl__conv2d, .channels = 32, .groups = 4, .kernel = ONE(3), .pad = ONE(1)), { PLANES(32, 6, 6) }, .large = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .pad = ONE(2), .dilation = ONE(2)), { PLANES(16, 9, 9) }, .large = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .pad = ONE(1), .bias = true, .activation = ESPL__RELU), { PLANES(8, 6, 6) }, set_inference, .no_gradient = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(3), .pad = ONE(1), .activation = ESPL__RELU6, .folded = true, .epsilon = 1e-5), { PLANES(8, 6, 6) }, set_inference, .no_gradient = true },
    { "conv2d", CONV(.channels = 16, .kernel = ONE(1), .bias = true, .activation = ESPL__RELU, .folded = true, .epsilon = 1e-3), { PLANES(32, 6, 6), PLANES(16, 6, 6) }, set_inference, .no_gradient = true },
    { "conv2d", CONV(.channels = 32, .kernel = ONE(3), .pad = ONE(1), .folded = true, .epsilon = 1e-5), { PLANES(32, 6, 6), PLANES(32, 6, 6) }, set_inference, .no_gradient = true },
    { "conv2d", WITH(espl__conv2d, .channels = 32, .kernel = ONE(3), .pad = ONE(1), .activation = ESPL__RELU6, .folded = true, .epsilon = 1e-5), { PLANES(32, 6, 6) }, set_inference, .no_gradient = true },
    { "dense", WITH(espl__dense, .units = 5, .bias = true), { VECTOR(7) } },
    { "dense", WITH(espl__dense, .units = 3), { VECTOR(16) } },
    { "dense", WITH(espl__dense, .units = 10, .bias = true), { VECTOR(64) }, .large = true },
    { "dense", WITH(espl__dense, .units = 300, .bias = true), { VECTOR(784) }, .large = true },
    { "dense", WITH(espl__dense, .units = 96), { VECTOR(256) }, .large = true },
    { "dense", WITH(espl__dense, .units = 520, .bias = true), { VECTOR(1024) }, .large = true },
    { "dense", WITH(espl__dense, .units = 33, .bias = true, .activation = ESPL__RELU), { VECTOR(40) }, set_inference, .no_gradient = true },
    { "bias", NULL, { PLANES(4, 3, 5) } },
    { "bias", NULL, { VECTOR(6) } },
    { "bias", NULL, { PLANES(32, 5, 7) }, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1), { PLANES(4, 4, 5) } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-3, .momentum = 0.01), { PLANES(8, 3, 3), PLANES(8, 3, 3) } },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU), { PLANES(6, 4, 4) }, set_off_norm_corners },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU6), { PLANES(8, 4, 4), PLANES(8, 4, 4) }, set_off_norm_corners },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1), { PLANES(4, 4, 5) }, set_inference },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU), { PLANES(8, 4, 4), PLANES(8, 4, 4) }, set_frozen_off_corners },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU6), { PLANES(6, 4, 4) }, set_frozen_off_corners },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU), { PLANES(16, 9, 8) }, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1), { PLANES(64, 16, 17) }, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU), { PLANES(40, 4, 4), PLANES(40, 4, 4) }, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1), { VECTOR(48) }, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU6), { PLANES(24, 5, 5), PLANES(24, 5, 5) }, set_inference, .large = true },
    { "batch_norm", WITH(espl__batch_norm, .epsilon = 1e-5, .momentum = 0.1, .activation = ESPL__RELU), { PLANES(32, 5, 5) }, set_inference, .large = true },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = 1e-5), { PLANES(4, 3, 3) } },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = 1e-5), { VECTOR(9) } },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = 1e-6, .over = ESPL__OVER_CHANNELS), { PLANES(8, 3, 4) } },
    { "layer_norm", WITH(espl__layer_norm, .epsilon = 1e-6, .over = ESPL__OVER_CHANNELS), { PLANES(32, 6, 7) }, .large = true },
    { "group_norm", WITH(espl__group_norm, .epsilon = 1e-5, .groups = 2), { PLANES(8, 3, 3) } },
    { "group_norm", WITH(espl__group_norm, .epsilon = 1e-5), { PLANES(4, 3, 4) } }, /* instance norm */
    { "group_norm", WITH(espl__group_norm, .epsilon = 1e-5, .groups = 4), { PLANES(32, 6, 7) }, .large = true },
    { "add", NULL, { PLANES(4, 3, 3), PLANES(4, 3, 3) } },
    { "add", NULL, { VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5) } },
    { "add", NULL, { PLANES(16, 5, 7), PLANES(16, 5, 7) }, .large = true },
    { "mul", NULL, { PLANES(4, 3, 3), PLANES(4, 3, 3) } },
    { "mul", NULL, { PLANES(8, 3, 3), VECTOR(8) } },
    { "mul", NULL, { PLANES(8, 1, 1), PLANES(8, 3, 2) } },
    { "mul", NULL, { PLANES(4, 3, 3), VECTOR(1) } },
    { "mul", NULL, { PLANES(4, 3, 3), PLANES(1, 3, 3) } },
    { "mul", NULL, { VECTOR(6), VECTOR(6) } },
    { "mul", NULL, { PLANES(32, 5, 5), PLANES(32, 1, 1) }, .large = true },
    { "concat", NULL, { PLANES(8, 3, 3), PLANES(4, 3, 3), PLANES(4, 3, 3) } },
    { "concat", NULL, { VECTOR(3), VECTOR(5) } },
    { "concat", NULL, { PLANES(16, 5, 5), PLANES(32, 5, 5), PLANES(16, 5, 5), PLANES(16, 5, 5) }, .large = true },
    { "slice", WITH(espl__slice, .begin = THREE(0, 0, 0), .step = THREE(1, 2, 2)), { PLANES(4, 5, 6) } },
    { "slice", WITH(espl__slice, .begin = THREE(2, 1, -3), .end = THREE(-1, 4, 0), .step = THREE(2, 1, 1)), { PLANES(8, 5, 4) } },
    { "slice", WITH(espl__slice, .begin = ONE(2), .end = ONE(-2)), { VECTOR(9) } },
    { "slice", WITH(espl__slice, .step = THREE(1, 2, 2)), { PLANES(16, 8, 8) }, .large = true },
    { "pad", WITH(espl__pad, .before = THREE(2, 1, 0), .after = THREE(2, 0, 3), .value = 0.5), { PLANES(4, 3, 3) } },
    { "pad", WITH(espl__pad, .before = ONE(1), .after = ONE(2)), { VECTOR(5) } },
    { "pad", WITH(espl__pad, .before = ONE(8), .after = ONE(8)), { PLANES(16, 4, 4) }, .large = true },
    { "max_pool", WITH(espl__pool, .kernel = ONE(2)), { PLANES(4, 4, 6) }, set_apart },
    { "max_pool", WITH(espl__pool, .kernel = TWO(3, 2), .stride = TWO(2, 1), .pad = FOUR(1, 0, 0, 1)), { PLANES(8, 5, 4) }, set_apart },
    { "max_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(2), .ceil = true), { PLANES(4, 6, 4) }, set_apart },
    { "max_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(2), .pad = ONE(1)), { PLANES(32, 9, 8) }, .large = true },
    { "max_pool", WITH(espl__pool, .kernel = ONE(2)), { PLANES(16, 8, 8) }, .large = true },
    { "max_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(1), .pad = ONE(1)), { PLANES(16, 8, 8) }, .large = true },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(2)), { PLANES(4, 4, 6) } },
    { "avg_pool", WITH(espl__pool, .kernel = TWO(3, 2), .stride = TWO(2, 1), .pad = FOUR(1, 0, 0, 1)), { PLANES(8, 5, 4) } },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(2), .pad = ONE(1), .ceil = true, .count_padding = true), { PLANES(4, 6, 5) } },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(2), .pad = ONE(1), .ceil = true), { PLANES(4, 6, 5) } },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(2)), { PLANES(32, 8, 8) }, .large = true },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(2), .pad = ONE(1)), { PLANES(32, 9, 8) }, .large = true },
    { "avg_pool", WITH(espl__pool, .kernel = ONE(3), .stride = ONE(1), .pad = ONE(1), .count_padding = true), { PLANES(16, 8, 8) }, .large = true },
    { "global_avg_pool", NULL, { PLANES(8, 3, 4) } },
    { "global_avg_pool", NULL, { PLANES(64, 8, 8) }, .large = true },
    { "global_max_pool", NULL, { PLANES(8, 3, 4) }, set_apart },
    { "global_max_pool", NULL, { PLANES(64, 8, 8) }, .large = true },
    { "relu", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "relu", NULL, { PLANES(32, 5, 7) }, set_off_corners, .large = true },
    { "relu6", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "relu6", NULL, { PLANES(32, 5, 7) }, set_off_corners, .large = true },
    { "leaky_relu", WITH(espl__leaky_relu, .slope = 0.1), { PLANES(4, 3, 5) }, set_off_corners },
    { "leaky_relu", WITH(espl__leaky_relu, .slope = 0), { PLANES(4, 3, 5) }, set_off_corners },
    { "prelu", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "prelu", NULL, { VECTOR(8) }, set_off_corners },
    { "elu", WITH(espl__elu, .alpha = 0.7), { PLANES(4, 3, 5) }, set_off_corners },
    { "selu", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "gelu", WITH(espl__gelu, .form = ESPL__GELU_EXACT), { PLANES(4, 3, 5) }, set_off_corners },
    { "gelu", WITH(espl__gelu, .form = ESPL__GELU_TANH), { PLANES(4, 3, 5) }, set_off_corners },
    { "sigmoid", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "hard_sigmoid", WITH(espl__hard_sigmoid, .slope = 1.0 / 6, .offset = 0.5), { PLANES(4, 3, 5) }, set_off_corners },
    { "tanh", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "silu", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "hard_swish", NULL, { PLANES(4, 3, 5) }, set_off_corners },
    { "softmax", NULL, { VECTOR(7) } },
    { "softmax", NULL, { PLANES(8, 2, 3) } },
    { "softmax", NULL, { VECTOR(100) }, set_large_logits, .large = true },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_MEAN), { VECTOR(5), VECTOR(5), VECTOR(5) } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_MEAN, .weights = THREE(0.5, 0.3, 0.2)), { VECTOR(8), VECTOR(8), VECTOR(8) } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_VOTE), { VECTOR(4), VECTOR(4), VECTOR(4), VECTOR(4) } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_LOGITS, .weights = TWO(0.25, 0.75)), { VECTOR(6), VECTOR(6) } },
    { "combine", WITH(espl__combine, .by = ESPL__COMBINE_MEAN), { VECTOR(100), VECTOR(100) }, set_large_logits, .large = true },
    { "flatten", NULL, { PLANES(8, 3, 4) } },
    { "reshape", WITH(espl__reshape, .shape = THREE(4, -1, 3)), { PLANES(8, 3, 4) } },
    { "reshape", WITH(espl__reshape, .shape = THREE(8, 2, 2)), { VECTOR(32) } },
    { "reshape", WITH(espl__reshape, .shape = FOUR(2, 4, 3, 4)), { PLANES(8, 3, 4) } },
    { "transpose", WITH(espl__transpose, .order = THREE(1, 2, 0)), { PLANES(8, 3, 4) } },
    { "transpose", WITH(espl__transpose, .order = FOUR(1, 0, 2, 3)), { { 4, { 2, 4, 3, 4 } } } },
    { "resize", WITH(espl__resizing, .scale = ONE(2)), { PLANES(4, 3, 2) } },
    { "resize", WITH(espl__resizing, .size = TWO(5, 3), .place = ESPL__ASYMMETRIC), { PLANES(4, 3, 7) } },
    { "resize", WITH(espl__resizing, .size = TWO(7, 3), .mode = ESPL__BILINEAR), { PLANES(4, 3, 4) } },
    { "resize", WITH(espl__resizing, .size = TWO(7, 5), .mode = ESPL__BILINEAR, .place = ESPL__ALIGN_CORNERS), { PLANES(8, 3, 4) } },
    { "resize", WITH(espl__resizing, .size = ONE(5), .mode = ESPL__BILINEAR, .place = ESPL__ASYMMETRIC), { PLANES(4, 3, 4) } },
    { "dropout", WITH(espl__dropout, .rate = 0.3), { PLANES(8, 3, 3) } },
    { "dropout", WITH(espl__dropout, .rate = 0.5, .whole_channels = true), { PLANES(8, 3, 3) } },
    { "dropout", WITH(espl__dropout, .rate = 0.5), { VECTOR(9) }, set_inference },
    { "dropout", WITH(espl__dropout, .rate = 0.25), { PLANES(32, 5, 7) }, .large = true },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0), { VECTOR(5) } },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0.1), { VECTOR(6) }, set_weights },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0.1), { VECTOR(6) }, set_soft },
    { "softmax_cross_entropy", WITH(espl__cross_entropy, .label_smoothing = 0), { VECTOR(100) }, set_large_logits, .large = true },
    { "distillation", WITH(espl__distillation, .temperature = 2, .share = 0.7), { VECTOR(5) }, set_soft },
    { "distillation", WITH(espl__distillation, .temperature = 3, .share = 0.6, .known = 3), { VECTOR(5) }, set_soft },
    { "distillation", WITH(espl__distillation, .temperature = 2, .share = 0.4, .known = 1, .apart = true), { VECTOR(5) }, set_soft },
    { "distillation", WITH(espl__distillation, .temperature = 0.5, .share = 0.3), { VECTOR(4) }, set_weights },
    { "binary_cross_entropy", NULL, { VECTOR(1) }, set_binary },
    { "binary_cross_entropy", NULL, { VECTOR(5) }, set_weights },
    { "binary_cross_entropy", NULL, { VECTOR(5) }, set_soft },
    { "mean_squared_error", NULL, { VECTOR(5) }, set_soft },
    { "mean_squared_error", NULL, { VECTOR(4) }, set_weights },
    { "mean_squared_error", NULL, { VECTOR(1) }, set_binary },
};

static inline int op_case_inputs(const op_case *c)
{
    int count = 0;

    while (count < ESPL__COUNT(c->input) && c->input[count].rank)
        count++;
    return count;
}

static inline void op_case_open(const op_case *c, espl_context *ctx, int samples, int shards, int last, one_node *o)
{
    one_open(o, ctx, c->op, c->attributes, c->input, op_case_inputs(c), samples, shards, last, 12345);
    if (c->set)
        c->set(o);
}

#endif
