/* oneDNN behind a few functions that mean the same for its API of version 2 and of version 3. Nothing
 * outside this room sees oneDNN.
 *
 * Primitives are made for one thread (the number is fixed when they are made) and run by whoever calls,
 * with a scratchpad and memory objects of the calling worker. */
#ifndef ESPL_ONEDNN_H
#define ESPL_ONEDNN_H

#include "kernels/kernel.h"

#include <oneapi/dnnl/dnnl.h>

/* How a tensor lies in memory. Zero it before use. */
typedef struct onednn_desc {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t handle;
#else
    dnnl_memory_desc_t value;
#endif
} onednn_desc;

/* One primitive ready to run, and what it needs beside its arguments. */
typedef struct onednn_primitive {
    dnnl_primitive_t primitive;
    dnnl_primitive_desc_t desc;
    size_t scratchpad;
} onednn_primitive;

/* An engine, and a stream for each worker that may call at the same time. */
typedef struct onednn_room {
    dnnl_engine_t engine;
    int workers;
    dnnl_stream_t *streams;
} onednn_room;

espl_status onednn_room_open(espl_context *ctx, int workers, onednn_room *room);
void onednn_room_close(espl_context *ctx, onednn_room *room);

/* Of floats, or of bf16 numbers. `tag` dnnl_format_tag_any leaves the layout to the primitive. */
espl_status onednn_desc_make(espl_context *ctx, onednn_desc *desc, bool bf16, int rank, const int64_t *dims,
                             dnnl_format_tag_t tag);
void onednn_desc_free(onednn_desc *desc);
size_t onednn_desc_bytes(const onednn_desc *desc);
bool onednn_desc_equal(const onednn_desc *a, const onednn_desc *b);

/* Which oneDNN runs, as espl__kernel.version wants it. */
uint64_t onednn_version(void);
/* Lets what follows use so many threads, where it is not within a worker; returns what to restore. */
int onednn_threads(int threads);

typedef struct onednn_convolution {
    espl__role role;
    const onednn_desc *source, *weights, *bias, *destination; /* bias may be NULL */
    dnnl_dims_t strides, dilates, before, after;              /* dilates: 0 is dense */
    bool add_to_destination;                                  /* forward: destination += */
    int activation;                                           /* forward: as in ops/conv2d.h */
    int threads;
} onednn_convolution;

/* Makes a direct convolution; ESPL_UNSUPPORTED if oneDNN has only its slow reference for it.
 * `forward` is the primitive of the forward role, which the backward ones need as a hint. */
espl_status onednn_convolution_make(espl_context *ctx, const onednn_room *room, const onednn_convolution *c,
                                    const onednn_primitive *forward, onednn_primitive *result);
espl_status onednn_reorder_make(espl_context *ctx, const onednn_room *room, const onednn_desc *from,
                                const onednn_desc *to, onednn_primitive *result);
void onednn_primitive_free(onednn_primitive *primitive);

/* The layout the primitive wants for an argument (DNNL_ARG_WEIGHTS, ...). */
espl_status onednn_wanted(espl_context *ctx, const onednn_primitive *primitive, int argument,
                          onednn_desc *result);

/* Memory objects for the arguments of one primitive, a set for each worker. */
#define ONEDNN_ARGUMENTS 6
typedef struct onednn_arguments {
    int workers, count;
    int name[ONEDNN_ARGUMENTS];
    dnnl_memory_t *memory; /* workers x ONEDNN_ARGUMENTS */
} onednn_arguments;
espl_status onednn_arguments_open(espl_context *ctx, const onednn_room *room, onednn_arguments *arguments);
/* Adds an argument of that layout; onednn_run's pointers follow the order of adding. */
espl_status onednn_argument_add(espl_context *ctx, const onednn_room *room, onednn_arguments *arguments,
                                int name, const onednn_desc *desc);
/* The scratchpad, as the last argument. */
espl_status onednn_argument_add_scratchpad(espl_context *ctx, const onednn_room *room,
                                           onednn_arguments *arguments, const onednn_primitive *primitive);
void onednn_arguments_close(espl_context *ctx, onednn_arguments *arguments);
void onednn_run(const onednn_room *room, const onednn_primitive *primitive,
                const onednn_arguments *arguments, int worker, void *const *pointers);

#endif
