/* How pictures are brought to the size and the channels that were asked for. */
#ifndef ESPL_FITTING_H
#define ESPL_FITTING_H

#include "data/data.h"

typedef enum espl__fit_rule {
    ESPL__FIT_CROP,    /* the short side to the target, then the centre */
    ESPL__FIT_STRETCH, /* each side to the target */
    ESPL__FIT_KERAS    /* the same without antialiasing, as tf.image.resize does it */
} espl__fit_rule;

typedef struct espl__fitting {
    int64_t channels, height, width;
    espl__fit_rule rule;
} espl__fitting;

/* "crop", "stretch", "keras"; NULL and "none" are the first. false: no such rule. */
bool espl__fit_rule_of(const char *name, espl__fit_rule *rule);

/* What samples of the stored shape shall become by these settings. Fails for sizes and rules that
 * cannot be, and for more channels than pictures have. */
espl_status espl__fitting_make(espl_context *ctx, const espl_data_settings *settings,
                               const int64_t stored[3], espl__fitting *fitting);

/* The size to which a picture is brought before it is cut to the fitting. */
void espl__fitting_whole(const espl__fitting *fitting, int64_t height, int64_t width,
                         int64_t *whole_height, int64_t *whole_width);

/* Brings decoded pixels of any size, channels interleaved, to the fitting; the planes go to
 * `values`. The antialiased rules round to whole values after each pass, as Pillow does. */
espl_status espl__fitting_pixels(const espl__fitting *fitting, const uint8_t *pixels,
                                 int64_t channels, int64_t height, int64_t width, float *values,
                                 espl__reading *reading);

/* The same for planes of floats, without rounding. */
espl_status espl__fitting_planes(const espl__fitting *fitting, const float *planes,
                                 int64_t channels, int64_t height, int64_t width, float *values,
                                 espl__reading *reading);

#endif
