/* Pictures kept as bytes; see kept_pixels.h. */
#include "data/kept_pixels.h"

enum { NOBODY, WRITING, THERE };

void espl__kept_pixels_make(espl_context *ctx, int64_t count, int64_t size, int64_t bytes, espl__kept_pixels *kept)
{
    *kept = (espl__kept_pixels){ .count = bytes / size < count ? bytes / size : count, .size = size };
    if (kept->count < 1 || espl__arena_open(ctx, (size_t)(kept->count * size), (void **)&kept->pixels) ||
        espl__allocate(ctx, (size_t)kept->count, sizeof *kept->written, &kept->written))
        espl__kept_pixels_free(ctx, kept);
}

void espl__kept_pixels_free(espl_context *ctx, espl__kept_pixels *kept)
{
    espl__arena_free(ctx, kept->pixels, (size_t)(kept->count * kept->size));
    espl__release(ctx, kept->written);
    *kept = (espl__kept_pixels){ 0 };
}

bool espl__kept_pixels_get(const espl__kept_pixels *kept, int64_t index, float *values)
{
    if (index >= kept->count || atomic_load_explicit(&kept->written[index], memory_order_acquire) != THERE)
        return false;
    const uint8_t *pixels = kept->pixels + index * kept->size;
    for (int64_t i = 0; i < kept->size; i++)
        values[i] = pixels[i];
    return true;
}

void espl__kept_pixels_put(const espl__kept_pixels *kept, int64_t index, const float *values)
{
    unsigned char nobody = NOBODY;

    if (index >= kept->count || !atomic_compare_exchange_strong(&kept->written[index], &nobody, WRITING))
        return;
    uint8_t *pixels = kept->pixels + index * kept->size;
    for (int64_t i = 0; i < kept->size; i++)
        pixels[i] = (uint8_t)(int)values[i];
    atomic_store_explicit(&kept->written[index], THERE, memory_order_release);
}
