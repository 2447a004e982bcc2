/* IDX files: pictures and labels in one input (see fuzz_halves). */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const size_t first = fuzz_halves(data, bytes);

    if (bytes < 2)
        return 0;
    espl_context *ctx = fuzz_context();
    fuzz_file("train-labels-idx1-ubyte", data + 2 + first, bytes - 2 - first);
    const char *path = fuzz_file("train-images-idx3-ubyte", data + 2, first);
    fuzz_open(ctx, path, &(espl_data_settings){ .source = "idx" });
    fuzz_open(ctx, path,
              &(espl_data_settings){ .source = "idx", .height = 5, .width = 4, .channels = 3 });
    espl_context_free(ctx);
    return 0;
}
