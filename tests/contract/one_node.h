/* One node run by kernels of the registry, directly, without a plan: the batch is cut into shards,
 * the last one partly filled, values are brought into the layouts asked for, and every kernel is
 * called as kernel.h promises - prepare, pack, sums, merge, run, unpack - with buffers of just the
 * size it asked for, guarded on both sides. What comes out is handed back in logical order.
 *
 * The filler behind the last sample holds large numbers, so that a kernel that lets it into a sum
 * is found. What an op does not say it `reads` is not there in backward. */
#ifndef ONE_NODE_H
#define ONE_NODE_H

#include "guarded.h"
#include "kernels/bf16.h"
#include "kernels/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define ONE_SHARDS 8 /* at most */
#define ONE_LANES 2
#define ONE_FILLER 1000.0f

typedef struct one_node {
    espl_context *ctx;
    espl__node node;
    espl__shape_call shape; /* what the op's rule saw and said */
    espl__case at;          /* role, training, layouts: may be changed before a run */
    int samples, shards, valid[ONE_SHARDS], batch;
    /* (shards * samples) x size values in logical order, filler included; drawn from -1..1 */
    float *input[ESPL__INPUTS_MAX], *grad_output;
    float *parameter[ESPL__NODE_PARAMETERS];
    int32_t *labels;
    float *soft, *weight; /* NULL unless a test sets them */
    int64_t *index;
    espl__targets targets;
    bool no_input_gradients, no_parameter_gradients; /* nobody asks */
} one_node;

/* In logical order; what was not asked for is NULL. Of the filler nothing is promised. */
typedef struct one_result {
    float *output;
    float *grad_input[ESPL__INPUTS_MAX];
    float *grad_parameter[ESPL__NODE_PARAMETERS];
    float *parameter[ESPL__NODE_PARAMETERS]; /* after the run: running statistics move */
} one_result;

static inline void *one_zeros(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory)
        abort();
    return memory;
}

static inline int64_t one_parameter_size(const one_node *o, int p)
{
    return espl__shape_size(o->shape.parameter[p].shape);
}

static inline bool one_is_loss(const one_node *o)
{
    return o->node.op->flags & ESPL__IS_LOSS;
}

static inline double one_total_weight(const one_node *o)
{
    double total = 0;

    for (int n = 0; n < o->batch; n++)
        total += o->weight ? o->weight[n] : 1;
    return total;
}

static inline float one_draw(espl__random *random, float low, float high)
{
    return low + (high - low) * espl__random_uniform(random);
}

/* -1..1, and large numbers in the filler */
static inline float *one_values(const one_node *o, espl__shape shape, espl__random *random)
{
    const int64_t size = espl__shape_size(shape), count = (int64_t)o->samples * o->shards;
    float *values = one_zeros((size_t)(count * size), sizeof(float));

    for (int64_t i = 0; i < count * size; i++)
        values[i] = one_draw(random, -1, 1) * (i / size < o->batch ? 1 : ONE_FILLER);
    return values;
}

static inline float *one_parameter_values(const one_node *o, int p, espl__random *random)
{
    const espl__parameter_spec *spec = &o->shape.parameter[p];
    const bool variance = spec->kind == ESPL_BUFFER && strcmp(spec->name, "variance") == 0;
    const bool positive = variance || spec->kind == ESPL_NORM_SCALE;
    float *values = one_zeros((size_t)one_parameter_size(o, p), sizeof(float));

    for (int64_t i = 0; i < one_parameter_size(o, p); i++)
        values[i] = positive ? one_draw(random, 0.5f, 1.5f) : one_draw(random, -1, 1);
    return values;
}

static inline void one_fill_case(one_node *o)
{
    o->at = (espl__case){ .node = &o->node,
                          .training = true,
                          .samples = o->samples,
                          .shards = o->shards,
                          .input_count = o->shape.input_count,
                          .output = o->shape.output,
                          .threads = 1,
                          .workers = 1,
                          .output_block = 1 };
    for (int i = 0; i < o->shape.input_count; i++) {
        o->at.input[i] = o->shape.input[i];
        o->at.input_block[i] = 1;
    }
    for (int p = 0; p < o->shape.parameter_count; p++)
        o->at.parameter[p] = &o->shape.parameter[p];
}

