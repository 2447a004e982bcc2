/* IDX files: pictures and labels in one input (see fuzz_halves), by the file's name, and as a folder with
 * names of classes, for which the end is taken again. */
#include "fuzz_data.h"

#include <string.h>

static void open_folder(espl_context *ctx, const uint8_t *data, size_t first, size_t bytes)
{
    char folder[512];

    fuzz_file("named/classes.txt", data + first, bytes - first);
    fuzz_file("named/t10k-labels-idx1-ubyte.gz", data + first, bytes - first);
    strcpy(folder, fuzz_file("named/t10k-images-idx3-ubyte.gz", data, first));
    *strrchr(folder, '/') = '\0';
    fuzz_open(ctx, folder, NULL);
}

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
    open_folder(ctx, data + 2, first, bytes - 2);
    espl_context_free(ctx);
    return 0;
}
