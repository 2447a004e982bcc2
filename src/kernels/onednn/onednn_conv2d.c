/* conv2d by oneDNN's direct kernels, in the layout the plan has chosen. For bf16 tensors the weights are rounded when
 * they are packed, once a step; their gradient and the bias stay f32, like the sums inside. */
#include "kernels/onednn/onednn.h"

#include "ops/conv2d.h"

#include <math.h>
#include <string.h>

typedef struct state {
    espl_context *ctx;
    onednn_room room;
    onednn_desc source, destination, any_weights, any_gradient, bias;
    onednn_desc plain;     /* weights as the net keeps them */
    onednn_desc wanted;    /* weights, or their gradient, as the primitive wants them */
    onednn_primitive hint; /* the forward primitive, for the backward roles */
    onednn_primitive primitive;
    onednn_arguments arguments;
    onednn_primitive reorder; /* plain -> wanted; wanted -> plain for gradients */
    onednn_arguments reorder_arguments;
    espl__window window;
    size_t scratchpad, weights_bytes, wanted_bytes;
    int64_t weights_count, channels;
    bool has_bias;
} state;

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static const espl__conv2d *attributes_of(const espl__case *at)
{
    return at->node->attributes;
}

/* The name oneDNN has for a layout of pictures; dnnl_format_tag_undef if it has none. Pictures of one
 * pixel lie the same in every layout, so they take the one of the other side. */
static dnnl_format_tag_t tag_of(espl__shape shape, int64_t block, espl__shape other, int64_t other_block)
{
    if (espl__shape_pixels(shape) == 1 && espl__shape_pixels(other) > 1) {
        const bool last = other_block == other.dim[0];
        block = last ? shape.dim[0] : shape.dim[0] % other_block == 0 ? other_block
                                                                      : shape.dim[0];
    }
    /* One channel lies the same in every layout too, but oneDNN is quick only where both sides agree. */
    if (shape.dim[0] == 1 && other_block == other.dim[0])
        return dnnl_nhwc;
    if (shape.dim[0] == 1) /* one channel lies the same in both */
        return other_block == other.dim[0] ? dnnl_nhwc : dnnl_nchw;
    /* All channels in one block of 8 or 16 are channels-last as well, and oneDNN may have nothing quick for
     * a block on one side only. */
    if (block == shape.dim[0] && other_block == other.dim[0])
        return dnnl_nhwc;
    if (block == 8)
        return dnnl_nChw8c;
    if (block == 16)
        return dnnl_nChw16c;
    if (block == 1)
        return dnnl_nchw;
    return block == shape.dim[0] ? dnnl_nhwc : dnnl_format_tag_undef;
}

static dnnl_format_tag_t source_tag(const espl__case *at)
{
    return tag_of(at->input[0], at->input_block[0], at->output, at->output_block);
}

static dnnl_format_tag_t destination_tag(const espl__case *at)
{
    return tag_of(at->output, at->output_block, at->input[0], at->input_block[0]);
}

static bool fits(const espl__case *at)
{
    return at->input[0].rank == 3 && source_tag(at) != dnnl_format_tag_undef &&
           destination_tag(at) != dnnl_format_tag_undef &&
           (at->role == ESPL__FORWARD ||
            espl__conv2d_has_gradient(attributes_of(at), at->input_count));
}

static void release(espl_context *ctx, void *pointer)
{
    state *st = pointer;

    if (!st)
        return;
    onednn_arguments_close(ctx, &st->arguments);
    onednn_arguments_close(ctx, &st->reorder_arguments);
    onednn_primitive_free(&st->primitive);
    onednn_primitive_free(&st->reorder);
    onednn_primitive_free(&st->hint);
    onednn_desc *const descs[] = { &st->source, &st->destination, &st->any_weights,
                                   &st->any_gradient, &st->bias, &st->plain, &st->wanted };
    for (int i = 0; i < ESPL__COUNT(descs); i++)
        onednn_desc_free(descs[i]);
    onednn_room_close(ctx, &st->room);
    espl__release(ctx, st);
}