/* `last` of the last shard's samples count. Values are drawn from `seed`; fails the test if the
 * shape rule refuses. `attributes` must outlive the node. */
static inline void one_open(one_node *o, espl_context *ctx, const char *op, const void *attributes,
                            const espl__shape *inputs, int count, int samples, int shards, int last,
                            uint64_t seed)
{
    static char one_name[] = "node";
    espl__random random = espl__random_at(espl__stream_of(seed, op), 0, 0);

    memset(o, 0, sizeof *o);
    o->ctx = ctx;
    o->samples = samples;
    o->shards = shards;
    o->batch = samples * (shards - 1) + last;
    for (int s = 0; s < shards; s++)
        o->valid[s] = s == shards - 1 ? last : samples;
    o->node = (espl__node){ .op = espl__op_find(op),
                            .name = one_name,
                            .attributes = (void *)attributes,
                            .input_count = count };
    assert_non_null(o->node.op);
    o->shape = (espl__shape_call){ .ctx = ctx, .attributes = attributes, .input_count = count };
    memcpy(o->shape.input, inputs, (size_t)count * sizeof *inputs);
    if (o->node.op->shape(&o->shape))
        fail_msg("%s: %s", op, espl_message(ctx));
    o->node.shape = o->shape.output;
    o->node.parameter_count = o->shape.parameter_count;
    o->node.macs = o->shape.macs;
    for (int i = 0; i < count; i++)
        o->input[i] = one_values(o, inputs[i], &random);
    o->grad_output = one_values(o, o->shape.output, &random);
    for (int p = 0; p < o->shape.parameter_count; p++)
        o->parameter[p] = one_parameter_values(o, p, &random);
    o->labels = one_zeros((size_t)(samples * shards), sizeof *o->labels);
    o->index = one_zeros((size_t)(samples * shards), sizeof *o->index);
    for (int n = 0; n < samples * shards; n++) {
        o->labels[n] = (int32_t)espl__random_below(&random, (uint64_t)espl__shape_size(inputs[0]));
        o->index[n] = 1000 + 7 * n;
    }
    o->targets = (espl__targets){ .epoch = 3, .step = 17, .seed = seed };
    one_fill_case(o);
}

static inline void one_free(one_node *o)
{
    for (int i = 0; i < o->shape.input_count; i++)
        free(o->input[i]);
    for (int p = 0; p < o->shape.parameter_count; p++)
        free(o->parameter[p]);
    free(o->grad_output);
    free(o->labels);
    free(o->soft);
    free(o->weight);
    free(o->index);
}

static inline void one_result_free(one_result *r)
{
    free(r->output);
    for (int i = 0; i < ESPL__INPUTS_MAX; i++)
        free(r->grad_input[i]);
    for (int p = 0; p < ESPL__NODE_PARAMETERS; p++) {
        free(r->grad_parameter[p]);
        free(r->parameter[p]);
    }
    memset(r, 0, sizeof *r);
}

/* The block nearest to the wish that this shape can have: the wish if it divides the channels, else
 * 1; 0 wishes all channels together. Of vectors all blocks are the same. */
static inline int64_t one_block(espl__shape shape, int64_t wish)
{
    const int64_t channels = espl__shape_channels(shape);

    if (wish == 0)
        return channels;
    return shape.rank > 1 && channels % wish == 0 ? wish : 1;
}

static inline void one_set_blocks(one_node *o, int64_t inputs, int64_t output)
{
    for (int i = 0; i < o->shape.input_count; i++)
        o->at.input_block[i] = one_block(o->shape.input[i], inputs);
    o->at.output_block = one_block(o->shape.output, output);
}

/* ---- the layouts ---- */

static inline size_t one_number(const one_node *o)
{
    return o->at.bf16 ? sizeof(uint16_t) : sizeof(float);
}

/* Number `i` of a tensor that a kernel sees. */
static inline void one_put(const one_node *o, void *tensor, int64_t i, float value)
{
    if (o->at.bf16)
        ((uint16_t *)tensor)[i] = espl__bf16_of(value);
    else
        ((float *)tensor)[i] = value;
}

static inline float one_get(const one_node *o, const void *tensor, int64_t i)
{
    return o->at.bf16 ? espl__float_of(((const uint16_t *)tensor)[i]) : ((const float *)tensor)[i];
}

