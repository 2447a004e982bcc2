/* Keras's descriptions of models. */
#include "formats/keras.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__keras keras = { .ctx = ctx };
    json_t *config = json_loadb((const char *)data, bytes, 0, NULL);

    if (config)
        fuzz_status(ctx, espl__keras_read(&keras, config));
    espl__keras_free(&keras);
    json_decref(config);
    espl_context_free(ctx);
    return 0;
}
