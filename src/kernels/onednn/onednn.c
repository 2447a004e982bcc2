/* What all kernels of this room share: engines, layouts, primitives and their arguments. */
#include "kernels/onednn/onednn.h"

#include "ops/conv2d.h"

#include <omp.h>
#include <string.h>

static espl_status failed(espl_context *ctx, const char *what, dnnl_status_t status)
{
    return espl__fail(ctx, status == dnnl_out_of_memory ? ESPL_NO_MEMORY : ESPL_UNSUPPORTED,
                      "oneDNN cannot make %s (status %d)", what, (int)status);
}

/* ---- engine and streams ---- */

espl_status onednn_room_open(espl_context *ctx, int workers, onednn_room *room)
{
    dnnl_status_t status;
    espl_status s;

    memset(room, 0, sizeof *room);
    if ((s = espl__allocate(ctx, (size_t)workers, sizeof *room->streams, &room->streams)))
        return s;
    room->workers = workers;
    if ((status = dnnl_engine_create(&room->engine, dnnl_cpu, 0)))
        return failed(ctx, "an engine", status);
    for (int i = 0; i < workers; i++)
        if ((status = dnnl_stream_create(&room->streams[i], room->engine, dnnl_stream_default_flags)))
            return failed(ctx, "a stream", status);
    return ESPL_OK;
}

void onednn_room_close(espl_context *ctx, onednn_room *room)
{
    for (int i = 0; room->streams && i < room->workers; i++)
        if (room->streams[i])
            dnnl_stream_destroy(room->streams[i]);
    espl__release(ctx, room->streams);
    if (room->engine)
        dnnl_engine_destroy(room->engine);
    memset(room, 0, sizeof *room);
}

/* ---- layouts ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t raw_desc;

static raw_desc raw(const onednn_desc *desc)
{
    return desc ? desc->handle : NULL;
}
#else
typedef const dnnl_memory_desc_t *raw_desc;

static raw_desc raw(const onednn_desc *desc)
{
    return desc ? &desc->value : NULL;
}
#endif

espl_status onednn_desc_make(espl_context *ctx, onednn_desc *desc, bool bf16, int rank, const int64_t *dims,
                             dnnl_format_tag_t tag)
{
    const dnnl_data_type_t type = bf16 ? dnnl_bf16 : dnnl_f32;
    dnnl_dims_t sizes;

    for (int i = 0; i < rank; i++)
        sizes[i] = dims[i];
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_status_t status = dnnl_memory_desc_create_with_tag(&desc->handle, rank, sizes, type, tag);
#else
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(&desc->value, rank, sizes, type, tag);
#endif
    return status ? failed(ctx, "a layout", status) : ESPL_OK;
}

void onednn_desc_free(onednn_desc *desc)
{
#if DNNL_VERSION_MAJOR >= 3
    if (desc->handle)
        dnnl_memory_desc_destroy(desc->handle);
#endif
    memset(desc, 0, sizeof *desc);
}

size_t onednn_desc_bytes(const onednn_desc *desc)
{
    return dnnl_memory_desc_get_size(raw(desc));
}

bool onednn_desc_equal(const onednn_desc *a, const onednn_desc *b)
{
    return dnnl_memory_desc_equal(raw(a), raw(b)) != 0;
}

espl_status onednn_wanted(espl_context *ctx, const onednn_primitive *primitive, int argument,
                          onednn_desc *result)
{
    const raw_desc desc = dnnl_primitive_desc_query_md(primitive->desc, dnnl_query_exec_arg_md, argument);

    if (!desc)
        return failed(ctx, "a copy of a layout", dnnl_invalid_arguments);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_status_t status = dnnl_memory_desc_clone(&result->handle, desc);
    return status ? failed(ctx, "a copy of a layout", status) : ESPL_OK;
#else
    result->value = *desc;
    return ESPL_OK;
#endif
}

uint64_t onednn_version(void)
{
    const dnnl_version_t *v = dnnl_version();

    return (uint64_t)v->major << 40 | (uint64_t)v->minor << 20 | (uint64_t)v->patch;
}

int onednn_threads(int threads)
{
    const int before = omp_get_max_threads();

    if (before != threads)
        omp_set_num_threads(threads);
    return before;
}

/* ---- primitives ---- */

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t append_sum(dnnl_post_ops_t post)
{
    return dnnl_post_ops_append_sum(post, 1.0f, 0, dnnl_data_type_undef);
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t post, dnnl_alg_kind_t kind, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(post, kind, alpha, beta);
}
#else
static dnnl_status_t append_sum(dnnl_post_ops_t post)
{
    return dnnl_post_ops_append_sum(post, 1.0f);
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t post, dnnl_alg_kind_t kind, float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(post, 1.0f, kind, alpha, beta);
}
#endif

