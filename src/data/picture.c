/* One picture: recognised by its first bytes, decoded, turned upright, fitted. */
#include "data/picture.h"
#include "data/decode.h"
#include "data/exif.h"

#include <stdio.h>
#include <string.h>

/* A JPEG decoded at a fraction keeps at least one and a half times the target, so that the filter decides. */
#define GAP_TIMES 3
#define GAP_OVER 2

typedef struct format {
    const char *name;
    bool (*is)(const uint8_t *data, size_t bytes);
    espl_status (*measure)(const uint8_t *data, size_t bytes, espl__decoded *picture,
                           espl__reading *reading);
    espl_status (*decode)(const uint8_t *data, size_t bytes, int64_t channels, int64_t shrink,
                          espl__decoded *picture, espl__reading *reading);
    int (*orientation)(const uint8_t *data, size_t bytes);
    bool shrinks;
} format;

static bool is_jpeg(const uint8_t *data, size_t bytes)
{
    return bytes >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

static bool is_png(const uint8_t *data, size_t bytes)
{
    return bytes >= 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8);
}

static bool is_webp(const uint8_t *data, size_t bytes)
{
    return bytes >= 12 && !memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WEBP", 4);
}

static const format formats[] = {
    { "JPEG", is_jpeg, espl__measure_jpeg, espl__decode_jpeg, espl__exif_of_jpeg, true },
    { "PNG", is_png, espl__measure_png, espl__decode_png, espl__exif_of_png, false },
    { "WebP", is_webp, espl__measure_webp, espl__decode_webp, espl__exif_of_webp, false },
};

static const format *format_of(const uint8_t *data, size_t bytes)
{
    for (int i = 0; i < ESPL__COUNT(formats); i++)
        if (formats[i].is(data, bytes))
            return &formats[i];
    return NULL;
}

bool espl__picture_magic(const uint8_t *data, size_t bytes)
{
    return format_of(data, bytes) != NULL;
}

const char *espl__picture_format(const uint8_t *data, size_t bytes)
{
    const format *found = format_of(data, bytes);

    return found ? found->name : NULL;
}

int espl__picture_orientation(const uint8_t *data, size_t bytes)
{
    const format *found = format_of(data, bytes);

    return found ? found->orientation(data, bytes) : 1;
}

static espl_status unknown(const char *name, const uint8_t *data, size_t bytes,
                           espl__reading *reading)
{
    bool text = bytes > 0;
    char begin[64] = "";

    for (size_t i = 0; i < bytes && i < ESPL__MAGIC_BYTES; i++) {
        text &= (data[i] >= 32 && data[i] < 127) || data[i] == '\n' || data[i] == '\r' ||
                data[i] == '\t';
        snprintf(begin + 3 * i, sizeof begin - 3 * i, "%02x ", data[i]);
    }
    if (!bytes)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "%.300s: is empty; a JPEG, PNG or WebP picture is expected",
                                  name);
    return espl__reading_fail(
        reading, ESPL_BAD_FILE,
        "%.300s: holds no JPEG, PNG or WebP picture, whatever its name says; it %s (%s...)", name,
        text ? "is text" : "begins with other bytes", begin);
}

/* Format, orientation and upright size. */
static espl_status inspect(const char *name, const uint8_t *data, size_t bytes,
                           const format **found, int *orientation, espl__decoded *picture,
                           espl__reading *reading)
{
    *found = format_of(data, bytes);
    if (!*found)
        return unknown(name, data, bytes, reading);
    const espl_status status = (*found)->measure(data, bytes, picture, reading);
    if (status)
        return espl__reading_fail_within(reading, status, name);
    if (picture->height * picture->width > ESPL__LARGEST_PICTURE)
        return espl__reading_fail(reading, ESPL_BAD_FILE,
                                  "%.300s: has %lldx%lld pixels; at most %lld million are read",
                                  name, (long long)picture->width, (long long)picture->height,
                                  (long long)(ESPL__LARGEST_PICTURE >> 20));
    *orientation = (*found)->orientation(data, bytes);
    return ESPL_OK;
}

