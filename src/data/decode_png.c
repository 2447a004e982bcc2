/* PNG, by libspng. Every kind comes as 8 bits, grey or colour; transparency is dropped, as Pillow's
 * convert("RGB") does. */
#include "data/decode.h"

#include <string.h>

#ifdef ESPL__HAVE_SPNG
#include <spng.h>

#define MOST_SIDE 1000000u
#define MOST_CHUNK ((size_t)64 << 20)
#define MOST_EXPANSION 1040 /* deflate makes at most 1032 bytes of one */

static espl_status failed(espl__reading *reading, int code)
{
    return espl__reading_fail(reading, code == SPNG_EMEM ? ESPL_NO_MEMORY : ESPL_BAD_FILE,
                              "the PNG data is damaged or cut off (%s)", spng_strerror(code));
}

/* Opens the data and reads its header; the caller frees the context in any case. */
static espl_status begin(const uint8_t *data, size_t bytes, spng_ctx **png,
                         struct spng_ihdr *header, espl__decoded *picture, espl__reading *reading)
{
    int code;

    *png = spng_ctx_new(0);
    if (!*png)
        return espl__reading_fail(reading, ESPL_NO_MEMORY, "not enough memory for the PNG decoder");
    code = spng_set_image_limits(*png, MOST_SIDE, MOST_SIDE);
    if (!code)
        code = spng_set_chunk_limits(*png, MOST_CHUNK, MOST_CHUNK);
    if (!code)
        code = spng_set_png_buffer(*png, data, bytes);
    if (!code)
        code = spng_get_ihdr(*png, header);
    if (code)
        return failed(reading, code);
    picture->width = header->width;
    picture->height = header->height;
    picture->channels = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
                                header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA
                            ? 1
                            : 3;
    if (picture->width * picture->height / 8 >
        (int64_t)bytes * MOST_EXPANSION) /* one bit a pixel at least */
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "says it is %lldx%lld pixels, which %zu bytes cannot hold",
                                  (long long)picture->width, (long long)picture->height, bytes);
    return ESPL_OK;
}

espl_status espl__measure_png(const uint8_t *data, size_t bytes, espl__decoded *picture,
                              espl__reading *reading)
{
    spng_ctx *png = NULL;
    struct spng_ihdr header = { 0 };
    const espl_status status = begin(data, bytes, &png, &header, picture, reading);

    spng_ctx_free(png);
    return status;
}

espl_status espl__decode_png(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                             espl__decoded *picture, espl__reading *reading)
{
    spng_ctx *png = NULL;
    struct spng_ihdr header = { 0 };
    size_t size = 0;
    espl_status status = begin(data, bytes, &png, &header, picture, reading);

    (void)channels, (void)shrink;
    if (!status) {
        /* the library gives one grey channel for plain grey of up to 8 bits only */
        const bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8;
        const int format = grey ? SPNG_FMT_G8 : SPNG_FMT_RGB8;
        int code = spng_decoded_image_size(png, format, &size);
        picture->channels = grey ? 1 : 3;
        if (!code && size != (size_t)(picture->width * picture->height * picture->channels))
            code = SPNG_EINTERNAL;
        if (code)
            status = failed(reading, code);
        else if (!(picture->pixels = espl__reading_room(reading, ESPL__READING_PIXELS, size)))
            status = ESPL_NO_MEMORY;
        else if ((code = spng_decode_image(png, picture->pixels, size, format, 0)) ||
                 (code = spng_decode_chunks(png)))
            status = failed(reading, code);
    }
    spng_ctx_free(png);
    return status;
}

#else

static espl_status left_out(espl__reading *reading)
{
    return espl__reading_fail(reading, ESPL_UNSUPPORTED,
                              "this build has no PNG decoder (libspng was missing)");
}

espl_status espl__measure_png(const uint8_t *data, size_t bytes, espl__decoded *picture,
                              espl__reading *reading)
{
    (void)data, (void)bytes, (void)picture;
    return left_out(reading);
}

espl_status espl__decode_png(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                             espl__decoded *picture, espl__reading *reading)
{
    (void)data, (void)bytes, (void)channels, (void)shrink, (void)picture;
    return left_out(reading);
}

#endif
