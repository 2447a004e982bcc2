/* Net files and checkpoints: the container, every tensor and every conversion to float. */
#include "formats/safetensors.h"
#include "fuzz_header.h"

#include <stdlib.h>

static void read_tensor(espl_context *ctx, espl__safetensors *file, const espl__stored *tensor)
{
    float *values = malloc((size_t)tensor->count * sizeof *values + 1);

    if (!values)
        return;
    fuzz_status(ctx, espl__safetensors_read(file, tensor, values));
    if (espl__safetensors_find(file, tensor->name) == NULL)
        abort();
    free(values);
}

static void read_file(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    espl__safetensors *file = NULL;

    fuzz_status(ctx, espl__safetensors_open(ctx, fuzz_file("net.safetensors", data, bytes), &file));
    for (int i = 0; file && i < espl__safetensors_count(file); i++)
        read_tensor(ctx, file, espl__safetensors_at(file, i));
    espl__safetensors_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    read_file(ctx, data, bytes);
    fuzz_with_header_length(ctx, data, bytes, read_file);
    espl_context_free(ctx);
    return 0;
}