/* Rounds what the kernels are given to bf16 numbers, that those for floats see the same. */
static inline void one_round(one_node *o)
{
    const int64_t count = (int64_t)o->samples * o->shards;

    for (int i = 0; i < o->shape.input_count; i++)
        for (int64_t k = 0; k < count * espl__shape_size(o->shape.input[i]); k++)
            o->input[i][k] = espl__float_of(espl__bf16_of(o->input[i][k]));
    for (int64_t k = 0; k < count * espl__shape_size(o->shape.output); k++)
        o->grad_output[k] = espl__float_of(espl__bf16_of(o->grad_output[k]));
}

/* A shard of logical values in a layout, in guarded memory. */
static inline float *one_lay(const one_node *o, const float *logical, espl__shape shape,
                             int64_t block, int shard)
{
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape);
    float *laid = guarded_open((size_t)(o->samples * size) * one_number(o));

    for (int n = 0; n < o->samples; n++)
        for (int64_t i = 0; i < size; i++)
            one_put(o, laid, n * size + espl__place(i / pixels, i % pixels, pixels, block),
                    logical[(shard * o->samples + n) * size + i]);
    return laid;
}

static inline void one_unlay(const one_node *o, float *logical, const float *laid,
                             espl__shape shape, int64_t block, int shard)
{
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape);

    for (int n = 0; n < o->samples; n++)
        for (int64_t i = 0; i < size; i++)
            logical[(shard * o->samples + n) * size + i] =
                one_get(o, laid, n * size + espl__place(i / pixels, i % pixels, pixels, block));
}

/* ---- running ---- */

/* One kernel at work. */
typedef struct one_stage {
    const espl__kernel *kernel;
    espl__case at;
    espl__needs needs;
    void *state, *packed, *shared, *workspace;
    void *sums[ONE_SHARDS];
    float *lane[ESPL__NODE_PARAMETERS][ONE_LANES];
} one_stage;

/* All that the kernels of one run see. */
typedef struct one_bench {
    const one_node *node;
    float *input[ESPL__INPUTS_MAX][ONE_SHARDS], *output[ONE_SHARDS], *grad_output[ONE_SHARDS];
    float *grad_input[ESPL__INPUTS_MAX][ONE_SHARDS];
    float *parameter[ESPL__NODE_PARAMETERS];
    void *saved[ONE_SHARDS];
    void *forward_shared;
} one_bench;

static inline void one_close(void *memory, const one_stage *stage, const char *what)
{
    if (memory && guarded_damage(memory))
        fail_msg("%s wrote past the ends of %s", stage->kernel->name, what);
    guarded_free(memory);
}

/* false: the kernel does not fit, or says that it cannot. */
static inline bool one_stage_open(const one_node *o, const espl__kernel *kernel, one_stage *st)
{
    espl_status s = ESPL_OK;

    memset(st, 0, sizeof *st);
    st->kernel = kernel;
    st->at = o->at;
    st->at.role = kernel->role;
    if (!espl__kernel_fits(kernel, &st->at))
        return false;
    if (kernel->prepare)
        s = kernel->prepare(o->ctx, &st->at, &st->needs, &st->state);
    if (s == ESPL_UNSUPPORTED)
        return false;
    if (s)
        fail_msg("%s: %s", kernel->name, espl_message(o->ctx));
    st->packed = guarded_open(st->needs.packed);
    st->shared = guarded_open(st->needs.shared);
    st->workspace = guarded_open(st->needs.workspace);
    for (int i = 0; i < o->shards; i++)
        st->sums[i] = guarded_open(st->needs.sums);
    return true;
}

static inline void one_stage_close(const one_node *o, one_stage *st)
{
    one_close(st->packed, st, "packed");
    one_close(st->shared, st, "shared");
    one_close(st->workspace, st, "its workspace");
    for (int i = 0; i < o->shards; i++)
        one_close(st->sums[i], st, "sums");
    for (int p = 0; p < ESPL__NODE_PARAMETERS; p++)
        for (int lane = 0; lane < ONE_LANES; lane++)
            one_close(st->lane[p][lane], st, "the gradient of a parameter");
    if (st->kernel->release)
        st->kernel->release(o->ctx, st->state);
}

