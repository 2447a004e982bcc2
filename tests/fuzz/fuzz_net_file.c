/* Whole net files: container, graph, notes and tensors. What loads can be saved and loads again alike. */
#include "fuzz_header.h"

#include <espalier/net.h>
#include <stdlib.h>

static void load_again(espl_context *ctx, espl_net *net)
{
    const char *path = fuzz_file("again.safetensors", "", 0);
    const uint64_t hash = espl_net_hash(net);
    espl_net *again = NULL;

    if (espl_net_save(net, path) || espl_net_load(ctx, path, &again) || espl_net_hash(again) != hash ||
        espl_net_load_parameters(net, path))
        abort();
    espl_net_free(again);
}

static void load(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_file("net.safetensors", data, bytes);
    espl_net *net = NULL, *other = NULL;

    fuzz_status(ctx, espl_net_load(ctx, path, &net));
    if (net)
        load_again(ctx, net);
    if (!espl_net_open(ctx, "lenet-300-100", "input: [1, 2, 2], classes: 2", &other))
        fuzz_status(ctx, espl_net_load_parameters(other, path));
    espl_net_free(other);
    espl_net_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    load(ctx, data, bytes);
    fuzz_with_header_length(ctx, data, bytes, load);
    espl_context_free(ctx);
    return 0;
}
