/* Pad and crop: a border is put around the picture and a window of its old size is cut out
 * anywhere, so that the picture moves by up to `pad` pixels each way. The usual augmentation of
 * CIFAR (Lee et al. 2015; He et al. 2016). */
#include "techniques/augment/augment.h"

#include <string.h>

typedef struct crop {
    int64_t pad;
    int fill;
} crop;

static const espl_option options[] = {
    ESPL_COUNT(crop, pad, "4", 0, 4096,
               "pixels of border on each side, which is the farthest the picture moves"),
    ESPL_CHOICE(crop, fill, "zero", AUGMENT_FILLS,
                "what the border holds: 0 (black), or the mean of the channel"),
    ESPL_OPTIONS_END
};

static int64_t within(int64_t value, int64_t most)
{
    return value < 0 ? 0 : value > most ? most
                                        : value;
}

static void fill_with(float *values, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
}

/* One plane moved: result (y, x) is the picture's (y + down, x + across), or `border` outside of
 * it. */
static void move_plane(const float *plane, int64_t height, int64_t width, int64_t down,
                       int64_t across, float border, float *result)
{
    const int64_t first = within(-across, width), last = within(width - across, width);

    for (int64_t y = 0; y < height; y++, result += width) {
        if (y + down < 0 || y + down >= height || first >= last) {
            fill_with(result, width, border);
            continue;
        }
        fill_with(result, first, border);
        memcpy(result + first, plane + (y + down) * width + first + across,
               (size_t)(last - first) * sizeof(float));
        fill_with(result + last, width - last, border);
    }
}

static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const crop *s = self;
    const int64_t pixels = sample->height * sample->width;
    const int64_t down = espl_draw_below(draw, 2 * s->pad + 1) - s->pad;
    const int64_t across = espl_draw_below(draw, 2 * s->pad + 1) - s->pad;

    if (down == 0 && across == 0)
        return;
    for (int64_t c = 0; c < sample->channels; c++)
        move_plane(sample->values + c * pixels, sample->height, sample->width, down, across,
                   augment_fill(sample, s->fill, c), sample->spare + c * pixels);
    augment_swap(sample);
}

static espl_status check(void *self, espl_run *run)
{
    (void)self;
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_crop = {
    .name = "augment-crop",
    .summary = "move pictures by a few pixels: pad, then crop anywhere",
    .paper = "He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385",
    .family = ESPL_AUGMENT,
    .size = sizeof(crop),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
