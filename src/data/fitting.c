/* How pictures are brought to the size and the channels that were asked for. */
#include "data/fitting.h"
#include "data/resample.h"

#include <string.h>

#define LARGEST_SIDE 16384

bool espl__fit_rule_of(const char *name, espl__fit_rule *rule)
{
    static const struct {
        const char *name;
        espl__fit_rule rule;
    } known[] = { { "crop", ESPL__FIT_CROP },
                  { "none", ESPL__FIT_CROP },
                  { "stretch", ESPL__FIT_STRETCH },
                  { "keras", ESPL__FIT_KERAS } };

    *rule = ESPL__FIT_CROP;
    if (!name || !*name)
        return true;
    for (int i = 0; i < ESPL__COUNT(known); i++)
        if (espl__text_equal(known[i].name, name)) {
            *rule = known[i].rule;
            return true;
        }
    return false;
}

espl_status espl__fitting_make(espl_context *ctx, const espl_data_settings *settings,
                               const int64_t stored[3], espl__fitting *fitting)
{
    if (!espl__fit_rule_of(settings->resize, &fitting->rule))
        return espl__fail(ctx, ESPL_BAD_OPTION, "resize: \"%s\" is none of crop, stretch, keras",
                          settings->resize);
    if (stored[1] * stored[2] == 1 && stored[0] != 1 && stored[0] != 3 &&
        (settings->height || settings->width || settings->channels))
        return espl__fail(
            ctx, ESPL_BAD_OPTION,
            "height, width and channels are for pictures; the samples are rows of %lld numbers",
            (long long)stored[0]);
    if (settings->height < 0 || settings->width < 0 || settings->height > LARGEST_SIDE ||
        settings->width > LARGEST_SIDE || !settings->height != !settings->width)
        return espl__fail(
            ctx, ESPL_BAD_OPTION,
            "a size of %lld x %lld for pictures cannot be; give both sides, each within 1..%d",
            (long long)settings->height, (long long)settings->width, LARGEST_SIDE);
    if (settings->channels != 0 && settings->channels != 1 && settings->channels != 3)
        return espl__fail(ctx, ESPL_BAD_OPTION, "channels: %d is neither 1 (grey) nor 3 (colour)",
                          settings->channels);
    fitting->channels = settings->channels ? settings->channels : stored[0];
    fitting->height = settings->height ? settings->height : stored[1];
    fitting->width = settings->width ? settings->width : stored[2];
    return ESPL_OK;
}

/* The whole covers the target, the long side is rounded down, and a centre that falls between two
 * pixels goes to the even one: as torchvision's Resize and CenterCrop do. */
static espl__window window_of(const espl__fitting *fitting, int64_t height, int64_t width)
{
    espl__window window = {
        fitting->height, fitting->width, 0, 0, fitting->height, fitting->width
    };

    if (fitting->rule != ESPL__FIT_CROP)
        return window;
    if (width * fitting->height <= fitting->width * height)
        window.whole_height = fitting->width * height / width;
    else
        window.whole_width = fitting->height * width / height;
    const int64_t above = window.whole_height - window.height,
                  before = window.whole_width - window.width;
    window.top = above / 2 + (above % 4 == 3);
    window.left = before / 2 + (before % 4 == 3);
    return window;
}

void espl__fitting_whole(const espl__fitting *fitting, int64_t height, int64_t width,
                         int64_t *whole_height, int64_t *whole_width)
{
    const espl__window window = window_of(fitting, height, width);

    *whole_height = window.whole_height;
    *whole_width = window.whole_width;
}

static void spread_pixels(const uint8_t *pixels, int64_t channels, int64_t count, float *planes)
{
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < count; i++)
            planes[c * count + i] = pixels[i * channels + c];
}

/* Luma as Pillow's convert("L") has it, in 16 bits of fraction. */
static uint8_t grey_of(const uint8_t *pixel)
{
    return (uint8_t)((pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16);
}

/* Channels as wanted; the source is returned when it already has them. NULL: no memory. */
static const uint8_t *with_channels(const uint8_t *pixels, int64_t *channels, int64_t wanted,
                                    int64_t count, espl__reading *reading)
{
    const int64_t have = *channels;

    if (have == wanted)
        return pixels;
    uint8_t *changed = espl__reading_room(reading, ESPL__READING_CHANNELS,
                                          (size_t)count * (size_t)wanted);
    if (!changed)
        return NULL;
    *channels = wanted;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *from = pixels + i * have;
        uint8_t *to = changed + i * wanted;
        if (wanted == 1)
            to[0] = have >= 3 ? grey_of(from) : from[0];
        else
            for (int64_t c = 0; c < wanted; c++)
                to[c] = have >= 3 ? from[c] : from[0];
    }
    return changed;
}

/* Two passes over planes of floats, plane by plane. */
static espl_status resize_planes(const espl__fitting *fitting, const float *planes,
                                 int64_t channels, int64_t height, int64_t width, float *values,
                                 espl__reading *reading)
{
    const espl__window window = window_of(fitting, height, width);
    const bool antialias = fitting->rule != ESPL__FIT_KERAS;
    espl_status status = ESPL_OK;

    for (int64_t c = 0; c < channels && !status; c++)
        status = espl__resize_plane(planes + c * height * width, width, height, width, window,
                                    antialias, values + c * window.height * window.width, reading);
    return status;
}

espl_status espl__fitting_pixels(const espl__fitting *fitting, const uint8_t *pixels,
                                 int64_t channels, int64_t height, int64_t width, float *values,
                                 espl__reading *reading)
{
    pixels = with_channels(pixels, &channels, fitting->channels, height * width, reading);
    if (!pixels)
        return ESPL_NO_MEMORY;
    if (height == fitting->height && width == fitting->width) {
        spread_pixels(pixels, channels, height * width, values);
        return ESPL_OK;
    }
    if (fitting->rule != ESPL__FIT_KERAS && (channels == 1 || channels == 3))
        return espl__resize_pixels(pixels, channels, height, width,
                                   window_of(fitting, height, width), values, reading);
    float *planes = espl__reading_room(reading, ESPL__READING_PLANES,
                                       (size_t)(channels * height * width) * sizeof(float));
    if (!planes)
        return ESPL_NO_MEMORY;
    spread_pixels(pixels, channels, height * width, planes);
    return resize_planes(fitting, planes, channels, height, width, values, reading);
}

espl_status espl__fitting_planes(const espl__fitting *fitting, const float *planes,
                                 int64_t channels, int64_t height, int64_t width, float *values,
                                 espl__reading *reading)
{
    const int64_t count = height * width, result = fitting->height * fitting->width;
    float *changed = NULL;

    if (channels != fitting->channels) {
        changed = espl__reading_room(reading, ESPL__READING_PLANES,
                                     (size_t)(fitting->channels * count) * sizeof(float));
        if (!changed)
            return ESPL_NO_MEMORY;
        for (int64_t c = 0; c < fitting->channels; c++)
            for (int64_t i = 0; i < count; i++)
                changed[c * count + i] = fitting->channels == 1 && channels >= 3
                                             ? 0.299f * planes[i] + 0.587f * planes[count + i] +
                                                   0.114f * planes[2 * count + i]
                                             : planes[(channels >= 3 ? c * count : 0) + i];
        planes = changed;
    }
    if (height != fitting->height || width != fitting->width)
        return resize_planes(fitting, planes, fitting->channels, height, width, values, reading);
    memcpy(values, planes, (size_t)(fitting->channels * result) * sizeof(float));
    return ESPL_OK;
}