static inline bool one_gives_parameters(const espl__kernel *kernel)
{
    return kernel->role == ESPL__BACKWARD || kernel->role == ESPL__BACKWARD_PARAMETERS;
}

/* The lanes of parameters that train. Sums over the whole batch go to lane 0 alone. */
static inline void one_open_lanes(const one_node *o, one_stage *st)
{
    if (!one_gives_parameters(st->kernel) || o->no_parameter_gradients)
        return;
    for (int p = 0; p < o->shape.parameter_count; p++) {
        const size_t canonical = (size_t)one_parameter_size(o, p) * sizeof(float);
        const size_t bytes = st->needs.gradient[p] ? st->needs.gradient[p] : canonical;
        const int lanes = st->kernel->merge || o->shards == 1 ? 1 : ONE_LANES;
        if (o->shape.parameter[p].kind != ESPL_BUFFER)
            for (int lane = 0; lane < lanes; lane++)
                st->lane[p][lane] = guarded_open(bytes);
    }
}

/* Arguments of one call; the arrays it points to live here. */
typedef struct one_call {
    espl__call call;
    const float *inputs[ESPL__INPUTS_MAX];
    float *grad_inputs[ESPL__INPUTS_MAX];
    float *grad_parameters[ESPL__NODE_PARAMETERS];
    espl__targets targets;
} one_call;

static inline void one_fill_call(one_bench *b, one_stage *st, int shard, one_call *c)
{
    const one_node *o = b->node;
    const int reads = o->node.op->reads, first = shard * o->samples;
    const bool forward = st->kernel->role == ESPL__FORWARD;
    const int lane = st->lane[0][1] ? shard % ONE_LANES : 0;

    memset(c, 0, sizeof *c);
    for (int i = 0; i < o->shape.input_count; i++) {
        const bool passed = o->node.op->passes >> i & 1u;
        if (forward ||
            (reads & ESPL__READS_INPUTS && !passed && st->kernel->role != ESPL__BACKWARD_INPUTS))
            c->inputs[i] = b->input[i][shard];
        c->grad_inputs[i] = b->grad_input[i][shard];
    }
    for (int p = 0; p < o->shape.parameter_count; p++)
        c->grad_parameters[p] = st->lane[p][lane];
    c->targets = o->targets;
    c->targets.labels = o->labels + first;
    c->targets.index = o->index + first;
    c->targets.soft = o->soft ? o->soft + first * espl__shape_size(o->shape.input[0]) : NULL;
    c->targets.weight = o->weight ? o->weight + first : NULL;
    c->targets.total_weight = one_total_weight(o);
    c->call = (espl__call){
        .node = &o->node,
        .at = &st->at,
        .state = st->state,
        .samples = o->samples,
        .valid = o->valid[shard],
        .inputs = c->inputs,
        .grad_inputs = c->grad_inputs,
        .parameters = b->parameter,
        .packed = st->packed,
        .grad_parameters = c->grad_parameters,
        .add = shard > lane,
        .workspace = st->workspace,
        .sums = st->sums[shard],
        .saved = b->saved[shard],
        .shared = st->shared,
        .forward_shared = forward ? NULL : b->forward_shared,
        .targets = &c->targets,
        .stream = espl__stream_of(o->targets.seed, "node"),
    };
    c->call.output = forward || reads & ESPL__READS_OUTPUT ? b->output[shard] : NULL;
    c->call.grad_output = forward || one_is_loss(o) ? NULL : b->grad_output[shard];
}

static inline void one_merge(one_bench *b, one_stage *st)
{
    const one_node *o = b->node;
    espl__merge_call call = { .node = &o->node,
                              .at = &st->at,
                              .state = st->state,
                              .shards = o->shards,
                              .valid = o->valid,
                              .sums = st->sums,
                              .shared = st->shared,
                              .forward_shared = b->forward_shared,
                              .parameters = b->parameter,
                              .inputs = b->input[0],
                              .grad_outputs = b->grad_output };
    float *gradients[ESPL__NODE_PARAMETERS];

    for (int p = 0; p < ESPL__NODE_PARAMETERS; p++)
        gradients[p] = st->lane[p][0];
    call.grad_parameters = gradients;
    do
        st->kernel->merge(&call);
    while (++call.part < st->needs.parts);
}

