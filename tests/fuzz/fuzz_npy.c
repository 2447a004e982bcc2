/* NumPy's arrays: samples and labels in one input (see fuzz_halves); without the first it is a
 * .npz. */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const size_t first = fuzz_halves(data, bytes);

    if (bytes < 2)
        return 0;
    espl_context *ctx = fuzz_context();
    fuzz_file("y.npy", data + 2 + first, bytes - 2 - first);
    const char *path = first ? fuzz_file("X.npy", data + 2, first)
                             : fuzz_file("a.npz", data + 2, bytes - 2);
    fuzz_open(ctx, path, NULL);
    espl_context_free(ctx);
    return 0;
}
