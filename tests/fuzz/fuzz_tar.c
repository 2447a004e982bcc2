/* Archives of pictures: the tar reader, the search for classes, and the pictures in them. The same bytes
 * are also read as two pictures in folders, one for each class. */
#include "fuzz_data.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 512
#define SUM 148 /* where a header keeps the sum of its bytes */

/* Nearly every mutation breaks the sum of a header: all of them are made right. */
static void repair(uint8_t *data, size_t bytes)
{
    for (size_t at = 0; at + BLOCK <= bytes; at += BLOCK) {
        uint8_t *block = data + at;
        unsigned sum = 8 * ' ';
        if (memcmp(block + 257, "ustar", 5) != 0)
            continue;
        for (int i = 0; i < BLOCK; i++)
            sum += i < SUM || i >= SUM + 8 ? block[i] : 0;
        snprintf((char *)block + SUM, 8, "%06o", sum);
    }
}

static void open_archive(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_file("photos.tar", data, bytes);

    fuzz_open(ctx, path, &(espl_data_settings){ .height = 6, .width = 5, .channels = 3 });
    fuzz_open(ctx, path, NULL);
}

static void open_folders(espl_context *ctx, const uint8_t *data, size_t bytes)
{
    char path[512];

    fuzz_file("photos/b/c/2.png", data, bytes);
    strcpy(path, fuzz_file("photos/a/1.jpg", data, bytes));
    *(strstr(path, "/photos") + strlen("/photos")) = 0;
    fuzz_open(ctx, path, &(espl_data_settings){ .height = 6, .width = 5 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    uint8_t *copy = malloc(bytes + 1);

    open_archive(ctx, data, bytes);
    open_folders(ctx, data, bytes);
    if (copy && bytes) {
        memcpy(copy, data, bytes);
        repair(copy, bytes);
        if (memcmp(copy, data, bytes) != 0)
            open_archive(ctx, copy, bytes);
    }
    free(copy);
    espl_context_free(ctx);
    return 0;
}