static espl_status make_descs(espl_context *ctx, const espl__case *at, state *st)
{
    const int64_t in = at->input[0].dim[0], out = at->output.dim[0], groups = st->window.groups;
    const int64_t source[] = { at->samples, in, at->input[0].dim[1], at->input[0].dim[2] };
    const int64_t destination[] = { at->samples, out, at->output.dim[1], at->output.dim[2] };
    const int64_t plain[] = { out, in, st->window.kernel[0], st->window.kernel[1] };
    const int64_t grouped[] = { groups, out / groups, in / groups, st->window.kernel[0], st->window.kernel[1] };
    const int rank = groups > 1 ? 5 : 4;
    const int64_t *weights = groups > 1 ? grouped : plain;
    const bool bf16 = at->bf16;
    espl_status s;

    st->channels = out;
    st->weights_count = out * (in / groups) * st->window.kernel[0] * st->window.kernel[1];
    if ((s = onednn_desc_make(ctx, &st->source, bf16, 4, source, source_tag(at))) ||
        (s = onednn_desc_make(ctx, &st->destination, bf16, 4, destination, destination_tag(at))) ||
        (s = onednn_desc_make(ctx, &st->any_weights, bf16, rank, weights, dnnl_format_tag_any)) ||
        (s = onednn_desc_make(ctx, &st->any_gradient, false, rank, weights, dnnl_format_tag_any)) ||
        (s = onednn_desc_make(ctx, &st->plain, false, rank, weights, groups > 1 ? dnnl_goihw : dnnl_oihw)) ||
        (s = onednn_desc_make(ctx, &st->bias, false, 1, &out, dnnl_a)))
        return s;
    st->weights_bytes = onednn_desc_bytes(&st->plain);
    return ESPL_OK;
}

static onednn_convolution describe(const espl__case *at, const state *st, espl__role role)
{
    const espl__conv2d *a = attributes_of(at);
    onednn_convolution c = { .role = role,
                             .source = &st->source,
                             .weights = role == ESPL__BACKWARD_PARAMETERS ? &st->any_gradient : &st->any_weights,
                             .bias = st->has_bias && role != ESPL__BACKWARD_INPUTS ? &st->bias : NULL,
                             .destination = &st->destination,
                             .activation = a->activation,
                             .threads = at->threads,
                             .add_to_destination = at->input_count > 1 };

    for (int i = 0; i < 2; i++) {
        c.strides[i] = st->window.stride[i];
        c.dilates[i] = st->window.dilation[i] - 1;
        c.before[i] = st->window.before[i];
        c.after[i] = st->window.after[i];
    }
    return c;
}

/* The primitive of the role; backward ones get a forward one first. */
static espl_status make_primitive(espl_context *ctx, const espl__case *at, state *st)
{
    onednn_convolution c = describe(at, st, ESPL__FORWARD);
    espl_status s;

    if (at->role == ESPL__FORWARD)
        return onednn_convolution_make(ctx, &st->room, &c, NULL, &st->primitive);
    if ((s = onednn_convolution_make(ctx, &st->room, &c, NULL, &st->hint)))
        return s;
    c = describe(at, st, at->role);
    return onednn_convolution_make(ctx, &st->room, &c, &st->hint, &st->primitive);
}

static espl_status make_reorder(espl_context *ctx, state *st, bool from_plain)
{
    const onednn_desc *from = from_plain ? &st->plain : &st->wanted;
    const onednn_desc *to = from_plain ? &st->wanted : &st->plain;
    espl_status s;

    if ((s = onednn_reorder_make(ctx, &st->room, from, to, &st->reorder)) ||
        (s = onednn_arguments_open(ctx, &st->room, &st->reorder_arguments)) ||
        (s = onednn_argument_add(ctx, &st->room, &st->reorder_arguments, DNNL_ARG_FROM, from)) ||
        (s = onednn_argument_add(ctx, &st->room, &st->reorder_arguments, DNNL_ARG_TO, to)))
        return s;
    return onednn_argument_add_scratchpad(ctx, &st->room, &st->reorder_arguments, &st->reorder);
}

/* Everything that the three roles share. `weights` names the argument whose layout is asked for. */
static espl_status open_state(espl_context *ctx, const espl__case *at, int weights, state **result)
{
    state *st = NULL;
    espl_status s = espl__allocate(ctx, 1, sizeof *st, &st);

    if (s)
        return s;
    *result = st;
    st->ctx = ctx;
    st->window = espl__conv2d_window(attributes_of(at), at->input[0].dim[0]);
    st->has_bias = attributes_of(at)->bias || attributes_of(at)->folded;
    if ((s = onednn_room_open(ctx, at->workers, &st->room)) || (s = make_descs(ctx, at, st)) ||
        (s = make_primitive(ctx, at, st)) || (s = onednn_wanted(ctx, &st->primitive, weights, &st->wanted)) ||
        (s = make_reorder(ctx, st, weights == DNNL_ARG_WEIGHTS)) ||
        (s = onednn_arguments_open(ctx, &st->room, &st->arguments)))
        return s;
    st->wanted_bytes = onednn_desc_bytes(&st->wanted);
    st->scratchpad = aligned(st->primitive.scratchpad > st->reorder.scratchpad ? st->primitive.scratchpad
                                                                               : st->reorder.scratchpad);
    return ESPL_OK;
}

