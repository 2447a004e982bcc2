/* Runs one kernel over a batch cut into shards, as the plan does: prepare, pack, sums, merge, run and
 * unpack, with buffers of just the size it asked for. Tests and benchmarks give values in logical order
 * (sample, channel, pixel) and get them back so; the rig brings them into the layout asked for. */
#ifndef ESPL_KERNEL_RIG_H
#define ESPL_KERNEL_RIG_H

#include "kernels/kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_SHARDS 16

typedef struct rig {
    espl_context *ctx;
    const espl__kernel *kernel;
    espl__node node;
    espl__case at;
    espl__needs needs;
    void *state, *packed, *shared, *workspace;
    void *sums[RIG_SHARDS], *saved[RIG_SHARDS];
    /* in the layout of `at`, `shards` times `samples` samples, filler included */
    float *input[2], *output, *grad_output, *grad_input[2];
    float *parameter[ESPL__NODE_PARAMETERS];      /* canonical; borrowed from the test */
    float *grad_parameter[ESPL__NODE_PARAMETERS]; /* in the kernel's layout */
    int64_t parameter_size[ESPL__NODE_PARAMETERS];
    int samples, shards, batch; /* batch: samples that count */
    void *forward_shared;
} rig;

static inline const espl__kernel *rig_find(const char *name)
{
    const espl__kernel *kernel;

    for (int i = 0; (kernel = espl__kernel_at(i)); i++)
        if (!strcmp(kernel->name, name))
            return kernel;
    return NULL;
}

static inline void *rig_memory(size_t bytes)
{
    /* garbage, so that a kernel that trusts in zeros is found */
    const size_t whole = (bytes + 64 + 63) / 64 * 64;
    void *memory = aligned_alloc(64, whole);

    if (!memory)
        abort();
    memset(memory, 0x7b, whole);
    return memory;
}

static inline void rig_into(float *to, const float *logical, espl__shape shape, int64_t block, int samples)
{
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape);

    for (int n = 0; n < samples; n++)
        for (int64_t c = 0; c < espl__shape_channels(shape); c++)
            for (int64_t p = 0; p < pixels; p++)
                to[n * size + espl__place(c, p, pixels, block)] = logical[n * size + c * pixels + p];
}

static inline void rig_from(float *logical, const float *from, espl__shape shape, int64_t block, int samples)
{
    const int64_t size = espl__shape_size(shape), pixels = espl__shape_pixels(shape);

    for (int n = 0; n < samples; n++)
        for (int64_t c = 0; c < espl__shape_channels(shape); c++)
            for (int64_t p = 0; p < pixels; p++)
                logical[n * size + c * pixels + p] = from[n * size + espl__place(c, p, pixels, block)];
}

/* `r->at` and `r->node`, parameters and batch are filled in. false: the kernel does not fit or refuses. */
static inline bool rig_open(rig *r, espl_context *ctx, const espl__kernel *kernel)
{
    r->ctx = ctx;
    r->kernel = kernel;
    r->node.shape = r->at.output;
    r->at.node = &r->node;
    r->at.role = kernel->role;
    r->at.samples = r->samples;
    r->shards = (r->batch + r->samples - 1) / r->samples;
    r->at.shards = r->shards;
    r->at.threads = r->at.workers = 1;
    if (!kernel->fits(&r->at))
        return false;
    if (kernel->prepare && kernel->prepare(ctx, &r->at, &r->needs, &r->state))
        return false;
    r->packed = rig_memory(r->needs.packed);
    r->shared = rig_memory(r->needs.shared);
    r->workspace = rig_memory(r->needs.workspace);
    for (int i = 0; i < r->shards; i++) {
        r->sums[i] = rig_memory(r->needs.sums);
        r->saved[i] = rig_memory(r->needs.saved);
    }
    const size_t all = (size_t)(r->shards * r->samples) * sizeof(float);
    for (int i = 0; i < r->at.input_count; i++) {
        r->input[i] = rig_memory(all * (size_t)espl__shape_size(r->at.input[i]));
        r->grad_input[i] = rig_memory(all * (size_t)espl__shape_size(r->at.input[i]));
    }
    r->output = rig_memory(all * (size_t)espl__shape_size(r->at.output));
    r->grad_output = rig_memory(all * (size_t)espl__shape_size(r->at.output));
    for (int i = 0; i < r->node.parameter_count; i++) {
        const size_t canonical = (size_t)r->parameter_size[i] * sizeof(float);
        r->grad_parameter[i] = rig_memory(r->needs.gradient[i] ? r->needs.gradient[i] : canonical);
    }
    return true;
}

static inline void rig_free(rig *r)
{
    if (r->kernel && r->kernel->release)
        r->kernel->release(r->ctx, r->state);
    free(r->packed);
    free(r->shared);
    free(r->workspace);
    for (int i = 0; i < r->shards; i++) {
        free(r->sums[i]);
        free(r->saved[i]);
    }
    for (int i = 0; i < 2; i++) {
        free(r->input[i]);
        free(r->grad_input[i]);
    }
    free(r->output);
    free(r->grad_output);
    for (int i = 0; i < r->node.parameter_count; i++)
        free(r->grad_parameter[i]);
}

/* Everything a call of this shard sees. `pointers` is the caller's room for the arrays of pointers. */
static inline espl__call rig_call(rig *r, int shard, float *pointers[4])
{
    const int left = r->batch - shard * r->samples;
    const int64_t in = r->samples * espl__shape_size(r->at.input[0]) * shard;
    const int64_t out = r->samples * espl__shape_size(r->at.output) * shard;

    pointers[0] = r->input[0] + in;
    pointers[1] = r->input[1] ? r->input[1] + r->samples * espl__shape_size(r->at.input[1]) * shard : NULL;
    pointers[2] = r->grad_input[0] + in;
    pointers[3] = NULL;
    return (espl__call){
        .node = &r->node, .at = &r->at, .state = r->state, .samples = r->samples, .valid = left < r->samples ? left : r->samples, .inputs = (const float *const *)pointers, .output = r->output + out, .grad_output = r->grad_output + out, .grad_inputs = pointers + 2, .parameters = r->parameter, .packed = r->packed, .grad_parameters = r->grad_parameter, .add = shard > 0, .workspace = r->workspace, .sums = r->sums[shard], .saved = r->saved[shard], .shared = r->shared, .forward_shared = r->forward_shared
    };
}

static inline void rig_run(rig *r)
{
    float *pointers[4];
    int valid[RIG_SHARDS];
    espl__call call = rig_call(r, 0, pointers);

    if (r->kernel->pack)
        r->kernel->pack(&call);
    for (int i = 0; i < r->shards; i++) {
        call = rig_call(r, i, pointers);
        valid[i] = call.valid;
        if (r->kernel->sums)
            r->kernel->sums(&call);
    }
    const espl__merge_call merge = { .node = &r->node, .at = &r->at, .state = r->state, .shards = r->shards, .valid = valid, .sums = r->sums, .shared = r->shared, .forward_shared = r->forward_shared, .parameters = r->parameter, .grad_parameters = r->grad_parameter };
    if (r->kernel->merge)
        r->kernel->merge(&merge);
    for (int i = 0; i < r->shards; i++) {
        call = rig_call(r, i, pointers);
        r->kernel->run(&call);
    }
}

#endif
