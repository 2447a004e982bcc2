/* Keras's .h5 and .keras files with the program that reads HDF5, which may die of them; this one may not.
 * label: slow */
#include "fuzz.h"

#include <espalier/net.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    const bool archive = bytes > 1 && data[0] == 'P' && data[1] == 'K';
    espl_net *net = NULL;

    fuzz_status(ctx, espl_net_load(ctx, fuzz_file(archive ? "net.keras" : "net.h5", data, bytes), &net));
    espl_net_free(net);
    espl_context_free(ctx);
    return 0;
}
