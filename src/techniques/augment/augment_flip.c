/* Flip: half of the pictures are mirrored left to right. */
#include "techniques/augment/augment.h"

typedef struct flip {
    double chance;
} flip;

static const espl_option options[] = { ESPL_REAL(flip, chance, "0.5", 0, 1,
                                                 "share of the pictures that are mirrored"),
                                       ESPL_OPTIONS_END };

static void augment(const void *self, espl_sample *sample, espl_draw *draw)
{
    const flip *s = self;
    const int64_t rows = sample->channels * sample->height, width = sample->width;

    if (!(espl_draw_uniform(draw) < s->chance))
        return;
    for (int64_t y = 0; y < rows; y++) {
        float *restrict to = sample->spare + y * width;
        const float *restrict from = sample->values + y * width;
        for (int64_t x = 0; x < width; x++)
            to[x] = from[width - 1 - x];
    }
    augment_swap(sample);
}

static espl_status check(void *self, espl_run *run)
{
    (void)self;
    return augment_needs_pictures(run);
}

const espl_technique espl_technique_augment_flip = {
    .name = "augment-flip",
    .summary = "mirror pictures left to right by chance",
    .paper = "Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, "
             "NIPS 2012",
    .family = ESPL_AUGMENT,
    .size = sizeof(flip),
    .options = options,
    .on = { [ESPL_NET_READY] = check },
    .augment = augment,
};
