/* Cutout (DeVries and Taylor 2017): a square around a random pixel is erased from all channels. The
 * centre may be any pixel, so at the borders less is erased: that is intended, and matters. Erased
 * means 0 at the net's input, that is, the mean of the channel. */
#include "techniques/augment/augment.h"

typedef struct cutout {
    int64_t length, holes;
} cutout;

static const espl_option options[] = {
    ESPL_COUNT(cutout, length, "16", 1, 4096,
               "side of the square in pixels (the paper: 16 for CIFAR-10, 8 for CIFAR-100)"),
    ESPL_COUNT(cutout, holes, "1", 0, 1000, "how many squares; 0: none"), ESPL_OPTIONS_END
};

static void erase(espl_sample *sample, int64_t top, int64_t left, int64_t length)
{
    const int64_t height = sample->height, width = sample->width;
    const int64_t first = top < 0 ? 0 : top, last = top + length > height ? height : top + length;
    const int64_t from = left < 0 ? 0 : left, to = left + length > width ? width : left + length;

    for (int64_t c = 0; c < sample->channels; c++) {
        const float value = augment_fill(sample, 1, c);
        for (int64_t y = first; y < last; y++)
            for (int64_t x = from; x < to; x++)
                sample->values[(c * height + y) * width + x] = value;
    }
}

/* Rows centre - length/2 and so on: with an odd length the square reaches as far before the centre
 * as behind it (the authors' code erases one row and column less then). */
static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const cutout *s = self;

    for (int64_t i = 0; i < s->holes; i++) {
        const int64_t y = espl_draw_below(draw, sample->height),
                      x = espl_draw_below(draw, sample->width);
        erase(sample, y - s->length / 2, x - s->length / 2, s->length);
    }
}

static espl_status check(void *self, espl_run *run)
{
    const cutout *s = self;
    int64_t shape[3];

    espl_run_sample_shape(run, shape);
    if (s->length > 2 * shape[1] || s->length > 2 * shape[2])
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "length: %lld is more than twice a side of the pictures (%lldx%lld "
                             "pixels): nothing would be left",
                             (long long)s->length, (long long)shape[2], (long long)shape[1]);
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_cutout = {
    .name = "augment-cutout",
    .summary = "erase a random square of each picture",
    .paper = "DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with "
             "Cutout, arXiv:1708.04552",
    .family = ESPL_AUGMENT,
    .size = sizeof(cutout),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