/* A scratchpad that the caller gives; behind a forward convolution, what is done to its result. */
static dnnl_status_t make_attributes(const onednn_convolution *c, dnnl_primitive_attr_t *result)
{
    dnnl_post_ops_t post = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(result);

    if (!status)
        status = dnnl_primitive_attr_set_scratchpad_mode(*result, dnnl_scratchpad_mode_user);
    if (status || !c || (!c->add_to_destination && !c->activation))
        return status;
    if ((status = dnnl_post_ops_create(&post)))
        return status;
    if (c->add_to_destination)
        status = append_sum(post);
    if (!status && c->activation == ESPL__RELU)
        status = append_eltwise(post, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (!status && c->activation == ESPL__RELU6)
        status = append_eltwise(post, dnnl_eltwise_clip, 0.0f, 6.0f);
    if (!status)
        status = dnnl_primitive_attr_set_post_ops(*result, post);
    dnnl_post_ops_destroy(post);
    return status;
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t describe(const onednn_room *room, const onednn_convolution *c,
                              const onednn_primitive *forward, dnnl_primitive_attr_t attributes,
                              dnnl_primitive_desc_t *result)
{
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;

    if (c->role == ESPL__FORWARD)
        return dnnl_convolution_forward_primitive_desc_create(
            result, room->engine, dnnl_forward_training, direct, raw(c->source), raw(c->weights),
            raw(c->bias), raw(c->destination), c->strides, c->dilates, c->before, c->after, attributes);
    if (c->role == ESPL__BACKWARD_INPUTS)
        return dnnl_convolution_backward_data_primitive_desc_create(
            result, room->engine, direct, raw(c->source), raw(c->weights), raw(c->destination), c->strides,
            c->dilates, c->before, c->after, forward->desc, attributes);
    return dnnl_convolution_backward_weights_primitive_desc_create(
        result, room->engine, direct, raw(c->source), raw(c->weights), raw(c->bias), raw(c->destination),
        c->strides, c->dilates, c->before, c->after, forward->desc, attributes);
}
#else
static dnnl_status_t describe(const onednn_room *room, const onednn_convolution *c,
                              const onednn_primitive *forward, dnnl_primitive_attr_t attributes,
                              dnnl_primitive_desc_t *result)
{
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    dnnl_convolution_desc_t desc;
    dnnl_status_t status;

    if (c->role == ESPL__FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(
            &desc, dnnl_forward_training, direct, raw(c->source), raw(c->weights), raw(c->bias),
            raw(c->destination), c->strides, c->dilates, c->before, c->after);
    else if (c->role == ESPL__BACKWARD_INPUTS)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, direct, raw(c->source), raw(c->weights), raw(c->destination), c->strides, c->dilates,
            c->before, c->after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, direct, raw(c->source), raw(c->weights), raw(c->bias), raw(c->destination), c->strides,
            c->dilates, c->before, c->after);
    if (status)
        return status;
    return dnnl_primitive_desc_create(result, &desc, attributes, room->engine,
                                      forward ? forward->desc : NULL);
}
#endif

/* oneDNN names its plain loops "ref:...": ours are as slow and at least readable. */
static bool is_slow(dnnl_primitive_desc_t desc)
{
    const char *name = NULL;

    return dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name) || !name ||
           strncmp(name, "ref", 3) == 0;
}

static espl_status finish(espl_context *ctx, onednn_primitive *result)
{
    const dnnl_status_t status = dnnl_primitive_create(&result->primitive, result->desc);

    if (status)
        return failed(ctx, "a primitive", status);
    const raw_desc desc = dnnl_primitive_desc_query_md(result->desc, dnnl_query_scratchpad_md, 0);
    result->scratchpad = desc ? dnnl_memory_desc_get_size(desc) : 0;
    return ESPL_OK;
}

espl_status onednn_convolution_make(espl_context *ctx, const onednn_room *room, const onednn_convolution *c,
                                    const onednn_primitive *forward, onednn_primitive *result)
{
    const int before = onednn_threads(c->threads);
    dnnl_primitive_attr_t attributes = NULL;
    espl_status s = ESPL_OK;

    memset(result, 0, sizeof *result);
    dnnl_status_t status = make_attributes(c->role == ESPL__FORWARD ? c : NULL, &attributes);
    if (!status)
        status = describe(room, c, forward, attributes, &result->desc);
    if (status)
        s = failed(ctx, "a convolution", status);
    else if (is_slow(result->desc))
        s = failed(ctx, "a fast convolution", dnnl_unimplemented);
    else
        s = finish(ctx, result);
    onednn_threads(before);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    if (s)
        onednn_primitive_free(result);
    return s;
}

espl_status onednn_reorder_make(espl_context *ctx, const onednn_room *room, const onednn_desc *from,
                                const onednn_desc *to, onednn_primitive *result)
{
    const int before = onednn_threads(1);
    dnnl_primitive_attr_t attributes = NULL;
    espl_status s;

    memset(result, 0, sizeof *result);
    dnnl_status_t status = make_attributes(NULL, &attributes);
    if (!status)
        status = dnnl_reorder_primitive_desc_create(&result->desc, raw(from), room->engine, raw(to),
                                                    room->engine, attributes);
    s = status ? failed(ctx, "a reorder", status) : finish(ctx, result);
    onednn_threads(before);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    if (s)
        onednn_primitive_free(result);
    return s;
}

void onednn_primitive_free(onednn_primitive *primitive)
{
    if (primitive->primitive)
        dnnl_primitive_destroy(primitive->primitive);
    if (primitive->desc)
        dnnl_primitive_desc_destroy(primitive->desc);
    memset(primitive, 0, sizeof *primitive);
}

/* ---- arguments ---- */

espl_status onednn_arguments_open(espl_context *ctx, const onednn_room *room, onednn_arguments *arguments)
{
    memset(arguments, 0, sizeof *arguments);
    arguments->workers = room->workers;
    return espl__allocate(ctx, (size_t)room->workers * ONEDNN_ARGUMENTS, sizeof *arguments->memory,
                          &arguments->memory);
}

static espl_status add_raw(espl_context *ctx, const onednn_room *room, onednn_arguments *arguments,
                           int name, raw_desc desc)
{
    const int index = arguments->count;

    for (int w = 0; w < room->workers; w++) {
        const dnnl_status_t status = dnnl_memory_create(
            &arguments->memory[w * ONEDNN_ARGUMENTS + index], desc, room->engine, DNNL_MEMORY_NONE);
        if (status)
            return failed(ctx, "a memory object", status);
    }
    arguments->name[index] = name;
    arguments->count++;
    return ESPL_OK;
}

espl_status onednn_argument_add(espl_context *ctx, const onednn_room *room, onednn_arguments *arguments,
                                int name, const onednn_desc *desc)
{
    return add_raw(ctx, room, arguments, name, raw(desc));
}

espl_status onednn_argument_add_scratchpad(espl_context *ctx, const onednn_room *room,
                                           onednn_arguments *arguments, const onednn_primitive *primitive)
{
    return add_raw(ctx, room, arguments, DNNL_ARG_SCRATCHPAD,
                   dnnl_primitive_desc_query_md(primitive->desc, dnnl_query_scratchpad_md, 0));
}

void onednn_arguments_close(espl_context *ctx, onednn_arguments *arguments)
{
    for (int i = 0; arguments->memory && i < arguments->workers * ONEDNN_ARGUMENTS; i++)
        if (arguments->memory[i])
            dnnl_memory_destroy(arguments->memory[i]);
    espl__release(ctx, arguments->memory);
    memset(arguments, 0, sizeof *arguments);
}

void onednn_run(const onednn_room *room, const onednn_primitive *primitive,
                const onednn_arguments *arguments, int worker, void *const *pointers)
{
    dnnl_exec_arg_t list[ONEDNN_ARGUMENTS];

    for (int i = 0; i < arguments->count; i++) {
        const dnnl_memory_t memory = arguments->memory[worker * ONEDNN_ARGUMENTS + i];
        dnnl_memory_set_data_handle(memory, pointers[i]);
        list[i] = (dnnl_exec_arg_t){ arguments->name[i], memory };
    }
    dnnl_primitive_execute(primitive->primitive, room->streams[worker], arguments->count, list);
}
