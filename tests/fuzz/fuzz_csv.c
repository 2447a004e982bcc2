/* Tables as text, with the label in the last column, in the first, and by name. */
#include "fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const labels[] = { NULL, "1", "class" };
    espl_context *ctx = fuzz_context();
    const char *path = fuzz_file("table.csv", data, bytes);

    for (int i = 0; i < ESPL__COUNT(labels); i++)
        fuzz_open(ctx, path, &(espl_data_settings){ .label = labels[i] });
    espl_context_free(ctx);
    return 0;
}
