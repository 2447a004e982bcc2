/* Random resized crop (Szegedy et al. 2015): a window of random area and shape is cut out of the
 * picture and brought back to the picture's size. The window's area is a share between `area-low`
 * and `area-high` of the whole, its width over its height lies between `ratio-low` and
 * `ratio-high`, evenly in the logarithm. */
#include "techniques/augment/augment.h"

#include <math.h>

#define TRIES 10  /* before the largest window in the middle is taken */
#define PIECE 128 /* columns whose places are worked out at once */

typedef struct random_crop {
    double area_low, area_high, ratio_low, ratio_high;
} random_crop;

static const espl_option options[] = {
    ESPL_REAL(random_crop, area_low, "0.08", 1e-4, 1,
              "smallest area of the window, as a share of the picture"),
    ESPL_REAL(random_crop, area_high, "1", 1e-4, 1, "largest area of the window"),
    ESPL_REAL(random_crop, ratio_low, "0.75", 0.01, 100,
              "smallest width over height of the window"),
    ESPL_REAL(random_crop, ratio_high, "1.3333333333333333", 0.01, 100,
              "largest width over height"),
    ESPL_OPTIONS_END
};

typedef struct window {
    int64_t top, left, height, width;
} window;

/* The largest window in the middle whose shape is allowed. */
static window middle_window(const random_crop *s, int64_t height, int64_t width)
{
    const double ratio = (double)width / (double)height;
    window w = { 0, 0, height, width };

    if (ratio < s->ratio_low)
        w.height = (int64_t)fmax(1, floor((double)width / s->ratio_low + 0.5));
    else if (ratio > s->ratio_high)
        w.width = (int64_t)fmax(1, floor((double)height * s->ratio_high + 0.5));
    w.top = (height - w.height) / 2;
    w.left = (width - w.width) / 2;
    return w;
}

static window draw_window(const random_crop *s, int64_t height, int64_t width, espl_draw *draw)
{
    const float low = (float)log(s->ratio_low), high = (float)log(s->ratio_high);

    for (int i = 0; i < TRIES; i++) {
        const double share = espl_draw_between(draw, (float)s->area_low, (float)s->area_high);
        const double ratio = exp(espl_draw_between(draw, low, high)),
                     area = share * (double)(height * width);
        window w = { .height = (int64_t)floor(sqrt(area / ratio) + 0.5),
                     .width = (int64_t)floor(sqrt(area * ratio) + 0.5) };
        if (w.height >= 1 && w.width >= 1 && w.height <= height && w.width <= width) {
            w.top = espl_draw_below(draw, height - w.height + 1);
            w.left = espl_draw_below(draw, width - w.width + 1);
            return w;
        }
    }
    return middle_window(s, height, width);
}

/* Where result i of `count` lies among `size` inputs: between `*below` and the next, by the share
 * returned. */
static float place_of(int64_t i, int64_t count, int64_t size, int64_t *below)
{
    const double place = ((double)i + 0.5) * (double)size / (double)count - 0.5;

    *below = 0;
    if (place <= 0 || size == 1)
        return 0;
    *below = place < (double)(size - 1) ? (int64_t)place : size - 2;
    return fminf((float)(place - (double)*below), 1);
}

/* A window is never larger than the picture, so two points each way are all that the antialiasing
 * triangle filter would look at. Columns in pieces, so that their places are known to all rows and
 * channels. */
static void enlarge(const espl_sample *sample, window w, float *result)
{
    const int64_t height = sample->height, width = sample->width, pixels = height * width;

    for (int64_t from = 0; from < width; from += PIECE) {
        const int64_t columns = width - from < PIECE ? width - from : PIECE, next = w.width > 1;
        int64_t place[PIECE];
        float share[PIECE];
        for (int64_t x = 0; x < columns; x++)
            share[x] = place_of(from + x, width, w.width, &place[x]);
        for (int64_t y = 0; y < height; y++) {
            int64_t row = 0;
            const float down = place_of(y, height, w.height, &row);
            for (int64_t c = 0; c < sample->channels; c++) {
                const float *above = sample->values + c * pixels + (w.top + row) * width + w.left;
                const float *below = w.height > 1 ? above + width : above;
                float *to = result + c * pixels + y * width + from;
                for (int64_t x = 0; x < columns; x++) {
                    const float *a = above + place[x], *b = below + place[x];
                    const float upper = a[0] + share[x] * (a[next] - a[0]),
                                lower = b[0] + share[x] * (b[next] - b[0]);
                    to[x] = upper + down * (lower - upper);
                }
            }
        }
    }
}

static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const window w = draw_window(self, sample->height, sample->width, draw);

    enlarge(sample, w, sample->spare);
    augment_swap(sample);
}

static espl_status check(void *self, espl_run *run)
{
    const random_crop *s = self;

    if (s->area_low > s->area_high)
        return espl_run_fail(run, ESPL_BAD_OPTION, "area-low: %g is above area-high: %g",
                             s->area_low, s->area_high);
    if (s->ratio_low > s->ratio_high)
        return espl_run_fail(run, ESPL_BAD_OPTION, "ratio-low: %g is above ratio-high: %g",
                             s->ratio_low, s->ratio_high);
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_random_crop = {
    .name = "augment-random-crop",
    .summary = "cut a window of random area and shape, brought back to size",
    .paper = "Szegedy et al., Going Deeper with Convolutions, arXiv:1409.4842",
    .family = ESPL_AUGMENT,
    .size = sizeof(random_crop),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
