/* ONNX models: the message, its graph and its tensors. */
#include "fuzz.h"

#include <espalier/net.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl_net *net = NULL;

    fuzz_status(ctx, espl_net_load(ctx, fuzz_file("net.onnx", data, bytes), &net));
    espl_net_free(net);
    espl_context_free(ctx);
    return 0;
}
