/* Memory bandwidth of one thread: a = b + k * c over arrays far larger than any cache, best of some rounds, as one line
 * of JSON. The two reads and one write of each element are counted; the read that a write causes is not. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUES ((int64_t)32 << 20) /* 128 MiB an array */
#define ROUNDS 10

int main(void)
{
    espl_context *ctx = NULL;
    float *arrays = NULL;
    double best = 0;

    if (espl_context_open(NULL, &ctx) || espl__arena_open(ctx, 3 * VALUES * sizeof(float), (void **)&arrays)) {
        fprintf(stderr, "bench_memory: %s\n", ctx ? espl_message(ctx) : "no memory");
        return 1;
    }
    float *restrict a = arrays, *restrict b = arrays + VALUES, *restrict c = arrays + 2 * VALUES;
    for (int round = 0; round < ROUNDS; round++) {
        const double began = espl__now();
        for (int64_t i = 0; i < VALUES; i++)
            a[i] = b[i] + 3.0f * c[i];
        const double took = espl__now() - began;
        best = best == 0 || took < best ? took : best;
        b[round] = a[round]; /* so that no round is left out */
    }
    printf("{\"bench\":\"memory\",\"gigabytes_per_second\":%.1f}\n", 3.0 * (double)VALUES * sizeof(float) / best / 1e9);
    espl__arena_free(ctx, arrays, 3 * VALUES * sizeof(float));
    espl_context_free(ctx);
    return 0;
}
