/* JPEG, by libjpeg-turbo's TurboJPEG API, which reports errors by return codes. */
#include "data/decode.h"

#include <string.h>

#ifdef ESPL__HAVE_TURBOJPEG
#include <turbojpeg.h>

/* Even a picture of one colour takes a bit for each block of 8x8 pixels; what claims more is lying.
 */
#define MOST_PIXELS_OF_BYTE 600

static espl_status failed(espl__reading *reading, tjhandle handle)
{
    return espl__reading_fail(reading, ESPL_BAD_FILE, "the JPEG data is damaged or cut off (%s)",
                              tjGetErrorStr2(handle));
}

/* libjpeg warns and goes on with grey where data is missing; that would be trained on. What is
 * harmless: bytes between the parts, in a file that has its end. */
static bool harmless(tjhandle handle, const uint8_t *data, size_t bytes)
{
    const char *warning = tjGetErrorStr2(handle);

    while (bytes > 4 && data[bytes - 1] == 0)
        bytes--;
    return tjGetErrorCode(handle) == TJERR_WARNING && strstr(warning, "extraneous bytes") &&
           bytes >= 4 && data[bytes - 2] == 0xff && data[bytes - 1] == 0xd9;
}

static tjhandle handle_of(espl__reading *reading)
{
    if (!reading->jpeg) {
        reading->jpeg = tjInitDecompress();
        if (!reading->jpeg)
            espl__reading_fail(reading, ESPL_NO_MEMORY, "not enough memory for the JPEG decoder");
    }
    return reading->jpeg;
}

static espl_status read_header(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               int *colours, espl__reading *reading)
{
    const tjhandle handle = handle_of(reading);
    int width = 0, height = 0, sampling = 0;

    if (!handle)
        return ESPL_NO_MEMORY;
    if (tjDecompressHeader3(handle, data, bytes, &width, &height, &sampling, colours) ||
        width < 1 || height < 1)
        return failed(reading, handle);
    picture->width = width;
    picture->height = height;
    picture->channels = *colours == TJCS_GRAY ? 1 : 3;
    if (picture->width * picture->height > (int64_t)bytes * MOST_PIXELS_OF_BYTE)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "says it is %dx%d pixels, which %zu bytes cannot hold", width,
                                  height, bytes);
    return ESPL_OK;
}

espl_status espl__measure_jpeg(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading)
{
    int colours = 0;

    return read_header(data, bytes, picture, &colours, reading);
}

/* Ink to light, in place: R = (1 - C)(1 - K). JPEGs of printers hold the complements (Adobe's
 * custom), and the rounding is Pillow's. */
static void light_of_ink(uint8_t *pixels, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *ink = pixels + 4 * i;
        const unsigned key = ink[3];
        uint8_t light[3];
        for (int c = 0; c < 3; c++) {
            const unsigned taken = (255u - ink[c]) * key + 128;
            light[c] = (uint8_t)(key - (((taken >> 8) + taken) >> 8));
        }
        memcpy(pixels + 3 * i, light, 3);
    }
}

static int64_t shrunk(int64_t side, int64_t shrink)
{
    return (side + shrink - 1) / shrink;
}

espl_status espl__decode_jpeg(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading)
{
    int colours = 0;
    espl_status status = read_header(data, bytes, picture, &colours, reading);

    if (status)
        return status;
    const bool ink = colours == TJCS_CMYK || colours == TJCS_YCCK;
    const int format = ink ? TJPF_CMYK : channels == 1 ? TJPF_GRAY
                                                       : TJPF_RGB;
    const int64_t stored = ink ? 4 : channels == 1 ? 1
                                                   : 3;
    picture->width = shrunk(picture->width, shrink);
    picture->height = shrunk(picture->height, shrink);
    picture->channels = ink ? 3 : stored;
    picture->pixels = espl__reading_room(reading, ESPL__READING_PIXELS,
                                         (size_t)(picture->width * picture->height * stored) + 1);
    if (!picture->pixels)
        return ESPL_NO_MEMORY;
    picture->pixels++; /* rows that lie on 32 bytes would be written past the caches, and are read next */
    /* a file with thousands of scans would take minutes */
    if (tjDecompress2(reading->jpeg, data, bytes, picture->pixels, (int)picture->width, 0,
                      (int)picture->height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) &&
        !harmless(reading->jpeg, data, bytes))
        return failed(reading, reading->jpeg);
    if (ink)
        light_of_ink(picture->pixels, picture->width * picture->height);
    return ESPL_OK;
}

void espl__decode_jpeg_end(void **kept)
{
    if (*kept)
        tjDestroy(*kept);
    *kept = NULL;
}

#else

static espl_status left_out(espl__reading *reading)
{
    return espl__reading_fail(reading, ESPL_UNSUPPORTED,
                              "this build has no JPEG decoder (libturbojpeg was missing)");
}

espl_status espl__measure_jpeg(const uint8_t *data, size_t bytes, espl__decoded *picture,
                               espl__reading *reading)
{
    (void)data, (void)bytes, (void)picture;
    return left_out(reading);
}

espl_status espl__decode_jpeg(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                              espl__decoded *picture, espl__reading *reading)
{
    (void)data, (void)bytes, (void)channels, (void)shrink, (void)picture;
    return left_out(reading);
}

void espl__decode_jpeg_end(void **kept)
{
    (void)kept;
}

#endif
