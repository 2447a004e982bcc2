/* Whole net files: container, graph, notes and tensors. What loads can be saved and loads again alike. */
#include "fuzz_header.h"

#include <espalier/net.h>
#include <stdio.h>
#include <stdlib.h>

static void load_again(espl_context *ctx, espl_net *net)
{
    char path[512];
    const uint64_t hash = espl_net_hash(net);
    espl_net *again = NULL;

    snprintf(path, sizeof path, "%s", fuzz_file("again.safetensors", "", 0));
    if (espl_net_save(net, path) || espl_net_load(ctx, path, &again) || espl_net_hash(again) != hash ||
        espl_net_load_parameters(net, path))
        abort();
    espl_net_free(again);
}

/* A net whose layers other programs call otherwise. */
static const char foreign[] =
    "settings: {classes: 2, top: yes}\n"
    "input: {channels: 2, height: 1, width: 3}\n"
    "layers:\n"
    "  - {conv2d: {channels: 3, kernel: [1, 2], bias: no}, name: stem}\n"
    "  - {batch_norm: 1e-3, name: norm}\n"
    "  - {conv2d: {channels: 3, kernel: 1, groups: 0, bias: no}, name: depthwise_1}\n"
    "  - flatten\n"
    "  - {dense: classes, name: fc, when: top}\n"
    "files:\n"
    "  - from: somewhere\n"
    "    prepare: {rule: unit, mean: 0.5}\n"
    "    headless: {top: no}\n"
    "    layers: {stem: body/conv1, norm: 'body/bn', 'depthwise_{n}': 'dw{n - 1}', fc: head}\n";

static void load_parameters(espl_context *ctx, const char *net, const char *settings, const char *path)
{
    espl_net *other = NULL;

    if (espl_net_open(ctx, net, settings, &other))
        abort();
    fuzz_status(ctx, espl_net_load_parameters(other, path));
    espl_net_free(other);
}

static void load(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    char path[512], description[512];
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s", fuzz_file("net.safetensors", data, bytes));
    snprintf(description, sizeof description, "%s", fuzz_file("foreign.yaml", foreign, sizeof foreign - 1));
    fuzz_status(ctx, espl_net_load(ctx, path, &net));
    if (net)
        load_again(ctx, net);
    load_parameters(ctx, "lenet-300-100", "input: [1, 2, 2], classes: 2", path);
    load_parameters(ctx, description, NULL, path);
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
