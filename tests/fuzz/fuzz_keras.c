/* Keras's models on the main program's side: descriptions alone, what espalier-read-h5 would write for a file,
 * and archives that hold the latter. The program itself is left out, since it is slow to start and may die of
 * what it reads; fuzz_keras_file is with it. */
#include "formats/keras.h"
#include "formats/keras_h5.h"
#include "fuzz_header.h"

#include <espalier/net.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Instead of the library's: the file is what the program would write. */
espl_status espl__keras_h5_open(espl_context *ctx, int descriptor, const char *path, espl__safetensors **result)
{
    return espl__safetensors_open_at(ctx, dup(descriptor), path, result);
}

static void describe(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    espl__keras keras = { .ctx = ctx };
    json_t *config = json_loadb((const char *)data, bytes, 0, NULL);

    if (config)
        fuzz_status(ctx, espl__keras_read(&keras, config));
    espl__keras_free(&keras);
    json_decref(config);
}

/* A net of the weights' own names: "conv" and "norm" and "fc". */
static const char row[] = "settings: {classes: 4}\n"
                          "input: {channels: 2, height: 7, width: 6}\n"
                          "layers:\n"
                          "  - {conv2d: {channels: 3, kernel: [3, 2]}, name: conv}\n"
                          "  - relu\n"
                          "  - {batch_norm: 1e-3, name: norm}\n"
                          "  - {max_pool: {kernel: 2, stride: 1}}\n"
                          "  - flatten\n"
                          "  - {dense: classes, name: fc}\n";

static void load_as(espl_context *ctx, const char *name, const uint8_t *data, size_t bytes)
{
    char path[512], description[512];
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s", fuzz_file(name, data, bytes));
    snprintf(description, sizeof description, "%s", fuzz_file("row.yaml", row, sizeof row - 1));
    fuzz_status(ctx, espl_net_load(ctx, path, &net));
    espl_net_free(net);
    net = NULL;
    fuzz_status(ctx, espl_net_open_with(ctx, description, NULL, path, &net));
    espl_net_free(net);
}

static void load(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    load_as(ctx, "net.h5", data, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    if (bytes > 1 && data[0] == 'P' && data[1] == 'K') {
        load_as(ctx, "net.keras", data, bytes);
    } else if (bytes && (data[0] == '{' || data[0] == '[')) {
        describe(ctx, data, bytes);
    } else {
        load(ctx, data, bytes);
        fuzz_with_header_length(ctx, data, bytes, load);
    }
    espl_context_free(ctx);
    return 0;
}