static inline void one_work(one_bench *b, one_stage *st)
{
    const one_node *o = b->node;
    one_call c;

    one_open_lanes(o, st);
    if (st->kernel->pack) {
        one_fill_call(b, st, 0, &c);
        st->kernel->pack(&c.call);
    }
    for (int shard = o->shards - 1; st->kernel->sums && shard >= 0;
         shard--) { /* any order must do */
        one_fill_call(b, st, shard, &c);
        st->kernel->sums(&c.call);
    }
    if (st->kernel->merge)
        one_merge(b, st);
    for (int shard = 0; st->kernel->run && shard < o->shards; shard++) {
        memset(st->workspace, 0xff, st->needs.workspace);
        one_fill_call(b, st, shard, &c);
        st->kernel->run(&c.call);
    }
}

/* Lanes summed, brought to the canonical layout. */
static inline void one_take_gradients(const one_node *o, one_stage *st, one_result *r)
{
    for (int p = 0; p < o->shape.parameter_count; p++) {
        float *sum = st->lane[p][0];
        if (!sum)
            continue;
        for (size_t i = 0; st->lane[p][1] && i < guarded_bytes(sum) / sizeof(float); i++)
            sum[i] += st->lane[p][1][i];
        float *canonical = guarded_open((size_t)one_parameter_size(o, p) * sizeof(float));
        if (st->needs.gradient[p])
            st->kernel->unpack(&st->at, st->state, p, sum, canonical);
        else
            memcpy(canonical, sum, guarded_bytes(canonical));
        r->grad_parameter[p] = one_zeros((size_t)one_parameter_size(o, p), sizeof(float));
        memcpy(r->grad_parameter[p], canonical, guarded_bytes(canonical));
        one_close(canonical, st, "an unpacked gradient");
    }
}

static inline void one_bench_open(const one_node *o, const one_stage *forward, bool backward,
                                  one_bench *b)
{
    memset(b, 0, sizeof *b);
    b->node = o;
    b->forward_shared = forward->shared;
    for (int s = 0; s < o->shards; s++) {
        for (int i = 0; i < o->shape.input_count; i++) {
            b->input[i][s] = one_lay(o, o->input[i], o->shape.input[i], o->at.input_block[i], s);
            if (backward && !o->no_input_gradients && !(o->node.op->passes >> i & 1u))
                b->grad_input[i][s] = guarded_open(guarded_bytes(b->input[i][s]));
        }
        b->grad_output[s] = one_lay(o, o->grad_output, o->shape.output, o->at.output_block, s);
        b->output[s] = guarded_open(guarded_bytes(b->grad_output[s]));
        b->saved[s] = guarded_open(forward->needs.saved);
    }
    for (int p = 0; p < o->shape.parameter_count; p++) {
        b->parameter[p] = guarded_open((size_t)one_parameter_size(o, p) * sizeof(float));
        memcpy(b->parameter[p], o->parameter[p], guarded_bytes(b->parameter[p]));
    }
}

/* Nobody may have touched what was only lent. */
static inline void one_check_lent(const one_bench *b, const one_stage *last)
{
    const one_node *o = b->node;

    for (int s = 0; s < o->shards; s++)
        for (int i = 0; i < o->shape.input_count; i++) {
            float *fresh = one_lay(o, o->input[i], o->shape.input[i], o->at.input_block[i], s);
            if (memcmp(fresh, b->input[i][s], guarded_bytes(fresh)))
                fail_msg("%s changed input %d", last->kernel->name, i + 1);
            guarded_free(fresh);
        }
    for (int p = 0; p < o->shape.parameter_count; p++)
        if ((o->shape.parameter[p].kind != ESPL_BUFFER || !o->at.training) &&
            memcmp(o->parameter[p], b->parameter[p], guarded_bytes(b->parameter[p])))
            fail_msg("%s changed %s", last->kernel->name, o->shape.parameter[p].name);
}

static inline float *one_take(const one_node *o, float *const *laid, espl__shape shape,
                              int64_t block)
{
    float *logical = one_zeros((size_t)((int64_t)o->samples * o->shards * espl__shape_size(shape)),
                               sizeof(float));

    for (int s = 0; s < o->shards; s++)
        one_unlay(o, logical, laid[s], shape, block, s);
    return logical;
}

