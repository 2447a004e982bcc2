/* Colour jitter (Krizhevsky et al. 2012; Howard 2013): brightness, contrast, saturation and hue are
 * changed by random amounts, in random order. With an option b, the factor is drawn evenly from
 * max(0, 1 - b) to 1 + b; hue is shifted by -h to +h turns of the colour circle. Values stay within
 * 0..255. */
#include "techniques/augment/augment.h"

#include <math.h>

typedef struct color {
    double brightness, contrast, saturation, hue;
} color;

static const espl_option options[] = {
    ESPL_REAL(color, brightness, "0.4", 0, 10,
              "by how much brightness may change: all values times 1 - b .. 1 + b"),
    ESPL_REAL(color, contrast, "0.4", 0, 10,
              "the same for the distance from the picture's mean grey"),
    ESPL_REAL(color, saturation, "0.4", 0, 10,
              "the same for the distance from each pixel's own grey"),
    ESPL_REAL(color, hue, "0", 0, 0.5, "largest shift around the colour circle, in turns"),
    ESPL_OPTIONS_END
};

static float limit(float value)
{
    return value < 0 ? 0 : value > 255 ? 255
                                       : value;
}

static float grey_of(float red, float green, float blue)
{
    return 0.299f * red + 0.587f * green + 0.114f * blue;
}

static void brighten(float *values, int64_t count, float factor)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = limit(values[i] * factor);
}

static void change_contrast(float *values, int64_t channels, int64_t pixels, float factor)
{
    const float *green = values + (channels >= 3) * pixels,
                *blue = values + (channels >= 3) * 2 * pixels;
    double sum = 0;

    for (int64_t i = 0; i < pixels; i++)
        sum += grey_of(values[i], green[i], blue[i]);
    const float mean = (float)(sum / (double)pixels);
    for (int64_t i = 0; i < channels * pixels; i++)
        values[i] = limit(mean + factor * (values[i] - mean));
}

static void saturate(float *red, int64_t pixels, float factor)
{
    float *green = red + pixels, *blue = green + pixels;

    for (int64_t i = 0; i < pixels; i++) {
        const float grey = grey_of(red[i], green[i], blue[i]);
        red[i] = limit(grey + factor * (red[i] - grey));
        green[i] = limit(grey + factor * (green[i] - grey));
        blue[i] = limit(grey + factor * (blue[i] - grey));
    }
}

/* Hue in sixths of a turn, 0 for red. */
static float hue_of(float red, float green, float blue, float most, float spread)
{
    if (spread <= 0)
        return 0;
    if (most == red)
        return (green - blue) / spread;
    return most == green ? 2 + (blue - red) / spread : 4 + (red - green) / spread;
}

/* A channel at that hue: `most` within one sixth of its own, `most - spread` at more than two. */
static float channel_at(float hue, float own, float most, float spread)
{
    float apart = fabsf(hue - own);

    apart = apart > 3 ? 6 - apart : apart;
    return apart <= 1 ? most : apart >= 2 ? most - spread
                                          : most - spread * (apart - 1);
}

static void shift_hue(float *red, int64_t pixels, float turns)
{
    float *green = red + pixels, *blue = green + pixels;

    for (int64_t i = 0; i < pixels; i++) {
        const float most = fmaxf(red[i], fmaxf(green[i], blue[i]));
        const float spread = most - fminf(red[i], fminf(green[i], blue[i]));
        float hue = hue_of(red[i], green[i], blue[i], most, spread) + 6 * turns;
        hue -= 6 * floorf(hue / 6);
        red[i] = channel_at(hue, 0, most, spread);
        green[i] = channel_at(hue, 2, most, spread);
        blue[i] = channel_at(hue, 4, most, spread);
    }
}

static float draw_factor(double amount, espl_draw *draw)
{
    return espl_draw_between(draw, (float)fmax(0, 1 - amount), (float)(1 + amount));
}

/* Every number is drawn in every case, so that an option at 0 leaves the others as they were. */
static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const color *s = self;
    const int64_t pixels = sample->height * sample->width;
    const float brightness = draw_factor(s->brightness, draw),
                contrast = draw_factor(s->contrast, draw);
    const float saturation = draw_factor(s->saturation, draw);
    const float hue = espl_draw_between(draw, (float)-s->hue, (float)s->hue);
    const bool coloured = sample->channels >= 3;
    int order[4] = { 0, 1, 2, 3 };

    for (int i = 3; i > 0; i--) {
        const int j = (int)espl_draw_below(draw, i + 1), held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
    for (int i = 0; i < 4; i++) {
        if (order[i] == 0 && s->brightness > 0)
            brighten(sample->values, sample->channels * pixels, brightness);
        else if (order[i] == 1 && s->contrast > 0)
            change_contrast(sample->values, sample->channels, pixels, contrast);
        else if (order[i] == 2 && s->saturation > 0 && coloured)
            saturate(sample->values, pixels, saturation);
        else if (order[i] == 3 && s->hue > 0 && coloured)
            shift_hue(sample->values, pixels, hue);
    }
}

static espl_status check(void *self, espl_run *run)
{
    (void)self;
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_color = {
    .name = "augment-color",
    .summary = "change brightness, contrast, saturation and hue at random",
    .paper = "Howard, Some Improvements on Deep Convolutional Neural Network Based Image "
             "Classification, arXiv:1312.5402",
    .family = ESPL_AUGMENT,
    .size = sizeof(color),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