espl_status espl__picture_measure(const char *name, const uint8_t *data, size_t bytes,
                                  int64_t shape[3], espl__reading *reading)
{
    espl__decoded picture = { 0 };
    const format *found = NULL;
    int orientation = 1;
    const espl_status status = inspect(name, data, bytes, &found, &orientation, &picture, reading);

    shape[0] = picture.channels;
    shape[1] = orientation < 5 ? picture.height : picture.width;
    shape[2] = orientation < 5 ? picture.width : picture.height;
    return status;
}

/* The largest of 1, 2, 4, 8 that leaves the gap. */
static int64_t shrink_for(const espl__fitting *fitting, int64_t height, int64_t width)
{
    int64_t shrink = 1, whole_height, whole_width;

    if (fitting->rule ==
        ESPL__FIT_KERAS) /* it looks at single pixels, which must be the true ones */
        return 1;
    espl__fitting_whole(fitting, height, width, &whole_height, &whole_width);
    while (shrink < 8 && height / (shrink * 2) * GAP_OVER >= GAP_TIMES * whole_height &&
           width / (shrink * 2) * GAP_OVER >= GAP_TIMES * whole_width)
        shrink *= 2;
    return shrink;
}

static espl_status turn(espl__decoded *picture, int orientation, espl__reading *reading)
{
    uint8_t *upright = espl__reading_room(reading, ESPL__READING_UPRIGHT,
                                          (size_t)(picture->height * picture->width *
                                                   picture->channels));

    if (!upright)
        return ESPL_NO_MEMORY;
    espl__exif_turn(orientation, picture->pixels, picture->channels, picture->height,
                    picture->width, upright);
    picture->pixels = upright;
    if (orientation >= 5) {
        const int64_t height = picture->height;
        picture->height = picture->width;
        picture->width = height;
    }
    return ESPL_OK;
}

espl_status espl__picture_decode(const char *name, const uint8_t *data, size_t bytes,
                                 const espl__fitting *fitting, float *values,
                                 espl__reading *reading)
{
    espl__decoded picture = { 0 };
    const format *found = NULL;
    int orientation = 1;
    espl_status status = inspect(name, data, bytes, &found, &orientation, &picture, reading);

    if (status)
        return status;
    const bool turned = orientation >= 5;
    const int64_t shrink = !found->shrinks ? 1
                           : turned        ? shrink_for(fitting, picture.width, picture.height)
                                           : shrink_for(fitting, picture.height, picture.width);
    status = found->decode(data, bytes, fitting->channels, shrink, &picture, reading);
    if (!status && orientation > 1)
        status = turn(&picture, orientation, reading);
    if (!status)
        status = espl__fitting_pixels(fitting, picture.pixels, picture.channels, picture.height,
                                      picture.width, values, reading);
    return status ? espl__reading_fail_within(reading, status, name) : ESPL_OK;
}

espl_status espl__picture_read(espl_context *ctx, const char *path, const char *resize,
                               int64_t channels, int64_t height, int64_t width, float *planes)
{
    espl__fitting fitting = { channels, height, width, ESPL__FIT_CROP };
    espl__reading reading = { .ctx = ctx };
    size_t bytes = 0;

    if (!espl__fit_rule_of(resize, &fitting.rule))
        return espl__fail(ctx, ESPL_BAD_OPTION, "resize: \"%s\" is none of crop, stretch, keras",
                          resize);
    if ((channels != 1 && channels != 3) || height < 1 || width < 1)
        return espl__fail(ctx, ESPL_BAD_SHAPE,
                          "%s: a picture cannot become %lldx%lldx%lld; it has 1 or 3 channels",
                          path, (long long)channels, (long long)height, (long long)width);
    espl_status status = espl__reading_file(&reading, path, &bytes);
    if (!status)
        status = espl__picture_decode(path, reading.block[ESPL__READING_FILE].data, bytes, &fitting,
                                      planes, &reading);
    if (status)
        espl__fail(ctx, status, "%s", reading.message);
    espl__reading_end(&reading);
    return status;
}