static espl_status closed(espl_context *ctx, espl_status s, state *st, void **result)
{
    if (s)
        release(ctx, st);
    else
        *result = st;
    return s;
}

/* ---- forward ---- */

static espl_status prepare_forward(espl_context *ctx, const espl__case *at, espl__needs *needs, void **result)
{
    state *st = NULL;
    espl_status s = open_state(ctx, at, DNNL_ARG_WEIGHTS, &st);

    if (!s && !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_SRC, &st->source)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_WEIGHTS, &st->wanted)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DST, &st->destination)) &&
        !(s = st->has_bias ? onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_BIAS, &st->bias)
                           : ESPL_OK))
        s = onednn_argument_add_scratchpad(ctx, &st->room, &st->arguments, &st->primitive);
    if (!s) {
        needs->packed = aligned(st->wanted_bytes) + (size_t)st->channels * sizeof(float);
        needs->workspace = st->scratchpad + st->weights_bytes;
    }
    return closed(ctx, s, st, result);
}

static float *bias_of(const espl__call *call, const state *st)
{
    return (float *)((char *)call->packed + aligned(st->wanted_bytes));
}

/* The batch norm behind the convolution, folded into weights and bias. */
static const float *fold(const espl__call *call, const state *st)
{
    const espl__conv2d *a = attributes_of(call->at);
    float *const *norm = call->parameters + (a->bias ? 2 : 1);
    const float *scale = norm[0], *shift = norm[1], *mean = norm[2], *variance = norm[3];
    const int64_t each = st->weights_count / st->channels;
    float *weights = (float *)((char *)call->workspace + st->scratchpad);
    float *bias = bias_of(call, st);

    for (int64_t c = 0; c < st->channels; c++) {
        const double k = (double)scale[c] / sqrt((double)variance[c] + a->epsilon);
        const double before = a->bias ? (double)call->parameters[1][c] : 0.0;
        for (int64_t i = 0; i < each; i++)
            weights[c * each + i] = (float)((double)call->parameters[0][c * each + i] * k);
        bias[c] = (float)((before - (double)mean[c]) * k + (double)shift[c]);
    }
    return weights;
}

static void pack(const espl__call *call)
{
    state *st = call->state;
    const espl__conv2d *a = attributes_of(call->at);
    const float *weights = call->parameters[0];

    if (a->folded)
        weights = fold(call, st);
    else if (a->bias && call->at->role == ESPL__FORWARD)
        memcpy(bias_of(call, st), call->parameters[1], (size_t)st->channels * sizeof(float));
    const int before = onednn_threads(1); /* waking a team costs more than it saves */
    onednn_run(&st->room, &st->reorder, &st->reorder_arguments, 0,
               (void *[]){ (void *)weights, call->packed, call->workspace });
    onednn_threads(before);
}

static void forward(const espl__call *call)
{
    state *st = call->state;
    void *pointers[ONEDNN_ARGUMENTS] = { (void *)call->inputs[0], call->packed, call->output };
    int count = 3;

    if (call->at->input_count > 1)
        memcpy(call->output, call->inputs[1], onednn_desc_bytes(&st->destination));
    if (st->has_bias)
        pointers[count++] = bias_of(call, st);
    pointers[count] = call->workspace;
    const int before = onednn_threads(call->at->threads);
    onednn_run(&st->room, &st->primitive, &st->arguments, call->worker, pointers);
    onednn_threads(before);
}

#define KERNEL(symbol, numbers)                  \
    const espl__kernel espl__kernel_##symbol = { \
        .name = #symbol,                         \
        .op = "conv2d",                          \
        .role = ESPL__FORWARD,                   \
        .bf16 = numbers,                         \
        .fits = fits,                            \
        .prepare = prepare_forward,              \
        .release = release,                      \
        .version = onednn_version,               \
        .pack = pack,                            \
        .run = forward,                          \
    };
KERNEL(onednn_conv2d_forward, false)
KERNEL(onednn_bf16_conv2d_forward, true)
#undef KERNEL

/* ---- backward, inputs ---- */

static espl_status prepare_inputs(espl_context *ctx, const espl__case *at, espl__needs *needs, void **result)
{
    state *st = NULL;
    espl_status s = open_state(ctx, at, DNNL_ARG_WEIGHTS, &st);

    if (!s && !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DIFF_DST, &st->destination)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_WEIGHTS, &st->wanted)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DIFF_SRC, &st->source)))
        s = onednn_argument_add_scratchpad(ctx, &st->room, &st->arguments, &st->primitive);
    if (!s) {
        needs->packed = st->wanted_bytes;
        needs->workspace = st->scratchpad;
    }
    return closed(ctx, s, st, result);
}

