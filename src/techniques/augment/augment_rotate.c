/* Rotate: the picture is turned about its centre by an angle drawn evenly from -degrees to
 * +degrees. Each result pixel is looked up where it came from, between four pixels. */
#include "techniques/augment/augment.h"

#include <math.h>

typedef struct rotate {
    double degrees;
    int fill;
} rotate;

static const espl_option options[] = {
    ESPL_REAL(rotate, degrees, "15", 0, 180, "largest angle, either way"),
    ESPL_CHOICE(rotate, fill, "zero", AUGMENT_FILLS,
                "what comes in at the corners: 0 (black), or the mean of the channel"),
    ESPL_OPTIONS_END
};

/* The plane at (y, x), weighted between the four pixels around; those outside count as `border`. */
static float look_up(const float *plane, int64_t height, int64_t width, float y, float x,
                     float border)
{
    const float below_y = floorf(y), below_x = floorf(x);
    const int64_t row = (int64_t)below_y, column = (int64_t)below_x;
    const float down = y - below_y, across = x - below_x;
    float corner[4];

    if (row < -1 || row >= height || column < -1 || column >= width)
        return border;
    for (int i = 0; i < 4; i++) {
        const int64_t r = row + i / 2, c = column + i % 2;
        corner[i] = r < 0 || r >= height || c < 0 || c >= width ? border : plane[r * width + c];
    }
    const float upper = corner[0] + across * (corner[1] - corner[0]),
                lower = corner[2] + across * (corner[3] - corner[2]);
    return upper + down * (lower - upper);
}

/* Inside, where all four pixels exist, nothing has to be asked. */
static float look_up_inside(const float *plane, int64_t width, float y, float x)
{
    const int64_t row = (int64_t)y, column = (int64_t)x;
    const float down = y - (float)row, across = x - (float)column,
                *p = plane + row * width + column;
    const float upper = p[0] + across * (p[1] - p[0]),
                lower = p[width] + across * (p[width + 1] - p[width]);

    return upper + down * (lower - upper);
}

/* Turned to the left (against the clock) for positive angles, as one sees it. */
static void turn(const espl_sample *sample, double degrees, int fill, float *result)
{
    const int64_t height = sample->height, width = sample->width, pixels = height * width;
    const double angle = degrees * 3.14159265358979323846 / 180;
    const float cosine = (float)cos(angle), sine = (float)sin(angle);
    const float middle_y = (float)(height - 1) / 2, middle_x = (float)(width - 1) / 2;

    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const float down = (float)y - middle_y, across = (float)x - middle_x;
            const float from_x = cosine * across - sine * down + middle_x;
            const float from_y = sine * across + cosine * down + middle_y;
            const bool inside = from_x >= 0 && from_y >= 0 && from_x < (float)(width - 1) &&
                                from_y < (float)(height - 1);
            for (int64_t c = 0; c < sample->channels; c++) {
                const float *plane = sample->values + c * pixels;
                result[c * pixels + y * width + x] = inside
                                                         ? look_up_inside(plane, width, from_y,
                                                                          from_x)
                                                         : look_up(plane, height, width, from_y,
                                                                   from_x,
                                                                   augment_fill(sample, fill, c));
            }
        }
}

static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const rotate *s = self;

    turn(sample, espl_draw_between(draw, (float)-s->degrees, (float)s->degrees), s->fill,
         sample->spare);
    augment_swap(sample);
}

static espl_status check(void *self, espl_run *run)
{
    (void)self;
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_rotate = {
    .name = "augment-rotate",
    .summary = "turn pictures by a random angle",
    .paper = "Simard et al., Best Practices for Convolutional Neural Networks, ICDAR 2003",
    .family = ESPL_AUGMENT,
    .size = sizeof(rotate),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
