/* WebP, by libwebp: lossy and lossless, always as three channels; transparency is dropped. */
#include "data/decode.h"

#ifdef ESPL__HAVE_WEBP
#include <string.h>
#include <webp/decode.h>

/* A picture of one colour takes a few bytes at any size, so there is no true bound. This much is
 * decoded from any file, more only from larger ones. */
#define PIXELS_OF_ANY_FILE ((int64_t)1 << 24)
#define MOST_PIXELS_OF_BYTE 4096

static espl_status failed(espl__reading *reading, VP8StatusCode code)
{
    static const char *const reasons[] = { "fine",
                                           "out of memory",
                                           "a parameter cannot be",
                                           "the bits make no sense",
                                           "a feature is unknown",
                                           "suspended",
                                           "aborted",
                                           "data is missing" };
    const bool known = code >= 0 && code < ESPL__COUNT(reasons);

    return espl__reading_fail(reading,
                              code == VP8_STATUS_OUT_OF_MEMORY ? ESPL_NO_MEMORY : ESPL_BAD_FILE,
                              "the WebP data is damaged or cut off (%s)",
                              known ? reasons[code] : "unknown reason");
}

/* In the extended form the size stands in a chunk of its own, which the library believes if the
 * picture itself is missing. Where does the picture begin? 0: nowhere. */
static size_t find_picture(const uint8_t *data, size_t bytes)
{
    size_t at = 12;

    while (at + 8 <= bytes) {
        const uint8_t *b = data + at;
        const size_t length = b[4] | (size_t)b[5] << 8 | (size_t)b[6] << 16 | (size_t)b[7] << 24;
        if (!memcmp(b, "VP8 ", 4) || !memcmp(b, "VP8L", 4))
            return at;
        if (length > bytes - at - 8)
            return 0;
        at += 8 + length + (length & 1);
    }
    return 0;
}

static espl_status check_size(const uint8_t *data, size_t bytes, const espl__decoded *picture,
                              espl__reading *reading)
{
    WebPBitstreamFeatures inner;
    const size_t at = find_picture(data, bytes);
    const VP8StatusCode code = at ? WebPGetFeatures(data + at, bytes - at, &inner)
                                  : VP8_STATUS_NOT_ENOUGH_DATA;

    if (code != VP8_STATUS_OK)
        return failed(reading, code);
    if (inner.width != picture->width || inner.height != picture->height)
        return failed(reading, VP8_STATUS_BITSTREAM_ERROR);
    if (picture->width * picture->height >
        PIXELS_OF_ANY_FILE + (int64_t)bytes * MOST_PIXELS_OF_BYTE)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "says it is %dx%d pixels, which %zu bytes hardly hold",
                                  inner.width, inner.height, bytes);
    return ESPL_OK;
}

espl_status espl__measure_webp(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading)
{
    WebPBitstreamFeatures features;
    const VP8StatusCode code = WebPGetFeatures(data, bytes, &features);

    if (code != VP8_STATUS_OK)
        return failed(reading, code);
    if (features.has_animation)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "is an animation; a single picture is expected");
    picture->channels = 3;
    picture->width = features.width;
    picture->height = features.height;
    return check_size(data, bytes, picture, reading);
}

espl_status espl__decode_webp(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading)
{
    WebPDecoderConfig config;
    espl_status status = espl__measure_webp(data, bytes, picture, reading);

    (void)channels, (void)shrink;
    if (status)
        return status;
    if (!WebPInitDecoderConfig(&config))
        return espl__reading_fail(reading, ESPL_UNSUPPORTED,
                                  "the WebP library has another version than its headers");
    const size_t row = (size_t)picture->width * 3, size = row * (size_t)picture->height;
    picture->pixels = espl__reading_room(reading, ESPL__READING_PIXELS, size);
    if (!picture->pixels)
        return ESPL_NO_MEMORY;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){ picture->pixels, (int)row, size };
    const VP8StatusCode code = WebPDecode(data, bytes, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? ESPL_OK : failed(reading, code);
}

#else

static espl_status left_out(espl__reading *reading)
{
    return espl__reading_fail(reading, ESPL_UNSUPPORTED,
                              "this build has no WebP decoder (libwebp was missing)");
}

espl_status espl__measure_webp(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading)
{
    (void)data, (void)bytes, (void)picture;
    return left_out(reading);
}

espl_status espl__decode_webp(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading)
{
    (void)data, (void)bytes, (void)channels, (void)shrink, (void)picture;
    return left_out(reading);
}

#endif