static void backward_inputs(const espl__call *call)
{
    state *st = call->state;

    onednn_run(&st->room, &st->primitive, &st->arguments, call->worker,
               (void *[]){ call->grad_output, call->packed, call->grad_inputs[0], call->workspace });
}

#define KERNEL(symbol, numbers)                  \
    const espl__kernel espl__kernel_##symbol = { \
        .name = #symbol,                         \
        .op = "conv2d",                          \
        .role = ESPL__BACKWARD_INPUTS,           \
        .bf16 = numbers,                         \
        .fits = fits,                            \
        .prepare = prepare_inputs,               \
        .release = release,                      \
        .version = onednn_version,               \
        .pack = pack,                            \
        .run = backward_inputs,                  \
    };
KERNEL(onednn_conv2d_backward_inputs, false)
KERNEL(onednn_bf16_conv2d_backward_inputs, true)
#undef KERNEL

/* ---- backward, parameters ---- */

static espl_status prepare_parameters(espl_context *ctx, const espl__case *at, espl__needs *needs, void **result)
{
    state *st = NULL;
    espl_status s = open_state(ctx, at, DNNL_ARG_DIFF_WEIGHTS, &st);

    if (!s && !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_SRC, &st->source)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DIFF_DST, &st->destination)) &&
        !(s = onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DIFF_WEIGHTS, &st->wanted)) &&
        !(s = st->has_bias ? onednn_argument_add(ctx, &st->room, &st->arguments, DNNL_ARG_DIFF_BIAS, &st->bias)
                           : ESPL_OK))
        s = onednn_argument_add_scratchpad(ctx, &st->room, &st->arguments, &st->primitive);
    if (!s) {
        needs->gradient[0] = onednn_desc_equal(&st->wanted, &st->plain) ? 0 : st->wanted_bytes;
        needs->workspace = st->scratchpad + aligned(st->wanted_bytes) + (size_t)st->channels * sizeof(float);
    }
    return closed(ctx, s, st, result);
}

static void add(float *to, const float *from, size_t bytes)
{
    const size_t count = bytes / sizeof *to;

    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* What fills up a shard must not enter the sum: its gradient becomes zero. */
static void silence_filler(const espl__call *call)
{
    const int64_t size = espl__shape_size(call->at->output);

    const size_t number = call->at->bf16 ? sizeof(uint16_t) : sizeof(float);

    memset((char *)call->grad_output + (size_t)(call->valid * size) * number, 0,
           (size_t)((call->samples - call->valid) * size) * number);
}

/* oneDNN overwrites; the shards of a lane after the first go through the workspace. A frozen half
 * (weights or bias) goes there as well, and is forgotten. */
static void backward_parameters(const espl__call *call)
{
    state *st = call->state;
    char *own = (char *)call->workspace + st->scratchpad;
    float *own_weights = (float *)own, *own_bias = (float *)(own + aligned(st->wanted_bytes));
    float *weights = call->grad_parameters[0], *bias = st->has_bias ? call->grad_parameters[1] : NULL;
    void *pointers[ONEDNN_ARGUMENTS] = { (void *)call->inputs[0], call->grad_output,
                                         call->add || !weights ? own_weights : weights };
    int count = 3;

    if (st->has_bias)
        pointers[count++] = call->add || !bias ? own_bias : bias;
    pointers[count] = call->workspace;
    silence_filler(call);
    onednn_run(&st->room, &st->primitive, &st->arguments, call->worker, pointers);
    if (call->add && weights)
        add(weights, own_weights, st->wanted_bytes);
    if (call->add && bias)
        add(bias, own_bias, (size_t)st->channels * sizeof(float));
}

static void unpack(const espl__case *at, void *pointer, int parameter, const float *packed, float *gradient)
{
    state *st = pointer;

    (void)at;
    (void)parameter;
    onednn_run(&st->room, &st->reorder, &st->reorder_arguments, 0,
               (void *[]){ (void *)packed, gradient, NULL });
}

#define KERNEL(symbol, numbers)                  \
    const espl__kernel espl__kernel_##symbol = { \
        .name = #symbol,                         \
        .op = "conv2d",                          \
        .role = ESPL__BACKWARD_PARAMETERS,       \
        .bf16 = numbers,                         \
        .fits = fits,                            \
        .prepare = prepare_parameters,           \
        .release = release,                      \
        .run = backward_parameters,              \
        .unpack = unpack,                        \
    };
KERNEL(onednn_conv2d_backward_parameters, false)
KERNEL(onednn_bf16_conv2d_backward_parameters, true)
#undef KERNEL
