/* Keras's .h5 and .keras files with the program that reads HDF5, which may die of them; this one may not.
 * label: slow */
#include "formats/tensors.h"
#include "fuzz.h"

#include <espalier/net.h>

/* As weights alone, for a net that is named beside them. */
static void open_tensors(espl_context *ctx, const char *path)
{
    espl__tensors tensors = { 0 };

    fuzz_status(ctx, espl__tensors_open(ctx, path, &tensors));
    espl__tensors_close(&tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    const bool archive = bytes > 1 && data[0] == 'P' && data[1] == 'K';
    const char *path = fuzz_file(archive ? "net.keras" : "net.h5", data, bytes);
    espl_net *net = NULL;

    fuzz_status(ctx, espl_net_load(ctx, path, &net));
    espl_net_free(net);
    open_tensors(ctx, path);
    espl_context_free(ctx);
    return 0;
}
