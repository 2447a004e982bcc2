/* NumPy's arrays: samples and labels in one input (see fuzz_halves), by the file's name and as a folder;
 * without the first it is a .npz. */
#include "fuzz_data.h"

#include <string.h>

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
    fuzz_open(ctx, path, &(espl_data_settings){ .height = 3, .width = 2, .channels = 3, .resize = "stretch" });
    fuzz_open(ctx, path, &(espl_data_settings){ .height = 2, .width = 3, .channels = 1, .resize = "keras" });
    if (first) {
        char folder[512];
        strcpy(folder, path);
        *strrchr(folder, '/') = '\0';
        fuzz_open(ctx, folder, NULL);
    }
    espl_context_free(ctx);
    return 0;
}
