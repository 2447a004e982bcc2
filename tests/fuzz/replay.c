/* Calls a fuzz target without libFuzzer: with every seed as it is, cut short at many lengths, and with
 * single bytes damaged. Deterministic; any crash, sanitizer finding or hang fails the test. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS = 200,
       DAMAGES = 300,
       SEED_MAX = 1 << 20 };

/* Exactly `bytes` on the heap, so that the address sanitizer sees the first byte read behind them. */
static void call(const uint8_t *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);

    if (!copy)
        abort();
    memcpy(copy, data, bytes);
    LLVMFuzzerTestOneInput(copy, bytes);
    free(copy);
}

static void cut_short(const uint8_t *data, size_t bytes)
{
    const size_t cuts = bytes < CUTS ? bytes : CUTS;

    for (size_t i = 0; i < cuts; i++)
        call(data, bytes * i / cuts);
}

static void damage(uint8_t *data, size_t bytes)
{
    static const uint8_t hard[] = { 0x00, 0xff, 0x7f, 0x80, 0x01, '"', '{', '\n' };
    uint32_t state = 1; /* a congruential sequence: the same damage on every machine */

    for (int i = 0; i < DAMAGES && bytes; i++) {
        state = state * 1664525u + 1013904223u;
        /* Headers lie in front: every other damage falls into the first 64 bytes. */
        const size_t within = i % 2 && bytes > 64 ? 64 : bytes;
        const size_t at = (state >> 8) % within;
        const uint8_t kept = data[at];
        data[at] = i % 3 ? hard[(state >> 4) % sizeof hard] : (uint8_t)(kept ^ (1u << (state >> 29)));
        call(data, bytes);
        data[at] = kept;
    }
}

static int replay(const char *path)
{
    static uint8_t data[SEED_MAX];
    FILE *file = fopen(path, "rb");

    if (!file) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return 1;
    }
    const size_t bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    call(data, bytes);
    cut_short(data, bytes);
    damage(data, bytes);
    return 0;
}

int main(int count, char **word)
{
    struct dirent **entry = NULL;
    int failed = 0, seeds = 0;

    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER_OF_SEEDS\n", word[0]);
        return 2;
    }
    const int entries = scandir(word[1], &entry, NULL, alphasort);
    for (int i = 0; i < entries; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", word[1], entry[i]->d_name);
        if (entry[i]->d_name[0] != '.') {
            failed |= replay(path);
            seeds++;
        }
        free(entry[i]);
    }
    free(entry);
    call((const uint8_t *)"", 0);
    printf("%d seeds\n", seeds);
    return failed || seeds == 0;
}