static inline void one_take_inputs(const one_bench *b, one_result *r)
{
    const one_node *o = b->node;

    for (int i = 0; i < o->shape.input_count; i++) {
        if (o->node.op->passes >> i & 1u)
            r->grad_input[i] = one_take(o, b->grad_output, o->shape.output, o->at.output_block);
        else if (b->grad_input[i][0])
            r->grad_input[i] =
                one_take(o, b->grad_input[i], o->shape.input[i], o->at.input_block[i]);
    }
}

static inline void one_bench_close(one_bench *b, const one_stage *last)
{
    const one_node *o = b->node;

    for (int s = 0; s < o->shards; s++) {
        for (int i = 0; i < o->shape.input_count; i++) {
            one_close(b->input[i][s], last, "an input");
            one_close(b->grad_input[i][s], last, "the gradient of an input");
        }
        one_close(b->grad_output[s], last, "the gradient of the output");
        one_close(b->output[s], last, "the output");
        one_close(b->saved[s], last, "saved");
    }
    for (int p = 0; p < o->shape.parameter_count; p++)
        one_close(b->parameter[p], last, "a parameter");
}

/* Runs `forward` (NULL: it is not needed), then `backward` (NULL-terminated, or NULL for none), and
 * fills `r` (to be freed). The test fails when a kernel writes where it must not. false, and
 * nothing to free: a kernel does not fit. */
static inline bool one_run(const one_node *o, const espl__kernel *forward,
                           const espl__kernel *const *backward, one_result *r)
{
    one_stage first, second;
    one_bench b;

    memset(&second, 0, sizeof second);
    memset(r, 0, sizeof *r);
    for (int i = 0; backward && backward[i]; i++) {
        if (!one_stage_open(o, backward[i], &second))
            return false;
        one_stage_close(o, &second);
    }
    memset(&first, 0, sizeof first);
    if (forward && !one_stage_open(o, forward, &first))
        return false;
    one_bench_open(o, &first, backward != NULL, &b);
    if (forward) {
        one_work(&b, &first);
        one_check_lent(&b, &first);
        r->output = one_take(o, b.output, o->shape.output, o->at.output_block);
    }
    for (int i = 0; backward && backward[i]; i++) {
        one_stage_open(o, backward[i], &second);
        one_work(&b, &second);
        one_check_lent(&b, &second);
        one_take_gradients(o, &second, r);
        if (backward[i]->role != ESPL__BACKWARD_PARAMETERS && !r->grad_input[0] &&
            !o->no_input_gradients)
            one_take_inputs(&b, r);
        one_stage_close(o, &second);
    }
    if (backward && !backward[0]) /* everything passes: no kernel is needed */
        one_take_inputs(&b, r);
    for (int p = 0; p < o->shape.parameter_count; p++) {
        r->parameter[p] = one_zeros((size_t)one_parameter_size(o, p), sizeof(float));
        memcpy(r->parameter[p], b.parameter[p], guarded_bytes(b.parameter[p]));
    }
    one_bench_close(&b, forward ? &first : &second);
    if (forward)
        one_stage_close(o, &first);
    return true;
}

/* ---- the registry ---- */

/* The last kernel of that op and role that fits: the reference. */
static inline const espl__kernel *one_reference(const one_node *o, espl__role role)
{
    const espl__kernel *kernel, *last = NULL;
    espl__case at = o->at;

    at.role = role;
    for (int i = 0; (kernel = espl__kernel_at(i)); i++)
        if (kernel->role == role && strcmp(kernel->op, o->node.op->name) == 0 &&
            espl__kernel_fits(kernel, &at))
            last = kernel;
    return last;
}

/* The reference kernels that together give all gradients, NULL at the end. */
static inline void one_reference_backward(const one_node *o, const espl__kernel *result[3])
{
    result[0] = one_reference(o, ESPL__BACKWARD);
    result[1] = result[2] = NULL;
    if (result[0])
        return;
    result[0] = one_reference(o, ESPL__BACKWARD_PARAMETERS);
    result[1] = one_reference(o, ESPL__BACKWARD_INPUTS);
}

#endif
