/* ONNX files (.onnx) as nets: exchange files that PyTorch, TensorFlow and others export. */
#include "formats/formats.h"

#ifdef ESPL__HAVE_PROTOBUF_C
#include "formats/onnx.h"

#include <stdio.h>
#include <string.h>

/* Messages of more than 2 GB are no protobuf; larger models keep their weights in files beside them. */
#define LARGEST_MODEL ((size_t)2 << 30)

/* ---- memory for the parser ---- */

typedef struct memory {
    espl_context *ctx;
    bool failed;
} memory;

static void *allocate(void *user, size_t size)
{
    memory *m = user;
    void *block = espl__allocate_quietly(m->ctx, size ? size : 1, 1);

    m->failed = m->failed || !block;
    return block;
}

static void release(void *user, void *block)
{
    const memory *m = user;

    espl__release(m->ctx, block);
}

static ProtobufCAllocator allocator_of(memory *m)
{
    return (ProtobufCAllocator){ allocate, release, m };
}

/* ---- opening ---- */

espl_status espl__onnx_open(espl_context *ctx, const char *path, espl__onnx *o)
{
    memory m = { .ctx = ctx };
    ProtobufCAllocator allocator = allocator_of(&m);
    char *bytes = NULL;
    size_t count = 0;
    espl_status s = espl__file_read(ctx, path, LARGEST_MODEL, &bytes, &count);

    *o = (espl__onnx){ .ctx = ctx, .path = path };
    if (!s) {
        o->model = espalier__onnx__model__unpack(&allocator, count, (const uint8_t *)bytes);
        if (!o->model && m.failed)
            s = espl__fail(ctx, ESPL_NO_MEMORY, "%s: does not fit into memory", path);
        else if (!o->model)
            s = espl__fail(ctx, ESPL_BAD_FILE, "%s: is no ONNX model, or is damaged", path);
    }
    espl__release(ctx, bytes);
    return s;
}

void espl__onnx_close(espl__onnx *o)
{
    memory m = { .ctx = o->ctx };
    ProtobufCAllocator allocator = allocator_of(&m);

    for (int i = 0; i < o->value_count; i++)
        espl__release(o->ctx, o->values[i].numbers);
    espl__release(o->ctx, o->values);
    espl__release(o->ctx, o->sources);
    espl__graph_free(o->graph);
    if (o->model)
        espalier__onnx__model__free_unpacked(o->model, &allocator);
    *o = (espl__onnx){ 0 };
}

/* ---- as a net ---- */

/* PyTorch calls every graph "main_graph" or "torch_jit". */
static const char *name_of(const espl__onnx *o, char name[96])
{
    const char *graph = o->model->graph->name, *slash = strrchr(o->path, '/'), *file = slash ? slash + 1 : o->path;
    const char *dot = strrchr(file, '.');
    const size_t length = dot ? (size_t)(dot - file) : strlen(file);
    const bool says_something = *graph && !espl__text_equal(graph, "main_graph") && !espl__text_match("torch*jit*", graph) &&
                                espl__text_is_utf8(graph) && strlen(graph) < 96;

    snprintf(name, 96, "%.*s", (int)(length < 95 ? length : 95), file);
    return says_something ? graph : name;
}

static espl_status make_net(espl__onnx *o, espl_net **result)
{
    espl__graph *graph;
    char name[96];
    espl_status s;

    if ((s = espl__onnx_read(o)))
        return s;
    graph = o->graph;
    o->graph = NULL;
    if ((s = espl__net_open_empty(graph, name_of(o, name), result)) || (s = espl__onnx_fill(o, *result)))
        return s;
    return espl__onnx_notes(o, *result);
}

static espl_status load(espl_context *ctx, const char *path, espl_net **result)
{
    espl__onnx o;
    espl_status s = espl__onnx_open(ctx, path, &o);

    *result = NULL;
    if (!s && (s = make_net(&o, result)))
        espl__fail_within(ctx, s, "%s", path);
    espl__onnx_close(&o);
    if (s) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}
#else
static espl_status load(espl_context *ctx, const char *path, espl_net **result)
{
    *result = NULL;
    return espl__fail(ctx, ESPL_UNSUPPORTED, "%s: ONNX files need a build with protobuf-c", path);
}
#endif

const espl__format espl__format_onnx = {
    .name = "onnx",
    .summary = "models in the exchange format ONNX, opset 7 to 21",
    .endings = ".onnx",
    .load = load,
};
