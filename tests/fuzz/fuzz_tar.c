/* Archives of pictures: the tar reader, the search for classes, and the pictures in them. */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    const char *path = fuzz_file("photos.tar", data, bytes);

    fuzz_open(ctx, path, &(espl_data_settings){ .height = 6, .width = 5, .channels = 3 });
    fuzz_open(ctx, path, NULL);
    espl_context_free(ctx);
    return 0;
}
