/* Files of torch.save: the pickle, the storages, and every tensor. */
#include "formats/tensors.h"
#include "fuzz.h"

#include <stdlib.h>

static void read_tensor(espl_context *ctx, espl__tensors *tensors, int index)
{
    const espl__stored *stored = tensors->reader->at(tensors, index);
    float *values = NULL;

    if (espl__allocate(ctx, (size_t)stored->count, sizeof *values, &values))
        return;
    fuzz_status(ctx, tensors->reader->read(tensors, index, values));
    espl__release(ctx, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__tensors tensors;

    fuzz_status(ctx, espl__tensors_open(ctx, fuzz_file("net.pth", data, bytes), &tensors));
    for (int i = 0; i < tensors.count && i < 100; i++)
        read_tensor(ctx, &tensors, i);
    espl__tensors_close(&tensors);
    espl_context_free(ctx);
    return 0;
}
