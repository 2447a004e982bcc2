/* CIFAR records: of CIFAR-10 and of CIFAR-100, by the file's name, and folders: one with both parts, one
 * with names of classes, for which the beginning is taken again. */
#include "fuzz_data.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();

    fuzz_open(ctx, fuzz_file("data_batch_1.bin", data, bytes),
              &(espl_data_settings){ .source = "cifar" });
    fuzz_open(ctx, fuzz_file("train.bin", data, bytes), &(espl_data_settings){ .source = "cifar" });
    char folder[512];
    strcpy(folder, fuzz_file("test_batch.bin", data, bytes));
    *strrchr(folder, '/') = '\0';
    fuzz_open(ctx, folder, NULL);
    fuzz_file("named/data_batch_1.bin", data, bytes);
    strcpy(folder, fuzz_file("named/batches.meta.txt", data, bytes < 200 ? bytes : 200));
    *strrchr(folder, '/') = '\0';
    fuzz_open(ctx, folder, &(espl_data_settings){ .height = 4, .width = 4, .channels = 1 });
    espl_context_free(ctx);
    return 0;
}
