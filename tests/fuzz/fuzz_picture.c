/* Pictures: the decoders, the orientation and the resize by every rule. */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const rules[] = { "crop", "stretch", "keras" };
    float planes[3 * 8 * 9];
    espl_context *ctx = fuzz_context();
    const char *path = fuzz_file("picture", data, bytes);

    for (int i = 0; i < 3; i++)
        fuzz_status(ctx, espl__picture_read(ctx, path, rules[i], i ? 3 : 1, 9, 8, planes));
    espl_context_free(ctx);
    return 0;
}
